"""What a connection counts: the number that grows by one with every frame."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.compile.made_up import streaming

CHANNEL = {"one": {"match": {"$.e": "one"}, "returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.p"}}}
COUNTED: list[tuple[list[str], object, int | None]] = [
    (["$.n"], {"n": 7}, 7),
    (["$.n"], {"n": "7"}, None),
    (["$.n"], {"n": True}, None),
    (["$.n"], {"m": 7}, None),
    (["$.n", "$.m"], {"m": 8}, 8),
    (["$.n", "$.m"], {"n": None, "m": 8}, 8),
    (["$[-2]"], [5, "te", [1], 9, 100], 9),
    (["$[-2]"], [5], None),
]


@pytest.mark.parametrize(("paths", "frame", "number"), COUNTED)
def test_a_frame_is_counted_by_the_first_path_that_holds_an_integer(paths: list[str], frame: object, number: int | None) -> None:
    sequence = streaming(CHANNEL, sequence=paths).connection("public").sequence
    assert sequence is not None
    assert sequence(json.dumps(frame).encode()) == number
    with pytest.raises(msgspec.DecodeError):
        sequence(b"{")


def test_a_connection_without_such_a_number_counts_nothing() -> None:
    assert streaming(CHANNEL).connection("public").sequence is None
