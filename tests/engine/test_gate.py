"""What keeps trades from being delivered twice: how long it remembers, and what that takes."""

from __future__ import annotations

import tracemalloc

import pytest

from cexspec.engine import gate as gate_module
from cexspec.engine.gate import IDS, Identified
from cexspec.models import Trade

ID = 7_000_000_000


def trade(number: int, symbol: str = "A/B") -> Trade:
    return Trade(exchange="x", symbol=symbol, id=str(ID + number), price=1.0, size=None, side=None)


@pytest.mark.parametrize(("shared", "remembered"), [(False, IDS), (True, 100 * IDS)])
def test_each_of_the_last_ids_passes_once(shared: bool, remembered: int) -> None:
    gate = Identified(shared)
    passed = 3 * remembered
    assert all(gate.passes(trade(number), None) for number in range(passed))
    assert not any(gate.passes(trade(number), None) for number in range(passed - remembered, passed))
    assert gate.knows(trade(passed - remembered)) and not gate.knows(trade(passed - remembered - 1))
    assert gate.passes(trade(passed - 1, "C/D"), None) is shared
    assert gate.passes(trade(passed - remembered - 2), None)


def test_what_is_remembered_of_one_symbol_takes_24_kib_beside_the_ids_however_many_come() -> None:
    """What the gate allocates is looked at, not what whoever measures coverage does."""
    gate, most, own = Identified(shared=False), 0, tracemalloc.Filter(inclusive=True, filename_pattern=gate_module.__file__)
    tracemalloc.start()
    try:
        for number in range(20 * IDS):
            gate.passes(trade(number), None)
            if number % 64 == 0:
                found = tracemalloc.take_snapshot().filter_traces([own]).statistics("filename")
                most = max(most, sum(one.size for one in found))
    finally:
        tracemalloc.stop()
    assert 8 * 1024 < most < 24 * 1024
