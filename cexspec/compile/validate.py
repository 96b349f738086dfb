"""Validation is compilation: a spec is fine when all of it compiles and nothing of it is left unread."""

from __future__ import annotations

from pathlib import Path

from cexspec.compile.exchange import Exchange
from cexspec.models import SpecError
from cexspec.spec.likeness import said_once
from cexspec.spec.load import load
from cexspec.spec.problems import Problem


def validate(path: Path) -> list[Problem]:
    """Every problem of a spec file, by position; the loader's alone where it can't be loaded."""
    try:
        loaded = load(path)
    except SpecError as error:
        return sorted_problems([problem for problem in error.problems if isinstance(problem, Problem)])
    exchange = Exchange(loaded)
    findings = exchange.findings()
    exchange.check(findings)
    return sorted_problems(said_once(findings.problems, loaded.source))


def sorted_problems(problems: list[Problem]) -> list[Problem]:
    """By file and place, each once."""
    unique = {(one.rule, one.position, one.message): one for one in problems}
    return sorted(unique.values(), key=lambda one: (one.position.file, one.position.line, one.position.column, one.rule))
