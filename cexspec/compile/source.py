"""Writes the Python source of an extractor and remembers which spec node asked for each line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cexspec.spec.source import Where


@dataclass(frozen=True, slots=True)
class Origin:
    """What a generated line is for: the unified field, the path it reads, the spec node."""

    field: str
    path: str
    where: Where


class Writer:
    """Lines of Python with indentation and origins."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._origins: list[Origin | None] = []
        self._depth = 0
        self._origin: Origin | None = None

    def line(self, code: str) -> None:
        """Add one line at the current depth."""
        self._lines.append("    " * self._depth + code)
        self._origins.append(self._origin)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines inside `head:`; no lines, no head."""
        self.line(f"{head}:")
        before = len(self._lines)
        self._depth += 1
        yield
        self._depth -= 1
        if len(self._lines) == before:
            self._lines.pop()
            self._origins.pop()

    @contextmanager
    def origin(self, origin: Origin) -> Iterator[None]:
        """Lines written here are for `origin`."""
        before, self._origin = self._origin, origin
        yield
        self._origin = before

    @property
    def text(self) -> str:
        """The whole source."""
        return "\n".join(self._lines) + "\n"

    def origin_of(self, line: int) -> Origin | None:
        """The origin of a line, counted from 1."""
        return self._origins[line - 1] if 0 < line <= len(self._origins) else None
