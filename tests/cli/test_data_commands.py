"""The commands that show exchanges and their data, as a person or a script runs them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cexspec.cli._capabilities import CALLS, STREAMS
from cexspec.cli._demo import watched
from cexspec.cli._exchange import complete
from cexspec.cli._output import clock_time, event_tables, shown
from cexspec.cli._view import view_of
from cexspec.cli.app import app
from cexspec.engine.rest_client import RestClient
from cexspec.engine.stream_client import StreamClient
from cexspec.models import Book, Event, Gap, Liquidation, MarketEvent, Ticker, Trade
from tests.exchanges.venue import IDS

Environment = Callable[[str], str]
TIME = 1_790_000_000_123_000_000


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if stdout were a terminal."""
    for module in ("get", "stream", "explain", "demo"):
        monkeypatch.setattr(f"cexspec.cli.{module}.for_people", lambda as_json=False: not as_json)


def test_the_capabilities_are_the_clients_own() -> None:
    assert [f"get_{name}" for name in CALLS] == [name for name in vars(RestClient) if name.startswith("get_")]
    assert [f"stream_{name}" for name in STREAMS] == [name for name in vars(StreamClient) if name.startswith("stream_")]


def test_list_names_every_exchange() -> None:
    table = run("list").stdout
    assert all(name in table for name in ("okx", "binance", "bitfinex", "spot, perpetual"))
    assert [one["id"] for one in json.loads(run("list", "--json").stdout)] == IDS


@pytest.mark.parametrize("name", ["okx", "binance", "bitfinex", "hyperliquid"])
def test_info_tells_what_is_offered(name: str) -> None:
    (found,) = lines(run("info", name, "--json"))
    assert found["rest"]["ticker"] and found["streams"]["trades"]
    assert set(found["rest"]) == set(CALLS)
    assert found["environments"]["live"]["rest"].startswith("https://")
    assert found["limits"]
    table = run("info", name).stdout
    assert all(word in table for word in ("Environments", "Offered", "Limits", "lines of", "https://"))


def test_info_tells_what_is_polled() -> None:
    (found,) = lines(run("info", "binance_usdm", "--json"))
    assert found["streams"]["open_interest"] and found["polled"] == {"open_interest": 5.0}
    assert "polled every 5s" in run("info", "binance_usdm").stdout


def test_explain_shows_the_plan(terminal: None) -> None:
    shown_on_terminal = run("explain", "okx", "trades").stdout
    assert all(word in shown_on_terminal for word in ("WS trades", "wire type", "extractor", "BTC-USDT"))


def test_explain_is_plain_elsewhere() -> None:
    assert "\x1b" not in run("explain", "okx", "trades").stdout


CALLED = [
    ("okx", ["ticker", "BTC/USDT"], 1, "ticker"),
    ("okx", ["server_time"], 1, "server_time"),
    ("okx", ["tickers", "BTC/USDT"], 1, "ticker"),
    ("okx", ["order_book", "BTC-USDT", "--depth", "5"], 1, "book"),
    ("okx", ["candles", "BTC/USDT", "--interval", "1m", "--limit", "700"], 700, "candle"),
    ("okx", ["instruments", "--param", "instType=SPOT"], None, "instrument"),
    ("binance", ["candles", "BTC/USDT", "--interval", "1h", "--start", "2026-08-01", "--end", "2026-08-02"], 24, "candle"),
    ("binance", ["last_price", "BTC/USDT"], 1, "ticker"),
    ("bitfinex", ["trades", "BTC/USDT", "--limit", "7", "--number", "float"], 7, "trade"),
]


@pytest.mark.parametrize(("name", "arguments", "count", "model"), CALLED)
def test_get_prints_one_line_for_each_event(
    name: str, arguments: list[str], count: int | None, model: str, environment: Environment
) -> None:
    found = lines(run("get", name, *arguments, "--environment", environment(name)))
    assert {line["type"] for line in found} == {model}
    assert count is None or len(found) == count


def test_get_shows_tables_on_a_terminal(environment: Environment, terminal: None) -> None:
    reach = ["--environment", environment("okx")]
    assert "bid_size" in run("get", "okx", "ticker", "BTC/USDT", *reach).stdout
    assert "ask size" in run("get", "okx", "order_book", "BTC/USDT", *reach).stdout
    assert "base_volume" in run("get", "okx", "candles", "BTC/USDT", "--interval", "1m", "--limit", "3", *reach).stdout
    assert run("get", "okx", "ticker", "BTC/USDT", "--json", *reach).stdout.startswith("{")


