"""Turn raw payloads on stdin into unified events on stdout, offline."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cexspec.models import CexspecError
from cexspec.models.encode import plain, to_dict

if TYPE_CHECKING:
    from cexspec.engine.books.offline import OfflineBooks
    from cexspec.engine.normalize import Normalized, Normalizer

TEXTS = ("connection", "url", "endpoint", "path")
"""Keys of a line that say where the payload came from."""


class NumberType(StrEnum):
    """How numbers are read."""

    decimal = "decimal"
    float = "float"


def command(
    exchange: Annotated[str, typer.Argument(help="A shipped exchange, or the path of a spec.")],
    number: Annotated[NumberType, typer.Option(help="Exact decimals (as text) or floats.")] = NumberType.decimal,
    books: Annotated[bool, typer.Option("--books", help="Add the maintained books that a line is about, as they are after it.")] = False,
) -> None:
    """Turn raw payloads on stdin into unified events on stdout, offline: JSON Lines both ways, one line for each.

    A line in: {"id": 1, "transport": "ws", "raw": "<frame>"}, with "connection" or "url" where the frame alone doesn't
    tell; or {"id": 2, "transport": "rest", "endpoint": "ticker", "params": {"symbol": "BTC/USDT"}, "raw": "<body>"}, with
    "path" instead of "endpoint" if you like; "raw_b64" holds binary frames.
    A line out: {"id": 1, "events": [...], "ignored": null, "error": null}; with --books also "books": for each book that the
    line is about its state, and while it is in sync the best 25 levels of each side.

    \b
    cexspec normalize my-exchange.yaml < payloads.jsonl
    """
    from cexspec.engine.books.offline import OfflineBooks
    from cexspec.engine.normalize import Normalizer

    try:
        normalizer = Normalizer(exchange, number=Decimal if number is NumberType.decimal else float)
    except CexspecError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    kept = OfflineBooks(normalizer) if books else None
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.buffer.write(msgspec.json.encode(_answer(normalizer, kept, line)) + b"\n")
    sys.stdout.buffer.flush()


def _answer(normalizer: Normalizer, kept: OfflineBooks | None, line: bytes) -> dict[str, Any]:
    """The answer to one line; a line that is no record gets an error of its own, and the rest goes on."""
    record: Any = None
    none: dict[str, Any] = {} if kept is None else {"books": []}
    try:
        record = msgspec.json.decode(line)
        result = _normalized(normalizer, record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _BadRecord) as problem:
        return _row(record, [], None, {"kind": "BadRecord", "message": str(problem)}) | none
    except CexspecError as problem:
        return _row(record, [], None, _error(problem)) | none
    error = result.error or (result.left_out[0] if result.left_out else None)
    row = _row(record, [to_dict(event) for event in result.events], result.ignored, _error(error))
    return row if kept is None else row | {"books": _books(kept, _raw(record), result)}


def _books(kept: OfflineBooks, raw: bytes | str, result: Normalized) -> list[Any]:
    from cexspec.engine.books.offline import described

    return [{name: plain(value) for name, value in described(book).items()} for book in kept.after(raw, result)]


class _BadRecord(ValueError):
    """A line of stdin that doesn't say what it holds."""


def _normalized(normalizer: Normalizer, record: Any) -> Normalized:
    if not isinstance(record, dict):
        raise _BadRecord("a line is a JSON object")
    raw = _raw(record)
    wrong = next((name for name in TEXTS if not isinstance(record.get(name), str | None)), None)
    if wrong is not None:
        raise _BadRecord(f"'{wrong}' is text")
    match record.get("transport"):
        case "ws":
            connection = record.get("connection")
            if connection is not None and connection not in normalizer.exchange.connection_names:
                raise _BadRecord(f"no connection '{connection}': it has {', '.join(normalizer.exchange.connection_names)}")
            return normalizer.read_ws(raw, connection, record.get("url"))
        case "rest":
            params = record.get("params")
            if params is not None and not isinstance(params, Mapping):
                raise _BadRecord("'params' is an object")
            return normalizer.read_rest(raw, endpoint=record.get("endpoint"), path=record.get("path"), params=params)
        case other:
            raise _BadRecord(f'\'transport\' is "ws" or "rest", not {other!r}')


def _raw(record: dict[str, Any]) -> bytes | str:
    if isinstance(record.get("raw"), str):
        return str(record["raw"])
    try:
        return base64.b64decode(record["raw_b64"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise _BadRecord("'raw' (text) or 'raw_b64' (base64) holds the payload") from None


def _row(record: Any, events: list[Any], ignored: str | None, error: dict[str, str] | None) -> dict[str, Any]:
    identity = record.get("id") if isinstance(record, dict) else None
    return {"id": identity, "events": events, "ignored": ignored, "error": error}


def _error(error: CexspecError | None) -> dict[str, str] | None:
    return {"kind": type(error).__name__, "message": str(error)} if error is not None else None
