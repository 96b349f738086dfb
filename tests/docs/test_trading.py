"""Every example runs, and what docs/trading.md shows can be done."""

from __future__ import annotations

import ast
import asyncio
import re
from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

import cexspec
from cexspec import Client
from cexspec.engine.trading.trade_client import VERBS, TradeClient
from cexspec.mock import MockVenue
from tests.docs import commands

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if path.stem != "here")
TEXT = (ROOT / "docs" / "trading.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
LIMIT = 30
"""Seconds for one example."""


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with asyncio.timeout(LIMIT):
        await import_module(f"examples.{name}").main()
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_named_in_the_document(name: str) -> None:
    assert f"(../examples/{name}.py)" in TEXT


@pytest.mark.parametrize("block", [block for block in BLOCKS if "await" in block], ids=range(sum("await" in block for block in BLOCKS)))
async def test_what_the_document_does_can_be_done(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At a mock venue, in the order of the document, each block with an account of its own."""
    names: dict[str, Any] = {**{name: getattr(cexspec, name) for name in cexspec.__all__}, "MockVenue": MockVenue}
    exec("async def shown(client):\n" + indent(block, "    "), names)  # the document is our own
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment, credentials=venue.credentials) as client:
        async with asyncio.timeout(LIMIT):
            await names["shown"](client)
        assert client.stats.rest.calls.get("ok", 0) > 1 or capsys.readouterr().out, "more than the instruments was asked for, or shown"


@pytest.mark.parametrize("block", [block for block in BLOCKS if "await" not in block])
def test_how_clients_are_made_is_right(block: str) -> None:
    """The arguments exist; credentials would come from elsewhere."""
    calls = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Client"]
    assert calls
    for call in calls:
        given = {str(keyword.arg): ast.unparse(keyword.value) for keyword in call.keywords}
        values: dict[str, Any] = {
            name: {"api_key": "k", "api_secret": "s", "passphrase": "p"} if value == "mine" else ast.literal_eval(value)
            for name, value in given.items()
        }
        assert Client("okx", **values).id == "okx"


def test_every_method_is_told_of() -> None:
    streams = [name for name in vars(TradeClient) if name.startswith("stream_")]
    assert [name for name in (*VERBS, *streams) if f"`{name}`" not in TEXT] == []


def test_the_commands_exist_and_take_these_options() -> None:
    lines = [line.split(" #")[0].split() for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    lines = [line for line in lines if line and line[0] == "cexspec"]
    assert len(lines) >= 6
    for _, *words in lines:
        commands.check(words)
