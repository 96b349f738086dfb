"""Lowered paths mean what jsonpath-ng means: over generated documents and paths, both find the same."""

from __future__ import annotations

import json
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.ext import parse as jsonpath

from cexspec.compile.access import Scope
from cexspec.compile.body import Surroundings
from cexspec.compile.conditions import value_predicate
from cexspec.compile.extract import compile_extractor
from cexspec.compile.hole import Hole
from cexspec.compile.instruments import InstrumentNames
from cexspec.compile.parts import Form
from cexspec.compile.paths import MISSING, Step, Steps, Wild, parse, show
from cexspec.compile.symbols import compile_symbols
from cexspec.compile.wire import Leaf, Wire
from cexspec.models import Event, Trade
from cexspec.spec.model import Condition, Mapping, Symbols
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position
from tests.compile.made_up import Notes

NAMES = st.sampled_from(["a", "b", "c", "class", "a-b", "x y", "0", "_p", "é", 'q"uote', "at1"])
LEAVES = st.one_of(st.integers(-9, 9), st.text("ab1.", max_size=3), st.booleans())
LEAF_OF = {str: Leaf.TEXT, int: Leaf.TEXT, bool: Leaf.BOOLEAN}
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


@given(documents_with_paths())
def test_typed_leaves_are_what_jsonpath_finds(case: tuple[object, list[tuple[Step, ...]]]) -> None:
    document, paths = case
    wire, expected = Wire(), {}
    for steps in paths:
        found = [match.value for match in jsonpath(show(steps)).find(document)]
        expected[steps] = found[0] if found else None
        wire.add(steps, LEAF_OF.get(type(expected[steps]), Leaf.ANY), required=False)
    decoded = wire.decoder(wire.build()).decode(json.dumps(document).encode())
    assert {steps: typed_value(wire, decoded, steps) for steps in paths} == expected


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


INSIDE = st.lists(st.one_of(NAMES, st.integers(0, 3)), max_size=3).map(tuple)
BESIDE = st.lists(st.sampled_from(["k", "l m", "n"]), min_size=1, max_size=2).map(tuple)
TEXTS = st.one_of(st.integers(-9, 9), st.text("ab1.", max_size=3))
HOLES = st.one_of(TEXTS, st.none())
SYMBOLS = compile_symbols(Symbols(formats={}, examples={}), (), Findings(lambda where: Position("spec.yaml", 1, 1)))
AROUND = Surroundings("venue", {}, Decimal, InstrumentNames(lambda: SYMBOLS, {}, [], (), Decimal), frozenset())
REST = {"price": {"const": "1"}, "size": {"const": "1"}, "side": {"const": "buy"}}


def trades(items: str, inside: Steps, document: object, symbol: object) -> list[tuple[str | None, str | None]]:
    """Symbol and id of the trades that a compiled mapping finds, id at `inside` of each item."""
    fields = {"symbol": symbol, "id": {"path": show(inside), "optional": True}, **REST}
    mapping = Mapping.model_validate({"returns": "trade", "items": items, "fields": fields})
    extractor = compile_extractor(mapping, "trade", Form(), AROUND)
    events: list[Event] = extractor.extract(Notes(), json.dumps(document).encode())
    return [(event.symbol, event.id) for event in events if isinstance(event, Trade)]


def test_code_is_made_when_the_first_message_comes() -> None:
    mapping = Mapping.model_validate({"returns": "trade", "item": "$", "fields": {"symbol": {"const": "X"}, "id": "$.i", **REST}})
    extractor = compile_extractor(mapping, "trade", Form(), AROUND)
    assert not {"wire_type", "decode", "extract"} & vars(extractor).keys()
    (event,) = extractor.extract(Notes(), b'{"i": "7"}')
    assert event.id == "7"  # type: ignore[attr-defined]
    assert extractor.extract is extractor.extract


def holding(steps: Steps, leaf: object) -> object:
    """A document with a leaf at some steps, or with a hole there."""
    if leaf is None:  # of an array the place is there, as any other would be: one without is no item
        return [None] * (steps[0] + 1) if steps and isinstance(steps[0], int) else {}
    return _grown({}, steps, leaf)


def text_at(document: object, steps: Steps) -> str | None:
    """The text that jsonpath-ng finds."""
    found = [match.value for match in jsonpath(show(steps)).find(document)]
    return str(found[0]) if found and found[0] is not None else None


@given(INSIDE, INSIDE, st.lists(HOLES, max_size=4))
def test_items_of_a_list_are_what_jsonpath_finds(head: Steps, inside: Steps, leaves: list[object]) -> None:
    rows = [holding(inside, leaf) for leaf in leaves if inside or leaf is not None]
    document = _grown({}, head, rows)
    items = [match.value for match in jsonpath(show((*head, Wild.ELEMENTS))).find(document)]
    assert items == rows
    expected = [("S", text_at(item, inside)) for item in items]
    assert trades(show((*head, Wild.ELEMENTS)), inside, document, {"const": "S"}) == expected


@given(INSIDE, BESIDE, st.lists(st.tuples(HOLES, st.lists(HOLES, max_size=3)), max_size=3))
def test_items_of_lists_in_a_list_are_what_jsonpath_finds(inside: Steps, beside: Steps, outer: list[tuple[object, list[object]]]) -> None:
    elements = []
    for leaf, leaves in outer:
        rows = [holding(inside, one) for one in leaves if inside or one is not None]
        element = holding(beside, None if leaf is None else f"S{leaf}")
        assert isinstance(element, dict)
        elements.append({**element, "rows": rows})
    document = {"data": elements}
    expected = [
        (text_at(match.value, beside), text_at(item, inside))
        for match in jsonpath("$.data[*]").find(document)
        for item in match.value["rows"]
    ]
    symbol = {"path": show(beside), "of": "parent", "optional": True}
    assert trades("$.data[*].rows[*]", inside, document, symbol) == expected


AFFIXES = st.text("ab.$\n", max_size=3)
TIMED = Mapping.model_validate({"returns": "server_time", "fields": {"timestamp": {"path": "$.at", "unit": "ms"}}})


@given(AFFIXES, AFFIXES, st.one_of(st.text("ab.$\n", max_size=9), st.integers(), st.none()))
def test_a_guarded_reader_refuses_texts_that_do_not_begin_and_end_so(start: str, end: str, value: object) -> None:
    condition = Condition(prefix=start, suffix=end) if start or end else Condition(prefix="a")
    extractor = compile_extractor(TIMED, "server_time", Form(), AROUND, {"$.t": condition})
    assert extractor.guarded
    frame = json.dumps({"t": value, "at": 5}).encode()
    with nullcontext() if value_predicate(condition)(value) else pytest.raises((msgspec.ValidationError, Hole)):
        assert len(extractor.extract(Notes(), frame)) == 1
