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
        ({"transport": "rest", "path": "/api/v5/asset/currencies", "raw": TICKERS}, [], "no operation", None),
        ({"transport": "rest", "endpoint": "nosuch", "raw": TIME}, [], None, "NotSupported"),
        ({"transport": "rest", "endpoint": "ticker", "params": [1], "raw": TIME}, [], None, "BadRecord"),
        ({"transport": "rest", "endpoint": ["ticker"], "raw": TIME}, [], None, "BadRecord"),
        ({"transport": "rest", "path": 7, "raw": TIME}, [], None, "BadRecord"),
        ({"transport": "rest", "path": "//[", "raw": TIME}, [], "no operation", None),
        ({"transport": "ws", "url": {}, "raw": TRADE}, [], None, "BadRecord"),
        ({"transport": "ws", "url": "wss://[", "raw": TRADE}, ["trade"], None, None),
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


def okx_book(action: str, bids: Any, asks: Any, last: int, before: int) -> dict[str, Any]:
    data = {"bids": bids, "asks": asks, "ts": "1790000000123", "checksum": 0, "seqId": last, "prevSeqId": before}
    frame = {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [data]}
    return {"id": last, "transport": "ws", "raw": json.dumps(frame)}


def kept_books(venue: str, *records: Any) -> list[list[dict[str, Any]]]:
    """The books after each record."""
    lines = "".join(json.dumps(record) + "\n" for record in records)
    result = CliRunner().invoke(app, ["normalize", venue, "--books"], input=lines)
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(list(answer) == [*KEYS, "books"] for answer in answers)
    return [answer["books"] for answer in answers]


def test_books_are_kept_and_shown_after_each_line() -> None:
    ask = ["101.0", "5", "0", "1"]
    found = kept_books(
        "okx",
        {"id": 0, "transport": "ws", "raw": TRADE},
        okx_book("snapshot", [[f"{100 - at}.0", "1", "0", "1"] for at in range(40)], [ask], 10, -1),
        okx_book("update", [["100.0", "0", "0", "0"], ["99.0", "2.50", "0", "1"]], [], 12, 10),
        okx_book("update", [], [["102.0", "1", "0", "1"]], 15, 14),
        okx_book("update", [], [], 16, 15),
        okx_book("snapshot", [], [ask], 20, -1),
        "no record",
    )
    assert found[0] == found[6] == []
    (first,), (second,), (gap,), (still,), (again,) = found[1:6]
    assert (first["channel"], first["symbol"], first["state"], first["sequence"]) == ("order_book", "BTC/USDT", "in_sync", 10)
    assert (len(first["bids"]), first["asks"], first["reason"]) == (25, [["101.0", "5"]], None)
    assert second["bids"][:2] == [["99.0", "2.50"], ["98.0", "1"]]
    assert (gap["state"], gap["bids"], gap["asks"]) == (still["state"], [], []) == ("out_of_sync", [], [])
    assert "follows 14, the book stands at 12" in gap["reason"]
    assert (again["state"], again["bids"], again["asks"]) == ("in_sync", [], [["101.0", "5"]])


def test_a_snapshot_over_rest_begins_the_book_of_the_deltas_around_it() -> None:
    def delta(first: int, last: int, size: str) -> dict[str, Any]:
        frame = {"e": "depthUpdate", "E": 1700000000000, "s": "BTCUSDT", "U": first, "u": last, "b": [["10", size]], "a": []}
        return {"id": last, "transport": "ws", "raw": json.dumps(frame)}

    def snapshot(last: int) -> dict[str, Any]:
        raw = json.dumps({"lastUpdateId": last, "bids": [["10", "1"], ["9", "1"]], "asks": [["11", "1"]]})
        return {"id": last, "transport": "rest", "endpoint": "order_book", "params": {"symbol": "BTC/USDT"}, "raw": raw}

    records = [delta(5, 6, "6"), delta(7, 9, "9"), snapshot(3), snapshot(7), delta(10, 10, "7"), delta(12, 12, "8"), snapshot(11)]
    states = [(books[0]["state"], books[0]["bids"][:1]) for books in kept_books("binance", *records)]
    assert [state for state, _ in states] == ["waiting", "waiting", "buffering", "in_sync", "in_sync", "out_of_sync", "in_sync"]
    assert [best[0][1] for _, best in states if best] == ["9", "7", "8"]


def test_frames_that_a_connection_numbers_prove_its_books() -> None:
    def frame(*parts: Any) -> dict[str, Any]:
        return {"id": 1, "transport": "ws", "raw": json.dumps([*parts]), "connection": "public"}

    ack = {
        "event": "subscribed",
        "channel": "book",
        "chanId": 5,
        "symbol": "tBTCUSD",
        "prec": "P0",
        "freq": "F0",
        "len": "25",
        "pair": "BTCUSD",
    }
    records = [
        {"id": 0, "transport": "ws", "raw": json.dumps(ack), "connection": "public"},
        frame(5, [[10, 1, 2], [11, 1, -3]], 1, 1700000000000),
        frame(5, "cs", 1234, 2, 1700000000001),
        frame(5, [[10, 1, 2], [11, 1, -3]], 3, 1700000000002),
        frame(5, [9, 1, 4], 3, 1700000000003),
        frame(5, [9, 1, 5], 4, 1700000000004),
        frame(5, "hb", 6, 1700000000005),
    ]
    found = kept_books("bitfinex", *records)
    states = [" ".join(book["state"] for book in books) for books in found]
    assert states == ["", "in_sync", "out_of_sync", "in_sync", "", "in_sync", "out_of_sync"]
    assert (found[2][0]["reason"], found[2][0]["checksum"]) == ("the book is out of sync: the checksum of the venue is another one", False)
    assert found[5][0]["bids"] == [["10", "2"], ["9", "5"]]
    assert "1 frame(s) of the connection were lost" in found[6][0]["reason"]
