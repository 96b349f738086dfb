"""Explain what a part of a spec was compiled to, with the lines that say so."""

from __future__ import annotations

from typing import Annotated

import typer

from cexspec.cli._exchange import ExchangeName, examples, exchange_of
from cexspec.cli._output import for_people
from cexspec.cli._run import errors


@examples
def command(
    exchange: ExchangeName,
    name: Annotated[str, typer.Argument(help="A REST operation, a stream or a channel, or `symbols`.", show_default=False)],
) -> None:
    """Explain what an operation or a stream was compiled to: request, topic, fields, extractor, limits, and every default.

    \b
    cexspec explain EXCHANGE trades
    cexspec explain EXCHANGE symbols
    """
    from cexspec.compile.explain import explain

    with errors():
        text = explain(exchange_of(exchange), name)
    if for_people(as_json=False):
        _show(text)
    else:
        typer.echo(text)


def _show(text: str) -> None:
    """Titles bold, code in colours."""
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    console, code = Console(), list[str]()
    for line in [*text.split("\n"), ""]:
        if code and not line.startswith("  "):
            console.print(Syntax("\n".join(code), "python", background_color="default", word_wrap=True))
            code.clear()
        if not line.startswith(" "):
            console.print(Text(line, style="bold"), soft_wrap=True)
            in_code = line == "extractor"
        elif in_code:
            code.append(line)
        else:
            console.print(line, soft_wrap=True, markup=False)
