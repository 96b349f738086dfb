"""What a process uses, sample by sample, and how it grows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """Seconds since the beginning; bytes resident, open files, tasks, and seconds of CPU used."""

    at: float
    memory: int
    files: int
    tasks: int
    cpu: float


def sample(start: float) -> Sample:
    """This process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return Sample(time.monotonic() - start, pages * PAGE, files, len(asyncio.all_tasks()), time.process_time())


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The rise of the line through some points, by least squares; 0 where there are fewer than two."""
    if len(points) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - middle[0]) ** 2 for x, _ in points)
    return sum((x - middle[0]) * (y - middle[1]) for x, y in points) / spread if spread else 0.0


def growth(samples: Sequence[Sample], begin: float, end: float) -> float:
    """Bytes a second in the second half of a time."""
    half = begin + (end - begin) / 2
    return slope([(one.at, one.memory) for one in samples if half <= one.at <= end])
