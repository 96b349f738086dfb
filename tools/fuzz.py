"""Looks for inputs that make the library do what it must not: `make fuzz`, `make fuzz MINUTES=20`, `make fuzz SEED=7`.

Every target (frames, sessions, answers, specs...) gets an equal share of the time; then a table says how many inputs were
tried, and every failure comes with its input and the command that brings it back. The payloads that venues really sent join
in where `CEXSPEC_CORPUS` names them. Exit code 0: nothing found; 1: something was, or a target of that name isn't there.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings

from tests.fuzz.run import Outcome, fuzz
from tests.fuzz.targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Run and report."""
    asked = _arguments(arguments)
    warnings.simplefilter("ignore")  # inputs are large, and hypothesis would say so
    targets = [target for target in TARGETS if asked.target in ("", target.name)]
    if not targets:
        print(f"no target {asked.target!r}: {', '.join(target.name for target in TARGETS)}", file=sys.stderr)
        return 1
    share = asked.minutes * 60 / len(targets)
    print(f"{len(targets)} targets, {share:.0f} s each, seed {asked.seed}", flush=True)
    outcomes = []
    for target in targets:
        outcomes.append(fuzz(target, seed=asked.seed, seconds=share, memory=True))
        print(line(outcomes[-1]), flush=True)
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    for outcome in failed:
        print(f"\n{outcome.target}: again by  make fuzz TARGET='{outcome.target}' SEED={outcome.seed}\n{outcome.failure}")
    print(f"\n{sum(outcome.examples for outcome in outcomes)} inputs, {len(failed)} of {len(targets)} targets failed")
    return 1 if failed else 0


def line(outcome: Outcome) -> str:
    """One row of the table."""
    verdict = "FAILED" if outcome.failure is not None else "ok"
    rate = outcome.examples / outcome.seconds if outcome.seconds else 0.0
    return f"  {outcome.target:<14} {outcome.examples:>8} inputs  {rate:>7.0f}/s  {outcome.memory / 1024:>+7.1f} MB  {verdict}"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0, help="how long, in all")
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9 % 10**6, help="where to begin")
    parser.add_argument("--target", default="", help="one target alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
