"""What a process uses, sample by sample, and how it grows."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from math import ceil, floor, sqrt
from pathlib import Path
from statistics import median
from typing import Any, Self

PAGE = os.sysconf("SC_PAGE_SIZE")
CERTAIN = 1.96
"""Standard deviations that 95 % lie within."""
OLDEST = 2
"""The generation whose collection looks through everything."""


@dataclass(frozen=True)
class Sample:
    """Seconds since the beginning; bytes resident, blocks that Python's allocator has given out, open files, tasks, CPU seconds."""

    at: float
    memory: int
    blocks: int
    files: int
    tasks: int
    cpu: float


@dataclass(frozen=True)
class Trend:
    """How much something rises a second, and the bounds that it lies within, with a certainty of 95 %."""

    rise: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def times(self, factor: float) -> Trend:
        """The same in another unit."""
        return Trend(self.rise * factor, self.least * factor, self.most * factor)


class Pauses:
    """Collections of everything that Python keeps, as a context manager: how many, and the longest in seconds."""

    def __init__(self) -> None:
        self.count, self.longest, self._began = 0, 0.0, 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._told)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._told)

    def clear(self) -> None:
        """Begin anew."""
        self.count, self.longest = 0, 0.0

    def _told(self, phase: str, about: dict[str, Any]) -> None:
        if about["generation"] != OLDEST:
            return
        if phase == "start":
            self._began = time.monotonic()
        else:
            self.count += 1
            self.longest = max(self.longest, time.monotonic() - self._began)


def sample(start: float) -> Sample:
    """This process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    blocks, files, tasks = sys.getallocatedblocks(), len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
    return Sample(time.monotonic() - start, pages * PAGE, blocks, files, tasks, time.process_time())


class Samples:
    """Samples in order, not an object for each: what is measured here is measured as well."""

    def __init__(self) -> None:
        self._numbers = array("d")

    def append(self, one: Sample) -> None:
        """One more."""
        self._numbers.extend(astuple(one))

    def __iter__(self) -> Iterator[Sample]:
        rows = iter(self._numbers)
        for at, memory, blocks, files, tasks, cpu in zip(*[rows] * len(fields(Sample)), strict=True):
            yield Sample(at, int(memory), int(blocks), int(files), int(tasks), cpu)


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """How some points rise: the median of the slopes between any two of them (Theil and Sen), within its bounds.

    A step or a peak moves it little where least squares take it for a slope; a steady rise is the same to both. The bounds hold
    for noise in which one point tells nothing of the next.
    """
    count = len(points)
    slopes = sorted((y2 - y1) / (x2 - x1) for at, (x1, y1) in enumerate(points) for x2, y2 in points[at + 1 :] if x2 != x1)
    if not slopes:
        return Trend()
    spread = CERTAIN * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    least, most = floor((len(slopes) - spread) / 2), ceil((len(slopes) + spread) / 2)
    return Trend(median(slopes), slopes[max(0, least - 1)], slopes[min(len(slopes) - 1, most)])


def second_half(samples: Sequence[Sample], begin: float, end: float) -> list[Sample]:
    """The samples of the second half of a time."""
    half = begin + (end - begin) / 2
    return [one for one in samples if half <= one.at <= end]
