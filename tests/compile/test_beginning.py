"""What the first bytes of a frame tell of it, and readers that don't ask it again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cexspec.compile.beginning import Teller, texts
from cexspec.compile.paths import Steps
from cexspec.spec.model.conditions import Conditions

BEGINNINGS: dict[str, tuple[bytes, dict[tuple[str, ...], str]]] = {
    "nothing": (b"", {}),
    "no object": (b'["a","b"]', {}),
    "a member": (b'{"topic":"trades.BTC","type":"sna', {("topic",): "trades.BTC"}),
    "blanks between": (b'{ "topic" : "trades" , "type" : "snapshot" }', {("topic",): "trades", ("type",): "snapshot"}),
    "an object": (b'{"arg":{"channel":"trades","instId":"BTC', {("arg", "channel"): "trades"}),
    "after an object": (b'{"a":{"b":{"c":"1"}},"d":"2"}', {("a", "b", "c"): "1", ("d",): "2"}),
    "after numbers and words": (b'{"n":-1.5e3,"t":true,"z":null,"d":"2",', {("d",): "2"}),
    "a number that may go on": (b'{"n":12', {}),
    "an array ends it": (b'{"a":"1","b":[{"c":"2"}],"d":"3"}', {("a",): "1"}),
    "an empty object ends it": (b'{"a":"1","b":{},"d":"3"}', {("a",): "1"}),
    "an escaped letter ends it": (b'{"a":"1","b":"x\\"y","d":"3"}', {("a",): "1"}),
    "a name that is escaped ends it": (b'{"a":"1","\\u0062":"2"}', {("a",): "1"}),
    "no text begins": (b'{"a":"1","b', {("a",): "1"}),
    "other scripts": ('{"a":"Ω","b":"é"}'.encode(), {("a",): "Ω", ("b",): "é"}),
    "a letter cut in two": ('{"a":"1","b":"é'.encode()[:-1], {("a",): "1"}),
    "more ends than beginnings": (b'{"a":{"b":"1"}}}},"c":"2"}', {("a", "b"): "1", ("c",): "2"}),
}


@pytest.mark.parametrize(("beginning", "expected"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_texts_that_are_whole_are_found_with_their_places(beginning: bytes, expected: dict[tuple[str, ...], str]) -> None:
    assert dict(texts(beginning)) == expected


def leaves(document: Any, place: Steps = ()) -> dict[Steps, object]:
    if not isinstance(document, dict):
        return {place: document}
    return {inner: value for name, each in document.items() for inner, value in leaves(each, (*place, name)).items()}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4))


@given(st.dictionaries(st.text(), DOCUMENTS, max_size=4), st.integers(0, 120), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_nothing_is_told_that_the_whole_frame_does_not_say(
    document: dict[str, Any], length: int, ascii_only: bool, between: tuple[str, str]
) -> None:
    frame = json.dumps(document, ensure_ascii=ascii_only, separators=between).encode()
    said = leaves(document)
    for place, text in texts(frame[:length]):
        assert said[place] == text


@given(st.binary(max_size=60))
def test_any_bytes_have_a_beginning(beginning: bytes) -> None:
    assert all(place and text is not None for place, text in texts(beginning))


def conditions(**match: str | list[str] | dict[str, str]) -> Conditions:
    """As a spec writes them."""
    return TypeAdapter(Conditions).validate_python({f"$.{path}": condition for path, condition in match.items()})


FRAME = b'{"arg":{"channel":"trades","id":"BTC"},"n":7,"kind":"snapshot"}'
TOLD: dict[str, tuple[Conditions, tuple[str, ...], set[str]]] = {
    "a word": (conditions(channel="trades"), ("arg",), {"$.channel"}),
    "one of several words": (conditions(channel=["books", "trades"]), ("arg",), {"$.channel"}),
    "how a text begins and ends": (conditions(channel={"prefix": "tr", "suffix": "es"}), ("arg",), {"$.channel"}),
    "another word": (conditions(channel="books"), ("arg",), set()),
    "one of two conditions": (conditions(channel="trades", price="1"), ("arg",), {"$.channel"}),
    "elsewhere in the frame": (conditions(channel="trades"), (), set()),
    "a number": (conditions(n="7"), (), set()),
    "what is absent": (conditions(channel={"is": "absent"}), (), set()),
    "what the frame around it says": (conditions(channel={"value": "trades", "of": "frame"}), ("arg",), set()),
    "what comes later": (conditions(kind="snapshot"), (), {"$.kind"}),
}


@pytest.mark.parametrize(("match", "message", "expected"), TOLD.values(), ids=TOLD)
def test_conditions_are_told_by_the_texts_they_ask_for(match: Conditions, message: tuple[str, ...], expected: set[str]) -> None:
    teller = Teller(match, message)
    assert teller.told(FRAME) == expected
    assert teller.told(FRAME[:20]) == set()
