"""Plain templates are read at a glance, as the grammar reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.written import Call, Expression, NoTemplate, Written, at_a_glance, by_grammar
from tests.exchanges.venue import EXCHANGES

PLAIN: list[tuple[str, Written]] = [
    ("{{ id }}", (Expression("id"),)),
    ("trades.{{ id }}", ("trades.", Expression("id"))),
    ("{{ base | lower }}_{{ quote }}\n", (Expression("base", None, (Call("lower"),)), "_", Expression("quote"), "\n")),
    ("{{ now | s | text }}", (Expression("now", None, (Call("s"), Call("text"))),)),
    ('{{ topics | join(", ") }}', (Expression("topics", None, (Call("join", (", ",)),)),)),
    ("{{ message.ping }}", (Expression("message", "ping"),)),
]
GRAMMAR = [
    *("{{id}}", "{{ id|lower }}", "{{ true }}", "{{ not id }}", "{{ id.x }}", "{{ id[0] }}", "{{ id(1) }}", "{{ a if b }}", "{{ \u00e9 }}"),
    *("{{ id }}{", "{ {{ id }} }", "{{{ id }}}", "a\r\n{{ id }}", "{% raw %}", "{# #}"),
    *("{{ topics | join(',') }}", "{{ id | f(x=1) }}", "{{ id | f(*x) }}"),
]
"""What takes the grammar to tell."""
PIECES = [
    *("{{ id }}", "{{ message.ping }}", "{{ id | lower }}", '{{ id | join(",") }}'),
    *("{{", "}}", "{", "}", " ", "|", "id", "is", ".", "\n", "\r", '"', "(", ")", "%", "#"),
]


@pytest.mark.parametrize(("text", "parts"), PLAIN)
def test_plain_holes_are_read_at_a_glance(text: str, parts: Written) -> None:
    assert at_a_glance(text) == by_grammar(text) == parts


@pytest.mark.parametrize("text", GRAMMAR)
def test_all_else_is_left_to_the_grammar(text: str) -> None:
    assert at_a_glance(text) is None


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_both_say_the_same(text: str) -> None:
    glance = at_a_glance(text)
    if glance is None:
        return
    try:
        assert glance == by_grammar(text)
    except NoTemplate as problem:
        raise AssertionError(f"{text!r} is no template: {problem}") from problem


def texts(node: object) -> Iterator[str]:
    """The texts in a document."""
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from texts(inner)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("path", sorted(EXCHANGES.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_shipped_needs_no_grammar(path: Path) -> None:
    """Its import takes longer than all templates of a venue."""
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert [text for text in texts(document) if "{{" in text and at_a_glance(text) is None] == []
