"""A problem of a spec is a value: what, where, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cexspec.spec.source import Position, Where

Severity = Literal["error", "warning"]


def printable(text: str) -> str:
    """Text without control characters: an escape sequence in a spec must not reach a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


@dataclass(frozen=True, slots=True)
class Edit:
    """A safe repair: replace `old`, which stands at `position`, by `new`."""

    position: Position
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `rule` is its id in the catalogue (`CEX012`), `hint` what to write instead."""

    rule: str
    severity: Severity
    position: Position
    where: Where
    message: str
    hint: str = ""
    edit: Edit | None = None

    def __str__(self) -> str:
        return f"{self.position}: {self.severity} {self.rule}: {printable(self.message)}"

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sorts problems as a reader meets them."""
        return (self.position.file, self.position.line, self.position.column, self.rule)


class Findings:
    """Collects problems while a spec is checked or compiled."""

    def __init__(self, locate: Callable[[Where], Position]) -> None:
        self._locate = locate
        self.problems: list[Problem] = []

    def error(self, rule: str, where: Where, message: str, hint: str = "") -> None:
        """Note an error: the spec can't run so."""
        self.problems.append(Problem(rule, "error", self._locate(where), where, message, hint))

    def warning(self, rule: str, where: Where, message: str, hint: str = "") -> None:
        """Note a warning: the spec runs, but not as well as it could."""
        self.problems.append(Problem(rule, "warning", self._locate(where), where, message, hint))

    def position(self, where: Where) -> Position:
        """Where a node stands in its file."""
        return self._locate(where)

    @property
    def errors(self) -> list[Problem]:
        """Only the errors."""
        return [problem for problem in self.problems if problem.severity == "error"]
