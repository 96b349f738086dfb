"""Measurements as Markdown tables, and their place in docs/performance.md."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN = "<!-- begin: written by `make bench` -->"
END = "<!-- end: written by make bench -->"


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at most, or at least."""

    limit: float
    at_most: bool
    unit: str = ""

    def met(self, value: float) -> bool:
        """Whether it is."""
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g}{self.unit}"


@dataclass(frozen=True)
class Row:
    """One line: what, the figure as shown and as a number, and the aim where there is one."""

    what: str
    shown: str
    value: float
    aim: Aim | None = None

    @property
    def met(self) -> bool:
        """Whether the aim is met; a row without one always is."""
        return self.aim is None or self.aim.met(self.value)

    def __str__(self) -> str:
        verdict = "" if self.aim is None else f"{self.aim}: {'met' if self.met else '**missed**'}"
        return f"| {self.what} | {self.shown} | {verdict} |"


@dataclass(frozen=True)
class Table:
    """Rows under a title."""

    title: str
    rows: list[Row]
    note: str = ""

    def __str__(self) -> str:
        lines = [f"### {self.title}", "", "| what | measured | aim |", "|---|---|---|", *map(str, self.rows)]
        return "\n".join([*lines, "", self.note, ""] if self.note else [*lines, ""])


def text(tables: Iterable[Table], remarks: Iterable[str]) -> str:
    """All tables, after what they were measured on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"Measured on {python}, {platform.system()} {platform.machine()}, one core."
    return "\n".join([machine, "", *map(str, tables), *(f"- {remark}" for remark in remarks)]).rstrip()


def write(tables: str) -> None:
    """Put the tables into the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")
