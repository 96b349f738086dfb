"""`cexspec normalize`: one line out for each line in, in order, whatever is in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cexspec.cli.app import app

TRADE = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"7","px":"100.10","sz":"0.50",'
    '"side":"buy","ts":"1700000000123"}]}'
)
CANDLE = '{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1700000000000","1","2","1","2","5","6","7","1"]]}'
TICKERS = '{"code":"0","msg":"","data":[]}'
TIME = '{"code":"0","msg":"","data":[{"ts":"1700000000123"}]}'
REFUSED = '{"code":"51001","msg":"Instrument ID does not exist","data":[]}'
KEYS = ["id", "events", "ignored", "error"]


def normalize(venue: str, *records: Any) -> list[dict[str, Any]]:
    """The answers to some records (text is taken as a line of its own)."""
    lines = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    result = CliRunner().invoke(app, ["normalize", venue], input=lines)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_answers_come_one_a_line_in_order_with_the_ids_of_the_questions() -> None:
    ids: list[Any] = [1, "two", None, {"three": 3}]
    answers = normalize("okx", *({"id": one, "transport": "ws", "raw": TRADE} for one in ids))
    assert [answer["id"] for answer in answers] == ids
    assert all(list(answer) == KEYS for answer in answers)


def test_decimals_are_text_as_received_and_times_nanoseconds() -> None:
    (event,) = normalize("okx", {"id": 1, "transport": "ws", "raw": TRADE})[0]["events"]
    assert event["type"] == "trade"
    assert (event["price"], event["size"], event["timestamp"]) == ("100.10", "0.50", 1700000000123000000)
    assert (event["exchange"], event["symbol"], event["side"], event["contracts"]) == ("okx", "BTC/USDT", "buy", None)


@pytest.mark.parametrize(
    ("record", "types", "ignored", "error"),
    [
        ({"transport": "ws", "raw": CANDLE}, ["candle"], None, None),
        ({"transport": "ws", "raw": CANDLE, "connection": "business"}, ["candle"], None, None),
        ({"transport": "ws", "raw": CANDLE, "url": "wss://ws.okx.com:8443/ws/v5/business?brokerId=1"}, ["candle"], None, None),
        ({"transport": "ws", "raw_b64": base64.b64encode(TRADE.encode()).decode()}, ["trade"], None, None),
        ({"transport": "ws", "raw": "pong"}, [], "pong", None),
        ({"transport": "ws", "raw": '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}'}, [], "ack", None),
        ({"transport": "ws", "raw": '{"news":1}'}, [], None, "DecodeError"),
        ({"transport": "ws", "raw": "{"}, [], None, "DecodeError"),
        ({"transport": "ws", "raw": TRADE.replace("buy", "hold")}, [], None, "DecodeError"),
        ({"transport": "ws", "raw": TRADE, "connection": "privat"}, [], None, "BadRecord"),
        ({"transport": "rest", "endpoint": "server_time", "raw": TIME}, ["server_time"], None, None),
        ({"transport": "rest", "path": "/api/v5/public/time", "raw": TIME}, ["server_time"], None, None),
        ({"transport": "rest", "endpoint": "tickers", "raw": TICKERS}, [], "no rows", None),
        ({"transport": "rest", "endpoint": "ticker", "raw": REFUSED}, [], None, "InvalidSymbol"),
        ({"transport": "rest", "path": "/api/v5/account/balance", "raw": TICKERS}, [], "no operation", None),
        ({"transport": "rest", "endpoint": "nosuch", "raw": TIME}, [], None, "NotSupported"),
        ({"transport": "rest", "endpoint": "ticker", "params": [1], "raw": TIME}, [], None, "BadRecord"),
        ({"transport": "fax", "raw": TRADE}, [], None, "BadRecord"),
        ({"transport": "ws"}, [], None, "BadRecord"),
        ({"transport": "ws", "raw_b64": "%%"}, [], None, "BadRecord"),
        ([1, 2], [], None, "BadRecord"),
        ("no json at all", [], None, "BadRecord"),
    ],
)
def test_every_kind_of_line_has_its_answer(record: Any, types: list[str], ignored: str | None, error: str | None) -> None:
    answer, after = normalize("okx", record, {"id": "after", "transport": "ws", "raw": TRADE})
    assert [event["type"] for event in answer["events"]] == types
    assert (answer["ignored"] or "").startswith(ignored or "")
    assert bool(answer["ignored"]) is bool(ignored)
    assert (answer["error"] or {}).get("kind") == error
    assert after["id"] == "after"
    assert after["events"]


def test_state_that_spans_frames_is_kept_in_the_order_of_the_lines() -> None:
    data = {"id": 1, "transport": "ws", "raw": '[77,"te",[5,1700000000123,-0.25,100.5]]'}
    ack = {"id": 2, "transport": "ws", "raw": '{"event":"subscribed","channel":"trades","chanId":77,"symbol":"tBTCUSD","pair":"BTCUSD"}'}
    before, _, after = normalize("bitfinex", data, ack, {**data, "id": 3})
    assert [event["symbol"] for event in (*before["events"], *after["events"])] == [None, "BTC/USD"]
    assert (after["events"][0]["side"], after["events"][0]["size"]) == ("sell", "0.25")


def test_floats_are_json_numbers_where_asked_for() -> None:
    result = CliRunner().invoke(
        app, ["normalize", "okx", "--number", "float"], input=json.dumps({"id": 1, "transport": "ws", "raw": TRADE})
    )
    assert json.loads(result.stdout)["events"][0]["price"] == 100.1


def test_an_unknown_exchange_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["normalize", "nosuch"], input="")
    assert result.exit_code == 2
    assert "unknown exchange" in result.stderr
