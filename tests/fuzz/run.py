"""Runs fuzz targets: hypothesis makes the inputs, for so many examples or so long, from one seed."""

from __future__ import annotations

import resource
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.fuzz.oracle import in_time

SLICE = 300
"""Examples made from one seed; the next slice has the next seed."""

WIDTH, LINES = 1_500, 60
"""Characters and lines of a failure that are shown."""


@dataclass(frozen=True)
class Target:
    """Something that reads what others wrote. `check` raises where it does what it must not."""

    name: str
    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    slice: int = SLICE


@dataclass(frozen=True)
class Outcome:
    """What became of a target: the inputs tried, the seconds it took, and the seed that brings a failure back, if there was one.

    `memory`: by how many KiB the process has grown since each target's first slice warmed it up; 0 where it wasn't asked.
    """

    target: str
    examples: int
    seconds: float
    seed: int
    failure: str | None = None
    memory: int = 0


MAX_GROWTH = 400 * 1024
"""KiB by which a target may grow the process: caches and what hypothesis keeps, but nothing without a bound."""


def fuzz(target: Target, *, seed: int, seconds: float | None = None, examples: int = SLICE, memory: bool = False) -> Outcome:
    """Try so many examples, or as many as fit into a time; ends at the first failure, shrunk."""
    start, tried, number, grown, warm = time.monotonic(), 0, seed, 0, 0
    size = min(examples, target.slice)
    while True:
        count = [0]
        failure = _slice(target, number, size, count)
        tried += count[0]
        taken = time.monotonic() - start
        if memory:
            warm = warm or resident()
            grown = resident() - warm
            if failure is None and grown > MAX_GROWTH:
                failure = f"the process has grown by {grown // 1024} MB"
        if failure is not None or (tried >= examples if seconds is None else taken >= seconds):
            return Outcome(target.name, tried, taken, seed if failure is None else number, failure, grown)
        number += 1


def resident() -> int:
    """Memory of this process, in KiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() // 1024


def _slice(target: Target, number: int, size: int, count: list[int]) -> str | None:
    """The first failure of the examples of one seed."""

    @seeded(number)
    @settings(
        max_examples=size,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(target.inputs)
    def property_(value: Any) -> None:
        count[0] += 1
        with in_time():
            target.check(value)

    try:
        property_()
    except Exception as error:
        return _told(error)
    return None


def _told(error: Exception) -> str:
    """What failed where, and the input, on lines that can be looked at."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "hypothesis" not in frame.filename]
    notes = list(dict.fromkeys(getattr(error, "__notes__", ())))
    lines = "".join([*traceback.format_list(frames[-6:]), *traceback.format_exception_only(error)[:1], *notes]).splitlines()
    return "\n".join(line if len(line) <= WIDTH else f"{line[:WIDTH]}... ({len(line)} characters)" for line in lines[:LINES])
