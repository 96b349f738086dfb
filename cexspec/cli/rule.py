"""Explain a rule of `validate`: why it is one, a bad and a good example."""

from __future__ import annotations

import difflib
import json
from typing import Annotated

import msgspec
import typer

from cexspec.spec.rules import Rule, catalogue


def complete(incomplete: str) -> list[str]:
    """Rule ids for shell completion."""
    return [name for name in catalogue() if name.startswith(incomplete.upper())]


def command(
    rule: Annotated[str | None, typer.Argument(help="The id of a rule.", metavar="[CEX000]", autocompletion=complete)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a rule of `validate`, or list all of them.

    \b
    cexspec rule CEX012
    cexspec rule
    """
    rules = catalogue()
    if rule is None:
        listed = list(rules.values())
        typer.echo(_json(listed) if as_json else "\n".join(f"{one.id}  {one.severity:7}  {one.title}" for one in listed))
        return
    wanted = rules.get(rule.upper())
    if wanted is None:
        near = difflib.get_close_matches(rule.upper(), rules, 1)
        raise typer.BadParameter(f"there is no rule {rule}" + (f"; did you mean {near[0]}?" if near else ""))
    typer.echo(_json(wanted) if as_json else explanation(wanted))


def explanation(rule: Rule) -> str:
    """All about a rule, for people."""
    return f"{rule.id} ({rule.severity}): {rule.title}\n\n{rule.why}\n\nbad:\n{_indented(rule.bad)}\n\ngood:\n{_indented(rule.good)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().split("\n"))


def _json(rules: Rule | list[Rule]) -> str:
    return json.dumps(msgspec.to_builtins(rules), indent=2, ensure_ascii=False)
