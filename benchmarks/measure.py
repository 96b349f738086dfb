"""Times readers on the same frames, in turns, after checking that they read the same."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping

from benchmarks.frames import Frames
from benchmarks.readers import Reader

REPETITIONS = 25

Factory = Callable[[Frames], Reader]


async def microseconds(frames: Frames, factories: Mapping[str, Factory]) -> dict[str, float]:
    """Microseconds of the processor a frame, by reader.

    Each repetition builds every reader anew (maintained books drop updates they know) and lets them take turns. The best turn of each
    counts: whatever else the machine does only ever takes longer.
    """
    for name, factory in factories.items():
        reader = factory(frames)
        check(name, frames, reader)
        await reader.close()
    best = dict.fromkeys(factories, float("inf"))
    for _ in range(REPETITIONS):
        for name, factory in factories.items():
            reader = factory(frames)
            best[name] = min(best[name], timed(reader.read, frames.data))
            await reader.close()
    return best


def check(name: str, frames: Frames, reader: Reader) -> None:
    """Raises AssertionError where a reader saw other prices or sizes than the frames hold."""
    for number, (frame, rows) in enumerate(zip(frames.data, frames.rows, strict=True)):
        seen = reader.seen(reader.read(frame))
        wanted = sorted((float(price), float(size)) for price, size in rows)
        if seen is not None and seen != wanted:
            raise AssertionError(f"{name} read frame {number} of {frames.name} as {seen[:3]}..., it holds {wanted[:3]}...")


def timed(read: Callable[[bytes], object], data: Iterable[bytes]) -> float:
    """Microseconds of the processor a frame."""
    frames = list(data)
    gc.collect()  # nobody pays for what others leave behind
    start = time.thread_time_ns()
    for frame in frames:
        read(frame)
    return (time.thread_time_ns() - start) / len(frames) / 1000
