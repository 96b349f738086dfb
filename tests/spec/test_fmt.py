"""The one spelling: order, short forms, quotes, layout; comments stay, meaning stays, twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.models import SpecError
from cexspec.spec import fmt as module
from cexspec.spec.compose import compose
from cexspec.spec.fmt import format_text, meaning
from cexspec.spec.load import ROOT, find, load_text, shipped
from cexspec.spec.model.node import Plain
from cexspec.spec.scalars import block, write
from cexspec.spec.source import Entry

BAD = sorted((Path(__file__).parents[1] / "specs_bad").glob("*.yaml"))
READABLE = [path for path in BAD if path.name != "not_utf8.yaml" and not compose(path.read_text(encoding="utf-8"), "").problems]
FILES = [*READABLE, *(find(name) for name in shipped())]


def cases() -> dict[str, tuple[str, str]]:
    _, *parts = (Path(__file__).parent / "fmt_cases.txt").read_text(encoding="utf-8").split("===== ")
    named = (part.partition("\n") for part in parts)
    return {name: (text.partition("-----\n")[0], text.partition("-----\n")[2]) for name, _, text in named}


CASES = cases()


@pytest.mark.parametrize("case", CASES)
def test_the_one_spelling(case: str) -> None:
    text, expected = CASES[case]
    assert format_text(text, "a.yaml") == expected
    assert format_text(expected, "a.yaml") == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_formatting_twice_changes_nothing_and_meaning_stays(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    formatted = format_text(text, path.name)
    assert format_text(formatted, path.name) == formatted
    before, after = compose(text, "").root, compose(formatted, "").root
    assert before is not None
    assert after is not None
    assert meaning(ROOT, before) == meaning(ROOT, after)
    assert sorted(comments(text)) == sorted(comments(formatted))


def comments(text: str) -> list[str]:
    return [line[line.index("#") :].strip() for line in text.split("\n") if line.lstrip().startswith("#") or " # " in line]


@pytest.mark.parametrize("exchange", shipped())
def test_a_shipped_spec_loads_the_same_after_formatting(exchange: str) -> None:
    path = find(exchange)
    text = path.read_text(encoding="utf-8")
    before, after = load_text(text, folder=path.parent).spec, load_text(format_text(text, exchange), folder=path.parent).spec
    assert before.model_dump(exclude_unset=True) == after.model_dump(exclude_unset=True)


@settings(max_examples=25)
@given(st.data())
def test_comments_anywhere_stay_and_are_stable(data: st.DataObject) -> None:
    lines = format_text(find(data.draw(st.sampled_from(shipped()))).read_text(encoding="utf-8"), "a").split("\n")
    for number in range(data.draw(st.integers(1, 6))):
        index = data.draw(st.integers(0, len(lines) - 1))
        column = data.draw(st.integers(0, 8))
        if data.draw(st.booleans()) and lines[index] and "#" not in lines[index]:
            lines[index] += f" # behind {number}"
        else:
            lines.insert(index, " " * column + f"# alone {number}")
            lines[index:index] = [""] * data.draw(st.integers(0, 2))
    text = "\n".join(lines)
    once = format_text(text, "a")
    assert sorted(comments(once)) == sorted(comments(text))
    assert format_text(once, "a") == once


ANY = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
TEXTS = ANY | st.text("#:-?,[]{}&*!|>'\"%@` \t\nab0.", max_size=8)
TREES = st.recursive(
    TEXTS.filter(lambda text: "\r" not in text), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


@settings(max_examples=300)
@given(TREES)
def test_any_tree_is_written_so_that_it_reads_the_same(tree: object) -> None:
    root = _entry({"rest": {"t": {"body": tree}}})
    again = compose(module.written(root), "a")
    assert again.root is not None, again.problems
    assert meaning(ROOT, again.root) == meaning(ROOT, root)


def _entry(value: object) -> Entry:
    if isinstance(value, dict):
        return Entry({key: _entry(inner) for key, inner in value.items() if key != "<<"}, "a", (1, 1), (1, 1))
    if isinstance(value, list):
        return Entry([_entry(inner) for inner in value], "a", (1, 1), (1, 1))
    assert isinstance(value, str)
    return Entry(value, "a", (1, 1), (1, 1))


@pytest.mark.parametrize(
    ("text", "flow", "tree", "written"),
    [
        ("a,b", False, False, "a,b"),
        ("a,b", True, False, '"a,b"'),
        ("-1", True, True, '"-1"'),
        (Plain("-1"), True, True, "-1"),
        ("-", False, False, '"-"'),
        ("null", False, False, '"null"'),
        (Plain("null"), False, False, "null"),
        ("a\u2028\U0001f600\x7f", False, False, '"a\\u2028\U0001f600\\x7f"'),
        ("---", False, False, '"---"'),
        ("a:", False, False, '"a:"'),
        ("a #b", False, False, '"a #b"'),
        ("\\", False, False, "\\"),
        ("[\\d]", False, False, "'[\\d]'"),
        ("[" * 100_000, False, True, '"' + "[" * 100_000 + '"'),
    ],
)
def test_how_a_text_is_written(text: str, flow: bool, tree: bool, written: str) -> None:
    assert write(text, flow=flow, tree=tree) == written


@pytest.mark.parametrize(
    ("text", "lines"), [("a", None), ("a\nb", ["|-", "a", "b"]), ("a\n", ["|", "a"]), (" a\nb", None), ("a\n\n", None), ("a\n \nb", None)]
)
def test_texts_of_several_lines(text: str, lines: list[str] | None) -> None:
    assert block(text) == lines


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "- a"])
def test_what_is_no_yaml_of_a_spec_is_left_alone(text: str) -> None:
    with pytest.raises(SpecError, match="CEX0"):
        format_text(text, "a.yaml")


def test_a_text_that_would_change_its_meaning_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "layout", lambda item: ["id: other"])
    with pytest.raises(SpecError, match="would not mean the same"):
        format_text("id: a\n", "a.yaml")


def test_windows_line_ends_and_marks_go() -> None:
    assert format_text("\ufeffid: a\r\nname: b\r\n", "a") == "id: a\nname: b\n"