def test_stream_prints_lines_until_the_count(environment: Environment) -> None:
    found = lines(run("stream", "okx", "trades", "BTC/USDT", "ETH/USDT", "--count", "5", "--environment", environment("okx")))
    assert [line["type"] for line in found] == ["trade"] * 5
    assert {line["symbol"] for line in found} <= {"BTC/USDT", "ETH/USDT"}


def test_stream_ends_after_its_duration(environment: Environment) -> None:
    began = time.monotonic()
    found = lines(
        run("stream", "binance", "candles", "BTC/USDT", "--interval", "1m", "--duration", "1.5", "--environment", environment("binance"))
    )
    assert found
    assert time.monotonic() - began < 15


def test_stream_takes_a_channel_by_its_own_name(environment: Environment) -> None:
    found = lines(run("stream", "okx", "all_trades", "BTC/USDT", "--count", "1", "--environment", environment("okx")))
    assert found[0]["type"] == "trade"


def test_stream_records_every_frame(environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    told = json.loads(environment("okx"))
    told["ws"] = {name: f"{url}?token=planted" for name, url in told["ws"].items()}
    run("stream", "okx", "trades", "BTC/USDT", "--count", "2", "--environment", json.dumps(told), "--record-frames", str(path))
    text = path.read_text(encoding="utf-8")
    frames = [json.loads(line) for line in text.splitlines()]
    assert [frame["direction"] for frame in frames[:3]] == ["connect", "out", "in"]
    assert frames[-1]["direction"] == "disconnect"
    assert "planted" not in text


def test_stream_tells_where_frames_can_not_be_written(environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "frames.jsonl"
    result = run("stream", "okx", "trades", "BTC/USDT", "--environment", environment("okx"), "--record-frames", str(path))
    assert result.exit_code == 2
    assert "No such file" in result.stderr


@pytest.mark.parametrize("stream", ["trades", "order_book", "ticker"])
def test_stream_shows_a_live_table_on_a_terminal(stream: str, environment: Environment, terminal: None) -> None:
    result = run("stream", "okx", stream, "BTC/USDT", "--count", "5", "--environment", environment("okx"))
    assert result.exit_code == 0
    assert "BTC/USDT" in result.stdout


FAILING = [
    (["get", "nope", "ticker"], 2, "unknown exchange"),
    (["get", "okx", "nothing"], 2, "no operation 'nothing'"),
    (["get", "okx", "ticker", "BTC/USDT", "--environment", "nowhere"], 2, "no environment 'nowhere'"),
    (["get", "okx", "ticker", "BTC/USDT", "--environment", "{"], 2, "JSON is broken"),
    (["get", "okx", "ticker", "BTC/USDT", "--environment", '{"http": "x"}'], 2, "environment has the keys"),
    (["get", "okx", "ticker", "BTC/USDT", "--param", "novalue"], 2, "is not KEY=VALUE"),
    (["get", "okx", "ticker", "NOP/USDT", "--environment", "MOCK"], 1, "InvalidSymbol: okx ticker: [51"),
    (["get", "okx", "candles", "BTC/USDT", "--interval", "1m", "--start", "someday", "--environment", "MOCK"], 1, "start is no ISO time"),
    (["get", "okx", "ticker", "BTC/USDT", "--environment", '{"rest": "http://127.0.0.1:9"}'], 1, "NetworkError"),
    (["stream", "okx", "nothing", "BTC/USDT", "--environment", "MOCK"], 2, "nothing"),
    (["stream", "okx", "candles", "BTC/USDT", "--environment", "MOCK"], 2, "candles needs --interval"),
    (["stream", "okx", "ticker", "BTC/USDT", "--depth", "5", "--environment", "MOCK"], 2, "ticker takes no --depth"),
    (["stream", "okx", "ticker", "NOP/USDT", "--environment", "MOCK"], 1, "InvalidSymbol: okx: [60018]"),
    (["explain", "okx", "nothing"], 2, "no operation or channel 'nothing'"),
    (["info", "okz"], 2, "did you mean `okx`"),
    (["mock", "nope"], 2, "unknown exchange"),
    (["mock", "okx", "--fault", "explode"], 2, "no fault is 'explode'"),
    (["mock", "okx", "--fault", "close:code=soon"], 2, "no fault is 'close:code=soon'"),
    (["demo", "--exchanges", "nope"], 2, "unknown exchange"),
    (["demo", "--seconds", "60"], 2, "--seconds"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), FAILING)
def test_failures_are_told_on_stderr_with_their_exit_code(arguments: list[str], code: int, message: str, environment: Environment) -> None:
    result = run(*[environment("okx") if word == "MOCK" else word for word in arguments])
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_broken_spec_is_told_with_its_lines(tmp_path: Any) -> None:
    spec = tmp_path / "broken.yaml"
    spec.write_text("cexspec: 1\nid: broken\nnonsense: 1\n", encoding="utf-8")
    result = run("info", str(spec))
    assert result.exit_code == 1
    assert f"{spec}:3:1: error" in result.stderr


def test_the_demo_shows_every_exchange_and_sums_up() -> None:
    *events, last = lines(run("demo", "--seconds", "1"))
    summary = last["summary"]
    assert summary["ok"]
    assert {venue["exchange"] for venue in summary["venues"]} == set(IDS)
    for venue in summary["venues"]:
        assert min(venue["tickers"], venue["trades"], venue["books"]) > 0
        assert (venue["decode_errors"], venue["unrouted"], venue["gaps"], venue["problems"]) == (0, 0, 0, [])
        assert 0 < venue["latency_p50_us"] <= venue["latency_p99_us"]
    assert {event["type"] for event in events} == {"ticker", "trade", "book"}


async def test_what_waits_as_the_demo_closes_is_not_shown() -> None:
    seen: list[Event] = []
    async with watched("okx", seed=1, interval=0.01, show=seen.append) as venue:
        while not venue.complete:
            await asyncio.sleep(0.01)
        late = seen[-1]
    before = len(seen)
    venue.take(late)
    assert (len(seen), venue.summary()["events"]) == (before, before)


def test_the_demo_has_a_view_for_people(terminal: None) -> None:
    result = run("demo", "--seconds", "1", "--exchanges", "okx")
    assert result.exit_code == 0
    assert "everything fine" in result.stdout


def test_the_demo_fails_where_an_exchange_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cexspec.cli._demo.STREAMS", ("ticker",))
    monkeypatch.setattr("cexspec.cli.demo.PATIENCE", 0.1)
    result = run("demo", "--seconds", "1", "--exchanges", "okx")
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["summary"]["ok"] is False


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cexspec", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_mock_and_stream_end_cleanly_when_told_to(number: signal.Signals) -> None:
    mock = started("mock", "okx", "--json", "--interval", "0.02")
    assert mock.stdout is not None
    found = json.loads(mock.stdout.readline())
    stream = started("stream", "okx", "trades", "BTC/USDT", "--environment", json.dumps(found["environment"]))
    assert stream.stdout is not None
    assert json.loads(stream.stdout.readline())["type"] == "trade"
    for process in (stream, mock):
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")
        assert time.monotonic() - began < 3


def test_mock_says_how_to_connect() -> None:
    mock = started("mock", "okx", "--symbol", "ADA/USDT")
    assert mock.stdout is not None
    said = "".join(mock.stdout.readline() for _ in range(4))
    mock.send_signal(signal.SIGINT)
    mock.communicate(timeout=10)
    assert "listens at http://127.0.0.1:" in said
    assert "ADA/USDT" in said
    assert "--environment '{" in said
    assert "Client('okx', environment={" in said


def test_mock_commits_its_faults_in_turn() -> None:
    mock = started("mock", "okx", "--fault", "close:code=1006", "--fault", "drop:of=book,count=2", "--every", "0.05")
    assert mock.stdout is not None
    said = "".join(mock.stdout.readline() for _ in range(7))
    mock.send_signal(signal.SIGINT)
    mock.communicate(timeout=10)
    assert "fault: Close(code=1006)\nfault: Drop(" in said


def test_mock_names_a_port_that_is_taken(environment: Environment) -> None:
    port = environment("okx").split(":")[3].split('"')[0]
    result = run("mock", "okx", "--port", port)
    assert result.exit_code == 1
    assert f"can't listen on 127.0.0.1:{port}" in result.stderr


@pytest.mark.parametrize("name", ["list", "info", "explain", "plan", "get", "stream", "mock", "demo"])
def test_help_has_examples_that_name_a_shipped_exchange(name: str) -> None:
    text = run(name, "--help").stdout
    assert f"cexspec {name}" in text
    assert "EXCHANGE" not in text


def test_plan_tells_what_a_start_takes() -> None:
    found = json.loads(run("plan", "binance", "order_book", "--symbols", "BTC/USDT, ETH/USDT", "--count", "40", "--depth", "100").stdout)
    assert (found["symbols"], found["messages"], found["weights"]) == (40, 1, {"request_weight": 1000})
    assert [snapshot["symbol"] for snapshot in found["snapshots"][:3]] == ["BTC/USDT", "ETH/USDT", "C1/USDT"]
    assert found["connections"][0]["topics"][0] == '"btcusdt@depth@100ms"'
    assert found["seconds"] == found["snapshots"][-1]["ready"]


def test_plan_shows_tables_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cexspec.cli.plan.for_people", lambda as_json: True)
    text = run("plan", "binance", "order_book", "--count", "9").stdout
    for word in ("weight", "2250 of request_weight", "stream-1", "c1usdt@depth@100ms", "C1/USDT, C2/USDT", "..."):
        assert word in text
    assert "Snapshots" not in run("plan", "binance", "trades", "--symbols", "BTC/USDT").stdout


def test_plan_tells_how_often_what_is_polled_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(run("plan", "binance_usdm", "open_interest", "--count", "300").stdout)
    assert (found["symbols"], found["connections"], found["messages"]) == (300, [], 0)
    assert [len(poll["symbols"]) for poll in found["polls"]] == [1] * 300
    assert found["polls"][0]["every"] == pytest.approx(15.0), "300 calls of weight 1 within half of 2400 a minute"
    assert found["weights"] == {"request_weight": 300}
    monkeypatch.setattr("cexspec.cli.plan.for_people", lambda as_json: True)
    text = run("plan", "binance_usdm", "open_interest", "--symbols", "BTC/USDT:PERP").stdout
    assert "Polls" in text and "Connections" not in text


# arguments, exit code, what it says
NO_PLAN = [
    (("binance", "order_book"), 2, "--count"),
    (("binance", "candles", "--count", "1"), 1, "candles needs 'interval'"),
    (("binance", "nothing", "--count", "1"), 2, "declares no stream 'nothing'"),
    (("binance_usdm", "open_interest", "--symbols", "BTC/USDT"), 1, "BTC/USDT"),
    (("kraken", "order_book", "--symbols", "not/a/symbol"), 1, "not/a/symbol"),
    (("hyperliquid", "order_book", "--symbols", "BTC/USDC:PERP", "--depth", "100"), 1, "the deepest has 20"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), NO_PLAN)
def test_plan_says_what_can_not_be_started(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = run("plan", *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_exchanges_complete_in_the_shell() -> None:
    assert complete("b") == [one for one in IDS if one.startswith("b")]


SHOWN = [
    (None, "-"),
    (Decimal("1E-8"), "0.00000001"),
    (True, "yes"),
    (0.1234567, "0.123457"),
    ("text", "text"),
]


@pytest.mark.parametrize(("value", "expected"), SHOWN)
def test_values_are_shown_plainly(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_times_are_shown_to_the_millisecond() -> None:
    assert clock_time(TIME) == "2026-09-21 14:13:20.123"
    assert clock_time(None) == "-"


EVENTS: list[MarketEvent] = [
    Trade(exchange="x", symbol="A/B", id="1", price=Decimal("0.10"), size=None, side="buy", contracts=Decimal(3), timestamp=TIME),
    Liquidation(exchange="x", symbol="A/B", price=Decimal(2), size=Decimal(1), side="sell", timestamp=TIME),
    Gap(exchange="x", symbol="A/B", channel="trades", cause="lost", count=2),
    Ticker(exchange="x", symbol="A/B", last=Decimal(1)),
    Book(exchange="x", symbol="A/B", bids=[(Decimal(1), Decimal(2))], asks=[], is_snapshot=True),
]


@pytest.mark.parametrize("name", ["trades", "ticker"])
def test_views_take_every_event(name: str) -> None:
    view = view_of(name)
    for event in EVENTS:
        view.add(event)
    assert view.table().row_count >= 1


def test_many_symbols_stand_below_each_other() -> None:
    view = view_of("ticker")
    for at in range(9):
        view.add(Ticker(exchange="x", symbol=f"A{at}/B", last=Decimal(at)))
    assert view.table().row_count == 9


def test_no_events_make_no_table() -> None:
    assert event_tables([]) == []
