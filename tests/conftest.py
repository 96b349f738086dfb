"""What is shipped is read once in a run: specs, their plans and samples stay as they are, and thousands of tests begin with one."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import cexspec.spec.load as reading

UNTRACED = (
    "cassettes/test_replay.py",
    "conformance/",
    "differential/",
    "engine/test_bad_input.py",
    "engine/test_nothing_interpreted.py",
    "engine/test_simulation.py",
    "faults/",
    "fuzz/",
    "packaging/",
    "signing/test_unified.py",
    "soak/",
    "test_samples.py",
)
"""Long plays on much data. Coverage is measured without them: traced they take longer than all others, whose lines they repeat."""
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is no failure
SHIPPED = Path(__file__).parents[1] / "exchanges"
_load = reading.load
_loaded = cache(_load)
reading.load = lambda path: _loaded(path) if path.parent == SHIPPED else _load(path)

# each of these takes names from the one before: they are imported, and by nobody earlier, once that has its new one

import cexspec.compile.exchange as compiling  # noqa: E402

_compile = compiling.compile_exchange
_compiled = cache(_compile)


def _compile_once(exchange: str, number: type[Decimal] | type[float] = Decimal) -> compiling.Exchange:
    once = exchange in SHIPPED_IDS
    return _compiled(exchange, number) if once else _compile(exchange, number)  # type: ignore[arg-type]  # classes can be hashed


SHIPPED_IDS = frozenset(reading.shipped())
compiling.compile_exchange = _compile_once

import cexspec.mock.samples as sampling  # noqa: E402

_read_cases = sampling.read_cases
_read_once = cache(_read_cases)
sampling.read_cases = lambda path: _read_once(path) if SHIPPED in path.parents else _read_cases(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that coverage is measured without."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(UNTRACED):
            item.add_marker(pytest.mark.no_cover)
