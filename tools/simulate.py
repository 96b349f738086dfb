"""Explore seeds of the simulation: `python -m tools.simulate --seeds 1000`; see one again: `--seed 1234 --trace`.

A seed is a venue, its markets, a client with its consumers, and what goes wrong (`tests/simulation`); everything happens in
virtual time, so that it is the same whenever it is played. Exits with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.breakages import BREAKAGES, caught_by
from tests.simulation.cast import VENUES
from tests.simulation.scenario import Report, simulate
from tests.simulation.weather import LIKELY

TOTALS = ("steps", "events", "views", "gaps", "resyncs", "reconnects", "filled", "doubled", "stale", "rotations", "drops")
ENOUGH = 200
"""Seeds, over all venues, after which every kind of fault must have happened."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many seeds to explore (100)")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED", help="the first of them (0)")
    parser.add_argument("--venue", choices=VENUES, metavar="VENUE", help="one venue for all seeds: " + "; ".join(VENUES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one for each core)")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: show what happened, line by line")
    parser.add_argument("--breakages", action="store_true", help="break the engine in every known way: some seed must tell each")
    chosen = parser.parse_args(arguments)
    _quiet()
    if chosen.breakages:
        return breakages(chosen.jobs)
    if chosen.seed is not None:
        return replay(chosen.seed, chosen.venue, trace=chosen.trace)
    return explore(range(chosen.first, chosen.first + chosen.seeds), chosen.venue, chosen.jobs)


def replay(seed: int, venue: str | None, *, trace: bool) -> int:
    """Play one seed and say how it went."""
    report = simulate(seed, venue, trace=trace)
    for line in report.lines:
        print(line)
    print(f"seed {seed}, {report.venue}: digest {report.digest}, right again {report.recovery:.1f} s after the weather cleared")
    print(", ".join(f"{count} {name}" for name, count in {**report.totals, **report.faults}.items()))
    for lie in report.lies:
        print(f"BROKEN: {lie}")
    return bool(report.lies)


def explore(seeds: range, venue: str | None, jobs: int) -> int:
    """Play many seeds on all cores and sum up."""
    began, reports = time.monotonic(), list[Report]()
    for report in _played(seeds, venue, jobs):
        reports.append(report)
        if report.lies:
            print(f"BROKEN seed {report.seed} ({report.venue}): {report.lies[0][:300]}\n       {_again(report, venue)}", flush=True)
        if len(reports) % max(1, len(seeds) // 20) == 0:
            print(f"{len(reports)}/{len(seeds)} seeds, {time.monotonic() - began:.0f} s", flush=True)
    return _sum_up(reports, time.monotonic() - began, every=venue is None and len(seeds) >= ENOUGH)


def breakages(jobs: int) -> int:
    """Break the engine in each way, and see that a seed tells."""
    with ProcessPoolExecutor(jobs, initializer=_quiet) as pool:
        found = dict(zip(BREAKAGES, pool.map(caught_by, BREAKAGES), strict=True))
    for name, report in found.items():
        print(f"{name}: " + (f"seed {report.seed} ({report.venue}): {report.lies[0][:160]}" if report else "NOBODY NOTICES"))
    return not all(found.values())


def _played(seeds: range, venue: str | None, jobs: int) -> Iterator[Report]:
    play = partial(simulate, venue=venue)
    if jobs == 1:
        yield from map(play, seeds)
        return
    with ProcessPoolExecutor(jobs, initializer=_quiet) as pool:
        yield from pool.map(play, seeds, chunksize=5)


def _sum_up(reports: Sequence[Report], seconds: float, *, every: bool) -> int:
    failed = [report for report in reports if report.lies]
    faults, totals = Counter[str](), Counter[str]()
    for report in reports:
        faults.update(report.faults)
        totals.update(report.totals)
    print(f"\n{len(reports)} seeds in {seconds:.0f} s, {len(failed)} broken")
    print(", ".join(f"{totals[name]} {name}" for name in TOTALS))
    longest = max((report.recovery for report in reports if not report.lies), default=0.0)
    print(f"right again at most {longest:.1f} s after the weather cleared")
    for kind in LIKELY:
        print(f"  {faults[kind]:7d} {kind}")
    never = [kind for kind in (*LIKELY, *TOTALS) if not faults[kind] and not totals[kind]] if every else []
    if never:
        print(f"never happened: {', '.join(never)}")
    return bool(failed or never)


def _again(report: Report, venue: str | None) -> str:
    chosen = f" --venue '{venue}'" if venue is not None else ""
    return f"python -m tools.simulate --seed {report.seed}{chosen} --trace"


def _quiet() -> None:
    """The client's log would hold every break of a line."""
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main())
