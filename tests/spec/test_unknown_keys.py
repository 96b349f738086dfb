"""Closed keys everywhere: whatever key is added to any node of a shipped spec is exactly one problem there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.spec.extends import resolve as resolve_text
from cexspec.spec.load import ROOT, check, find, shipped
from cexspec.spec.shape import NodeOf, Shape, children, fields, is_note, resolve
from cexspec.spec.source import Entry, Source, Where


def nodes(shape: Shape, entry: Entry, where: Where = ()) -> Iterator[tuple[Where, NodeOf]]:
    shape = resolve(shape, entry)
    if isinstance(shape, NodeOf) and isinstance(entry.value, dict):
        yield where, shape
    for key, inner_shape, inner in children(shape, entry):
        if not is_note(shape, str(key)):
            yield from nodes(inner_shape, inner, (*where, key))


def with_key(entry: Entry, where: Where, key: str) -> Entry:
    if not where:
        assert isinstance(entry.value, dict)
        return entry._replace(value={**entry.value, key: Entry("x", "x.yaml", (9999, 1), (9999, 5))})
    inner = entry.child(where[0])
    assert inner is not None
    changed = with_key(inner, where[1:], key)
    if isinstance(entry.value, list):
        return entry._replace(value=[changed if index == where[0] else one for index, one in enumerate(entry.value)])
    assert isinstance(entry.value, dict)
    return entry._replace(value={**entry.value, str(where[0]): changed})


@pytest.mark.parametrize("exchange", shipped())
def test_an_unknown_key_is_one_problem_where_it_stands(exchange: str) -> None:
    path = find(exchange)
    source, _ = resolve_text(path.read_text(encoding="utf-8"), path, path.parent)
    assert source is not None
    root = source.root
    places = list(nodes(ROOT, root))
    assert len(places) > 50

    @settings(max_examples=60)
    @given(st.sampled_from(places), st.from_regex(r"[a-z_]{1,12}", fullmatch=True))
    def inserted(place: tuple[Where, NodeOf], key: str) -> None:
        where, shape = place
        if key in fields(shape.model):
            return
        _, problems = check(Source(with_key(root, where, key), {}))
        assert [(problem.rule, problem.where, problem.position.line) for problem in problems] == [("CEX012", (*where, key), 9999)]

    inserted()
