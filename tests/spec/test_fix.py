"""Safe repairs of a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.spec.fix import edits_of, formatted, repaired
from cexspec.spec.problems import Edit, Problem
from cexspec.spec.source import Position


def edit(line: int, column: int, old: str, new: str, file: str = "a") -> Edit:
    return Edit(Position(file, line, column), old, new)


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("a: {pth: x, lst: y}", [edit(1, 5, "pth", "path"), edit(1, 13, "lst", "last")], "a: {path: x, last: y}"),
        ("a: 'last'\nb: c", [edit(1, 4, "last", "$.last"), edit(2, 4, "c", "$.c")], "a: '$.last'\nb: $.c"),
        ('"pth": x', [edit(1, 1, "pth", "path")], '"path": x'),
        ("a: |\n  last", [edit(1, 4, "last", "$.last")], "a: |\n  last"),
        ("a: b", [], "a: b"),
    ],
)
def test_edits_are_made_where_their_text_stands(text: str, edits: list[Edit], expected: str) -> None:
    assert repaired(text, edits) == expected


def test_only_the_edits_of_the_file_count() -> None:
    mine, other = edit(1, 1, "a", "b"), edit(1, 1, "a", "b", "c")
    at = Position("a", 1, 1)
    problems = [Problem("CEX012", "error", at, (), "", "", one) for one in (mine, other, None)]
    assert edits_of(problems, "a") == [mine]


@pytest.mark.parametrize(
    ("text", "expected", "changed"), [("id: 'a'\n", "id: a\n", True), ("id: a\n", "id: a\n", False), ("a: [", "a: [", False)]
)
def test_a_file_is_written_only_where_that_changes_it(text: str, expected: str, changed: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    assert formatted(path) is changed
    assert path.read_text(encoding="utf-8") == expected
