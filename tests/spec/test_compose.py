"""YAML text to entries: scalars stay text, places are kept, hostile files are refused early."""

from __future__ import annotations

import time

import pytest
import yaml

from cexspec.spec import compose as module
from cexspec.spec.compose import MAX_BYTES, MAX_DEPTH, MAX_NODES, compose
from cexspec.spec.model.node import Plain
from cexspec.spec.source import Entry


def root(text: str) -> Entry:
    composed = compose(text, "a.yaml")
    assert composed.problems == []
    assert composed.root is not None
    return composed.root


def at(entry: Entry, *where: str | int) -> Entry:
    for step in where:
        inner = entry.child(step)
        assert inner is not None
        entry = inner
    return entry


@pytest.mark.parametrize("text", ["NO", "1:30", "010", "0.10", "1e3", "true", "null", "~", "2026-06-23", "0x1F", "1_000"])
def test_an_unquoted_scalar_is_plain_text(text: str) -> None:
    value = at(root(f"a: {text}"), "a").value
    assert value == text
    assert isinstance(value, Plain)


@pytest.mark.parametrize(
    ("written", "text"), [("'1'", "1"), ('"1"', "1"), ("!!str 1", "1"), ("|\n  x\n  y\n", "x\ny\n"), (">-\n  x\n  y\n", "x y"), ("''", "")]
)
def test_a_quoted_or_tagged_scalar_is_not_plain(written: str, text: str) -> None:
    value = at(root(f"a: {written}"), "a").value
    assert value == text
    assert not isinstance(value, Plain)


def test_every_key_and_value_knows_its_place() -> None:
    entry = root("a: 1\nb:\n  - x\n  - {c: d}\n")
    assert (at(entry, "a").key, at(entry, "a").at) == ((1, 1), (1, 4))
    assert (at(entry, "b").key, at(entry, "b").at) == ((2, 1), (3, 3))
    assert at(entry, "b", 1).key == (4, 5)
    assert (at(entry, "b", 1, "c").key, at(entry, "b", 1, "c").at) == ((4, 6), (4, 9))


def test_columns_count_characters() -> None:
    assert at(root('{é😀: "ü", b: c}'), "b").key == (1, 11)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a: 1\n" + "#" * MAX_BYTES, ["CEX007"]),
        ("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH, ["CEX008"]),
        ("[" * 500_000, ["CEX008"]),
        ("{a: " * 200_000, ["CEX008"]),
        ("a:\n" + "- x\n" * MAX_NODES, ["CEX009"]),
        ("", ["CEX011"]),
        ("a: \udc80", ["CEX002"]),
        ("a: \x00", ["CEX002"]),
        ("- a\n- \n", ["CEX024", "CEX011"]),
        ("a: !!map {b: c}\nd: !!set {e}\n", ["CEX004", "CEX024"]),
        ("? [x]\n: y\n", ["CEX010"]),
        ("a: *b\n", ["CEX005"]),
        ("a: 'x", ["CEX002"]),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_what_may_not_be_is_a_problem_and_found_at_once(text: str, rules: list[str]) -> None:
    before = time.perf_counter()
    assert [problem.rule for problem in compose(text, "a.yaml").problems] == rules
    assert time.perf_counter() - before < 60


def test_problems_know_where_they_are() -> None:
    (problem,) = compose("a:\n  - b: 1\n  - c: !x 2\n", "a.yaml").problems
    assert problem.where == ("a", 1, "c")
    assert str(problem) == "a.yaml:3:8: error CEX004: tag `!x`"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: {path: $.b[0].c}", "inside {...} quote a path"),
        ("a:\n\tb: c", "indent with spaces"),
        ("q: {a: x{{ id }}}", "a text that begins with a hole"),
        ("a: @b", "quote a text that holds"),
        ("a: 'b\nc: d", "quote a text that holds"),
        ("a: \x07", "printable text"),
    ],
)
def test_a_syntax_error_says_what_to_write(text: str, hint: str) -> None:
    composed = compose(text, "a.yaml")
    assert composed.root is None
    assert hint in composed.problems[-1].hint


def test_without_the_c_library_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: 1\nb: [x, 'y']\n"
    with_c = root(text)
    monkeypatch.setattr(module, "LOADER", yaml.SafeLoader)
    assert root(text) == with_c


def test_a_child_that_is_not_there_is_none() -> None:
    entry = root("a: [x]")
    assert entry.child("b") is None
    assert at(entry, "a").child(1) is None
    assert at(entry, "a").child("x") is None
    assert at(entry, "a", 0).child(0) is None
