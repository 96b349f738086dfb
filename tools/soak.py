"""A long run under load and faults: `make soak`, `make soak MINUTES=10 RATE=20000`, `python -m tools.soak --json`.

A load server of its own process sends trades of a thousand symbols and some books, in the dialect of a shipped exchange; every
20 seconds something breaks. The client must keep up, lose nothing that it doesn't tell of, and not grow. Exit code 0: every
bound held; 1: one didn't.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from dataclasses import asdict

from tests.soak.plan import FAULTS, Plan
from tests.soak.report import Bounds, figures, text, verdicts
from tests.soak.run import Seen, soak

NOTICED = 45.0
"""Seconds in which a connection that has gone silent is noticed and replaced: shorter runs have no such fault."""


def main(arguments: list[str] | None = None) -> int:
    """Run and report."""
    asked = _arguments(arguments)
    seconds = asked.minutes * 60
    quiet = min(60.0, seconds / 4)
    plan = Plan(
        seconds=seconds,
        rate=asked.rate,
        trades=asked.symbols,
        fault_every=asked.fault_every,
        warm_up=min(30.0, seconds / 10),
        quiet=quiet,
        faults=tuple(name for name in FAULTS if name != "silence" or quiet > NOTICED),
        seed=asked.seed,
        freeze=asked.freeze,
    )
    logging.getLogger("cexspec").setLevel(logging.CRITICAL)  # faults are meant to happen
    if not asked.json:
        print(f"{plan.rate:,} trades a second over {plan.trades} symbols for {plan.seconds:.0f} s", flush=True)
    return report(asyncio.run(soak(plan)), as_json=asked.json)


def report(seen: Seen, *, as_json: bool) -> int:
    """Print what was seen; 1 where a bound didn't hold."""
    lines = verdicts(seen, Bounds())
    if as_json:
        print(json.dumps({**figures(seen), "verdicts": [asdict(line) for line in lines]}, indent=1))
    else:
        print(text(seen, Bounds()))
    return 0 if all(line.passed for line in lines) else 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long")
    parser.add_argument("--rate", type=int, default=20_000, help="trades a second, over all symbols")
    parser.add_argument("--symbols", type=int, default=1_000, help="symbols with trades")
    parser.add_argument("--fault-every", type=float, default=20.0, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=1, help="which connection a fault hits")
    parser.add_argument("--freeze", action="store_true", help="call gc.freeze() once served, as docs/performance.md advises")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
