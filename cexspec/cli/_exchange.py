"""The exchange that a command line names, and how to reach it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cexspec.models import SpecError
from cexspec.spec.load import find, shipped

if TYPE_CHECKING:
    from cexspec.compile.exchange import Exchange

F = TypeVar("F", bound=Callable[..., object])


class NumberType(StrEnum):
    """How numbers are read."""

    decimal = "decimal"
    float = "float"


Number = type[Decimal] | type[float]


def number_type(wanted: NumberType) -> Number:
    """What the client takes."""
    return Decimal if wanted is NumberType.decimal else float


def complete(incomplete: str) -> list[str]:
    """Shipped ids for shell completion."""
    return [name for name in shipped() if name.startswith(incomplete)]


def known_exchange(name: str) -> str:
    """The name, if there is such an exchange; else a usage error with the nearest one."""
    try:
        find(name)
    except SpecError as error:
        raise typer.BadParameter(str(error)) from None
    return name


def _environment(text: str | None) -> str | dict[str, Any] | None:
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this JSON is broken: {error}") from None
    return dict(found)


ExchangeName = Annotated[
    str,
    typer.Argument(help="A shipped exchange, or the path of a spec.", callback=known_exchange, autocompletion=complete, show_default=False),
]
Environment = Annotated[
    Any,
    typer.Option(
        help='A name from the spec (see `cexspec info`), `paper`, or {"rest": URL, "ws": {CONNECTION: URL}}.', parser=str,
        metavar="NAME|JSON", callback=_environment, show_default=False,
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def exchange_of(name: str) -> Exchange:
    """The compiled exchange. Raises SpecError where its spec is wrong."""
    from cexspec.compile.exchange import Exchange
    from cexspec.spec.load import load

    return Exchange(load(find(name)))


def time_of(text: str | None) -> int | str | None:
    """A time as the client takes it: nanoseconds, or ISO text."""
    return int(text) if text is not None and text.isdigit() else text


def examples(command: F) -> F:
    """Write a shipped exchange for EXCHANGE in a command's help, so that its examples work when copied."""
    command.__doc__ = (command.__doc__ or "").replace("EXCHANGE", (shipped() or ["EXCHANGE"])[-1])
    return command
