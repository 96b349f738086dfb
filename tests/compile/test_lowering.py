"""Lowered paths mean what jsonpath-ng means: over generated documents and paths, both find the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.ext import parse as jsonpath

from cexspec.compile.access import Scope
from cexspec.compile.paths import MISSING, Step, Wild, parse, show
from cexspec.compile.wire import Leaf, Wire

NAMES = st.sampled_from(["a", "b", "c", "class", "a-b", "x y", "0", "_p", "é", 'q"uote', "at1"])
LEAVES = st.one_of(st.integers(-9, 9), st.text("ab1.", max_size=3), st.booleans())
STEPS = st.lists(st.one_of(NAMES, st.integers(0, 3)), max_size=4)
PATHS = st.lists(st.one_of(NAMES, st.integers(-2, 3), st.sampled_from(list(Wild))), max_size=4)


@st.composite
def documents_with_paths(draw: st.DrawFn) -> tuple[object, list[tuple[Step, ...]]]:
    """A document grown around some paths, so that most of them lead somewhere."""
    document: object = {}
    paths: list[tuple[Step, ...]] = []
    for _ in range(draw(st.integers(1, 4))):
        steps = tuple(draw(STEPS)) or ("a",)
        document = _grown(document, steps, draw(LEAVES))
        paths.append(steps)
    return document, paths


def _grown(value: object, steps: tuple[Step, ...], leaf: object) -> object:
    """The document with `leaf` put at `steps` where what is there allows it."""
    if not steps:
        return leaf if isinstance(value, dict) and not value else value
    step = steps[0]
    if isinstance(step, int):
        if value == {}:
            value = []
        if not isinstance(value, list):
            return value
        value = [*value, *[{} for _ in range(step + 1 - len(value))]]
        value[step] = _grown(value[step], steps[1:], leaf)
        return value
    if isinstance(value, dict):
        value = {**value, step: _grown(value.get(str(step), {}), steps[1:], leaf)}
    return value


def typed_value(wire: Wire, decoded: Any, steps: tuple[Step, ...]) -> object:
    """What the generated access code reads."""
    scope = Scope(wire)
    scope.bind((), "m")
    code = scope.access((), parse(show(steps))).code
    return eval(code, {**scope.names, "m": decoded})


@given(documents_with_paths())
def test_typed_access_finds_what_jsonpath_finds(case: tuple[object, list[tuple[Step, ...]]]) -> None:
    document, paths = case
    wire = Wire()
    for steps in paths:
        wire.add(steps, Leaf.ANY, required=False)
    decoded = wire.decoder(wire.build()).decode(json.dumps(document).encode())
    for steps in paths:
        found = [match.value for match in jsonpath(show(steps)).find(document)]
        assert typed_value(wire, decoded, steps) == (found[0] if found else None), (show(steps), document)


@given(documents_with_paths(), PATHS)
def test_walked_steps_find_what_jsonpath_finds(case: tuple[object, list[tuple[Step, ...]]], steps: list[Step]) -> None:
    document, _ = case
    text = show(tuple(steps))
    expected = [match.value for match in jsonpath(text).find(document)]
    assert list(parse(text).find(document)) == expected


@given(PATHS)
def test_a_shown_path_reads_back(steps: list[Step]) -> None:
    path = parse(show(tuple(steps)))
    assert path.rest is not None or path.steps == tuple(steps)


def test_nothing_is_found_where_nothing_is() -> None:
    assert parse("$.a").first({"b": 1}) is MISSING
    assert repr(MISSING) == "MISSING"
