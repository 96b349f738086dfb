"""What starting costs, each measurement in a fresh interpreter: imports, the console command, compiling a venue.

The best of several counts: whatever else the machine does only ever takes longer.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

REPETITIONS = 9

_TIMED = "import time; start = time.process_time(); {timed}; print(time.process_time() - start)"
_PREPARED = "import time; {before}; start = time.process_time(); {timed}; print(time.process_time() - start)"
_COMPILER = "from cexspec.compile.exchange import Exchange; from cexspec.spec.load import find, load"
_COMPILE = "plan = Exchange(load(find('{venue}')))"
_ALL = "[plan.operation(name) for name in plan.operation_names]; [plan.connection(name) for name in plan.connection_names]"


def importing(statement: str) -> float:
    """Seconds of the processor that an import statement takes."""
    return _best(lambda: _inside(_TIMED.format(timed=statement)))


def compiling(venue: str) -> float:
    """Seconds of the processor from the YAML file to a plan with every operation, channel and connection compiled."""
    return _best(lambda: _inside(_PREPARED.format(before=_COMPILER, timed=f"{_COMPILE.format(venue=venue)}; {_ALL}")))


def compiling_one(venue: str, channel: str) -> float:
    """Seconds of the processor from the YAML file to one channel that can be subscribed: what a client waits for."""
    timed = f"{_COMPILE.format(venue=venue)}; plan.channel('{channel}')"
    return _best(lambda: _inside(_PREPARED.format(before=_COMPILER, timed=timed)))


def command(*arguments: str) -> float:
    """Seconds on the clock of a whole run of the console command, the interpreter's own start included."""
    return _best(lambda: _whole([sys.executable, "-m", "cexspec", *arguments]))


def _best(measure: Callable[[], float]) -> float:
    measure()  # fills the caches of the file system and of compiled bytecode
    return min(measure() for _ in range(REPETITIONS))


def _inside(code: str) -> float:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(result.stdout)


def _whole(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, capture_output=True, check=True)
    return time.perf_counter() - start
