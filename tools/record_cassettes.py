"""Records cassettes/: what the real client asks and is answered, one file for each REST operation and each channel.
What is somebody's own is authored only, about an account on paper with a mock venue's credentials.

    python tools/record_cassettes.py                 # all shipped exchanges, authored: a mock venue under the real host names
    python tools/record_cassettes.py VENUE --live    # from the venue itself; needs a network
    python tools/record_cassettes.py --check         # only compares

Every file says in its first line whether it was authored or recorded; what was recorded from a venue is left alone by all
but `--live`. Secrets are filtered. Exit code 0: written or up to date; 1: out of date (with `--check`), or not all could
be recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cexspec.compile.exchange import compile_exchange  # noqa: E402 - run as a script, only tools/ is on the path
from cexspec.models import SpecError  # noqa: E402
from cexspec.spec.load import shipped  # noqa: E402
from tools.cassettes.folder import LEFT_OUT, replace, stale  # noqa: E402
from tools.cassettes.recorder import Recorder  # noqa: E402


def recorded(exchange: str, folder: Path, live: bool, check: bool) -> list[str]:
    """Record one exchange; what is wrong."""
    with tempfile.TemporaryDirectory() as made:
        try:
            recorder = Recorder(exchange, Path(made))
        except SpecError as error:
            return [str(error)]
        asyncio.run(recorder.record() if live else recorder.author())
        plan = compile_exchange(exchange)
        if check:
            return [*recorder.failures, *stale(Path(made), folder, plan)]
        print(f"{exchange}: {replace(Path(made), folder, plan, live=live)} files")
        for (_, kind, name), reason in ((key, reason) for key, reason in LEFT_OUT.items() if key[0] == plan.id):
            print(f"{exchange}: {kind} {name} is left out: {reason}")
        return recorder.failures


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("venues", nargs="*", metavar="VENUE", help="exchanges, or specs with samples beside them (default: all shipped)")
    parser.add_argument("--live", action="store_true", help="record from the venue itself")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    parser.add_argument("--out", type=Path, default=ROOT / "cassettes", help="the folder (default: cassettes)")
    given = parser.parse_args()
    if given.live and given.check:
        parser.error("--check compares what can be made again here: not with --live")
    venues = given.venues or shipped()
    with ProcessPoolExecutor() as pool:
        found = pool.map(recorded, venues, *(repeat(value) for value in (given.out, given.live, given.check)))
        problems = [problem for one in found for problem in one]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
