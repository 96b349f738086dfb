"""Problems as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cexspec.spec import render
from cexspec.spec.problems import Edit, Problem
from cexspec.spec.sarif import sarif
from cexspec.spec.source import Position

AT = Position("a b.yaml", 2, 4)
ERROR = Problem("CEX012", "error", AT, ("rest", 0), "unknown key `pth`", "one of: path", Edit(AT, "pth", "path"))
WARNING = Problem("CEX045", "warning", Position("a,b.yaml", 1, 1), (), "100% slow:\nline two")


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [
        ("a: {pth: 1}", 5, ["    2 | a: {pth: 1}", "      |     ^^^"]),
        ("a: 'b c' # d", 4, ["    2 | a: 'b c' # d", "      |    ^^^^^"]),
        ('a: "b\\"c": d', 4, ['    2 | a: "b\\"c": d', "      |    ^^^^^^"]),
        ("a: {}", 4, ["    2 | a: {}", "      |    ^"]),
        ("a\tb: c", 3, ["    2 | a b: c", "      |   ^"]),
        ("a: \x1b[31mred", 4, ["    2 | a: \ufffd[31mred", "      |    ^"]),
        ("   ", 1, []),
        ("", 7, []),
        ("x" * 200 + " y: z", 202, ["    2 | " + "x" * 69 + " y: z", "      | " + " " * 70 + "^"]),
    ],
)
def test_the_source_line_and_its_caret(line: str, column: int, shown: list[str]) -> None:
    problem = Problem("CEX012", "error", Position("a.yaml", 2, column), (), "m")
    assert render.text(problem, line).split("\n")[1:-1] == shown


def test_text_tells_what_why_and_what_to_write() -> None:
    head, *_, why, write = render.text(ERROR, "x: {pth: 1}").split("\n")
    assert head == "a b.yaml:2:4: error CEX012: unknown key `pth`"
    assert why.startswith("  why: Keys are closed")
    assert write == "  write: one of: path"


def test_nothing_in_a_spec_reaches_the_terminal_as_a_command() -> None:
    problem = Problem("CEX012", "error", AT, (), "unknown key `\x1b[2J\u202e`", "\x07")
    shown = render.text(problem, "\x1b]0;title\x07")
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "\\x1b[2J\\u202e" in shown


def test_lines_are_read_once_and_missing_ones_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"one\nt\xffo\n")
    lines = render.Lines()
    assert [lines.of(Position(str(path), number, 1)) for number in (1, 2, 9)] == ["one", "t\ufffdo", ""]
    path.unlink()
    assert lines.of(Position(str(path), 1, 1)) == "one"
    assert lines.of(Position(str(tmp_path), 1, 1)) == ""


def test_json_has_everything() -> None:
    document = json.loads(render.document([ERROR, WARNING]))
    assert (document["errors"], document["warnings"]) == (1, 1)
    first, second = document["problems"]
    assert (first["rule"], first["file"], first["line"], first["column"], first["where"]) == ("CEX012", "a b.yaml", 2, 4, ["rest", 0])
    assert (first["write"], second["write"]) == ("one of: path", None)


def test_github_annotations_are_escaped() -> None:
    assert render.github(ERROR) == "::error file=a b.yaml,line=2,col=4,title=CEX012::unknown key `pth`%0Awrite: one of: path"
    assert render.github(WARNING) == "::warning file=a%2Cb.yaml,line=1,col=1,title=CEX045::100%25 slow:%0Aline two"


def test_sarif_names_rules_places_and_repairs() -> None:
    log = json.loads(sarif([ERROR, WARNING, ERROR]))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == ["CEX012", "CEX045"]
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning"}
    first, second, _ = run["results"]
    assert (first["ruleId"], first["ruleIndex"], second["ruleIndex"]) == ("CEX012", 0, 1)
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a%20b.yaml"}, "region": {"startLine": 2, "startColumn": 4}}
    replacement = first["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement == {
        "deletedRegion": {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 7},
        "insertedContent": {"text": "path"},
    }
    assert "fixes" not in second
    assert second["message"]["text"] == "100% slow:\nline two"
