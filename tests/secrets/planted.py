"""Secrets with a mark, and the search for them in anything that can be written down."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

PLANTED = {"api_key": "Planted/Key+0001==", "api_secret": "Planted Secret&0002", "passphrase": "Planted'Phrase\"0003"}
THE_PEERS = {"aiohttp.access", "aiohttp.server", "aiohttp.web"}
"""Loggers of the server that the tests run: it may log what it gets."""


def forms(value: str) -> Iterator[str]:
    """A value as it is, and as it looks in URLs, JSON, hex and base64."""
    yield from {value, quote(value, safe=""), quote_plus(value), value.replace('"', '\\"'), value.encode().hex()}
    yield base64.b64encode(value.encode()).decode().rstrip("=")[:-1]


def leaks(text: str, *more: str) -> list[str]:
    """What of the planted secrets (and of `more`: signatures, tokens) a text holds."""
    return [form for value in (*PLANTED.values(), *more) for form in forms(value) if form in text]


def told(error: BaseException) -> str:
    """All that can be written about an error: its texts and attributes, and those of everything it came from, with tracebacks."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    texts = [f"{one!s}\n{one!r}\n{one.args!r}\n{getattr(one, '__dict__', {})!r}\n{getattr(one, '__notes__', '')}" for one in seen]
    return "\n".join([*texts, "".join(traceback.format_exception(error))])


def logged(records: Iterable[logging.LogRecord]) -> str:
    """All that was logged on this side, with everything that records hold."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    own = [record for record in records if record.name not in THE_PEERS]
    return "\n".join(f"{formatter.format(record)} {record.__dict__!r}" for record in own)
