"""Validation is compilation: what `validate` accepts compiles, part by part, and what doesn't compile it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.validate import validate
from cexspec.models import SpecError
from cexspec.spec.load import load
from tests.exchanges.venue import EXCHANGES, IDS

BAD = Path(__file__).parents[1] / "specs_bad"
FILES = sorted([*EXCHANGES.glob("*.yaml"), *BAD.glob("*.yaml")])


def refused(path: Path) -> Iterator[str]:
    """The parts of a spec that can't be compiled, as a client asks for them."""
    try:
        exchange = Exchange(load(path), float)
    except SpecError:
        yield "all of it"
        return
    parts: list[tuple[str, Callable[[], object]]] = [("symbols", lambda: exchange.symbols), ("errors", lambda: exchange.errors)]
    parts += [(name, partial(exchange.operation, name)) for name in exchange.operation_names]
    parts += [(name, partial(exchange.connection, name)) for name in exchange.connection_names]
    parts += [(name, partial(exchange.recipe, name)) for name in exchange.recipe_names]
    for name, compiled in parts:
        try:
            compiled()
        except SpecError as error:
            assert error.problems, "a refusal says what is wrong"
            yield name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_validate_accepts_compiles_and_what_does_not_compile_it_refuses(path: Path) -> None:
    errors = [problem for problem in validate(path) if problem.severity == "error"]
    if list(refused(path)):
        assert errors
    elif errors:  # what leaves a client working but says something that nothing does, or could be either of two things
        assert {problem.rule for problem in errors} <= {"CEX056", "CEX058", "CEX064", "CEX081"}


@pytest.mark.parametrize("exchange", IDS)
def test_shipped_specs_have_no_errors_and_no_walked_paths_on_streams(exchange: str) -> None:
    path = EXCHANGES / f"{exchange}.yaml"
    problems = validate(path)
    assert [problem for problem in problems if problem.severity == "error"] == []
    compiled = Exchange(load(path), Decimal)
    readers = [reader for name in compiled.channel_names for reader in compiled.channel(name).readers]
    assert [(reader.name, reader.unlowered) for reader in readers if reader.unlowered] == []
