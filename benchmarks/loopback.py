"""From the wire to the consumer over a real socket on loopback: what a frame costs the reading process in CPU time.

The server and each consumer are processes of their own, and the consumers take turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.firehose import Kind, server

REPETITIONS = 3
TIMEOUT = 120.0
"""Seconds for one consumer."""


@dataclass(frozen=True)
class Cost:
    """What reading costs: microseconds of CPU time a frame, and the share of events that reached the consumer."""

    microseconds: float
    seen: float


class Failed(Exception):
    """A consumer could not be measured; says why."""


def costs(kind: Kind, names: Sequence[str]) -> dict[str, Cost | Failed]:
    """Medians, by consumer."""
    taken: dict[str, list[Cost]] = {name: [] for name in names}
    failed: dict[str, Failed] = {}
    with server(kind) as port:
        for _ in range(REPETITIONS):
            for name in names:
                if name not in failed:
                    try:
                        taken[name].append(_cost(name, kind, port))
                    except Failed as failure:
                        failed[name] = failure
    return {name: failed.get(name) or _typical(taken[name]) for name in names}


def _typical(found: list[Cost]) -> Cost:
    return Cost(median(cost.microseconds for cost in found), median(cost.seen for cost in found))


def _cost(name: str, kind: Kind, port: int) -> Cost:
    command = [sys.executable, "-m", "benchmarks.consumers", name, kind, str(port)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except subprocess.CalledProcessError as error:
        raise Failed(error.stderr.strip().rpartition("\n")[2]) from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"it saw no end within {TIMEOUT:g} s") from error
    report = json.loads(done.stdout)
    return Cost(report["seconds"] / report["frames"] * 1e6, report["seen"] / report["frames"])
