"""Commands: no option takes a secret, so that none is in the list of processes; a crash shows no locals."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from cexspec.cli.app import _load, app
from tests.secrets.planted import PLANTED, leaks

SPEC = Path(__file__).parents[1] / "registry" / "venue.yaml"
SECRET = re.compile(r"key|secret|pass|token|sign(?!s)|credential", re.IGNORECASE)
NAMES_ONLY = {"--credentials-env", "--keyring"}
"""Options that say where secrets are, not what they are."""
CRASH = """
import sys
import cexspec.cli
def broken(exchange, prefix, keyring):
    from cexspec.credentials import credentials_from_env
    credentials = dict(credentials_from_env("VENUE", ["api_key", "api_secret", "passphrase"]))
    raise RuntimeError("it broke")
import cexspec.cli._trading
cexspec.cli._trading.credentials_of = broken
sys.argv[0] = "cexspec"
cexspec.cli.main()
"""


def options(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every option and argument of a command and of those below it."""
    for parameter in command.params:
        yield from ((name, text) for text in [*parameter.opts, *parameter.secondary_opts])
    for below, inner in getattr(command, "commands", {}).items():
        yield from options(inner, f"{name} {below}")


def test_no_option_takes_a_secret() -> None:
    found = [pair for name in get_command(app).commands for pair in options(_load(name), name)]  # type: ignore[attr-defined]
    assert len(found) > 100
    assert [pair for pair in found if SECRET.search(pair[1]) and pair[1] not in NAMES_ONLY] == []


def test_a_crash_shows_a_traceback_without_locals() -> None:
    environ = {f"VENUE_{name.upper()}": value for name, value in PLANTED.items()}
    done = subprocess.run(
        [sys.executable, "-c", CRASH, "balances", str(SPEC)],
        capture_output=True, text=True, timeout=60, check=False, env={**environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 1 and "RuntimeError: it broke" in done.stderr
    assert leaks(done.stdout + done.stderr) == []
