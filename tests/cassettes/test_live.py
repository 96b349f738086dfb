"""Recording from a venue: here one that is made up, on this machine, at the hosts its spec names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cexspec.client import Client
from cexspec.mock import MockVenue
from tests.cassettes.replay import payload, session
from tests.mock.test_made_up_venue import ERRORS, MESSAGES, SPEC
from tools.cassettes.calls import Call, StillClock, outcome
from tools.cassettes.folder import head_of, is_recorded, rest_path, ws_path
from tools.cassettes.recorder import Recorder
from tools.cassettes.rest import replaying

REQUESTS = [
    {"operation": "order_book", "call": {"symbol": "BTC/USDT"}},
    {"operation": "trades", "call": {"symbol": "BTC/USDT", "limit": 50}},
    {"operation": "tickers", "call": {}},
    {"channel": "trades", "call": {"symbol": "BTC/USDT"}},
]
OPERATIONS = ("order_book", "trades", "tickers")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    samples = tmp_path / "samples" / "made_up"
    samples.mkdir(parents=True)
    for name, cases in (("messages", MESSAGES), ("errors", ERRORS), ("requests", REQUESTS)):
        (samples / f"{name}.yaml").write_bytes(msgspec.json.encode(cases))
    path = tmp_path / "made_up.yaml"
    write(path, {"rest": "https://api.example.com", "ws": {"feed": "wss://feed.example.com"}})
    return path


def write(spec: Path, hosts: dict[str, Any]) -> None:
    """The part of the made-up venue that is recorded here, at these hosts."""
    text = yaml.load(SPEC, Loader=yaml.BaseLoader)  # as specs are read: `on` is a word
    text["environments"] = {"live": hosts}
    text["rest"] = {name: text["rest"][name] for name in OPERATIONS}
    text["ws"]["channels"] = {"trades": text["ws"]["channels"]["trades"]}
    spec.write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")


async def test_what_a_venue_says_is_recorded_and_replays(spec: Path, tmp_path: Path) -> None:
    async with MockVenue(str(spec), interval=0.01) as venue:
        write(spec, venue.environment)
        recorder = Recorder(str(spec), tmp_path / "cassettes")
        await recorder.record()
    assert recorder.failures == []
    for name in OPERATIONS:
        path = rest_path(tmp_path / "cassettes", "made_up", name)
        assert is_recorded(path)
        head = head_of(path)
        with replaying(path) as cassette:
            async with Client(spec, clock=StillClock(head["clock"])) as client:
                events = await Call(name, head["call"]).make(client)
        assert outcome(events) == {"count": head["count"], "first": head["first"]}
        assert cassette.all_played
    head, lines = session(ws_path(tmp_path / "cassettes", "made_up", "trades"))
    assert head["origin"].startswith("recorded ")
    assert head["count"] > 0
    assert [payload(line) for line in lines if line["direction"] == "out"] == [
        b'{"sub":"trades.BTC_USDT","id":"1"}',
        b'{"pong":7}',
        b'{"unsub":"trades.BTC_USDT","id":"2"}',
    ]


async def test_what_a_venue_refuses_is_told_and_leaves_no_file(spec: Path, tmp_path: Path) -> None:
    refused = [{"operation": "trades", "call": {"symbol": "NOP/USDT"}}, {"channel": "trades", "call": {"symbol": "NOP/USDT"}}]
    async with MockVenue(str(spec), interval=0.01) as venue:
        write(spec, venue.environment)
        (spec.parent / "samples" / "made_up" / "requests.yaml").write_bytes(msgspec.json.encode(REQUESTS[:1] + REQUESTS[2:3] + refused))
        recorder = Recorder(str(spec), tmp_path / "cassettes")
        await recorder.record()
    assert [failure.partition(": ")[::2][0] for failure in recorder.failures] == ["made_up trades", "made_up trades"]
    assert all("InvalidSymbol" in failure for failure in recorder.failures)
    assert not rest_path(tmp_path / "cassettes", "made_up", "trades").exists()
    assert not ws_path(tmp_path / "cassettes", "made_up", "trades").exists()
    assert rest_path(tmp_path / "cassettes", "made_up", "tickers").exists()
