"""The commands on one's own account, on paper."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from cexspec.cli.app import app
from tests.engine.paper.conftest import Start


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["order", "place", "okx", "BTC/USDT", "buy", "0.01"], {"symbol": "BTC/USDT", "side": "buy", "status": "filled"}),
        (["balances", "okx", "USDT"], {"currency": "USDT", "total": "100000"}),
    ],
    ids=["order", "balances"],
)
async def test_commands_trade_on_paper(paper: Start, words: list[str], expected: dict[str, Any]) -> None:
    there = await paper()
    environment = json.dumps({**there.venue.environment, "paper": True})
    command = (sys.executable, "-m", "cexspec", *words, "--json", "--environment", environment)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    (told,) = [json.loads(line) for line in out.splitlines()]
    assert {name: told[name] for name in expected} == expected
    assert b"LIVE" not in err


def test_there_is_no_dry_run_on_paper() -> None:
    result = CliRunner().invoke(app, ["order", "place", "okx", "BTC/USDT", "buy", "0.01", "--dry-run", "--environment", "paper"])
    assert result.exit_code == 2 and "nothing is signed" in result.output
