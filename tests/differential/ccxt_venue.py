"""A ccxt exchange without a network: its own requests and its own parsers, on bodies that are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cexspec.models import InvalidSymbol
from cexspec.models.symbol import Symbol

Unified = dict[str, Any]
OK = 200
KINDS = {"spot": "spot", "perpetual": "swap", "future": "future", "option": "option"}
"""Our kinds in ccxt's words."""


class NothingCanned(Exception):
    """ccxt asked for what the body under test doesn't answer."""


class Canned:
    """What a venue answers: for each request that is `asked_for` the body under test, else an answer with nothing in it.

    `nothing` is what the venue says where there is nothing, by the end of the path; a request that fits neither is refused.
    """

    def __init__(self, body: str, asked_for: Callable[[str, Mapping[str, Any]], bool], nothing: Mapping[str, Any]) -> None:
        self.body, self.asked_for, self.nothing = body, asked_for, nothing

    def answer(self, url: str, body: str | None) -> str:
        """The text that answers a request. Raises `NothingCanned`."""
        target = urlsplit(url)
        asked = dict(parse_qsl(target.query)) | (json.loads(body) if body else {})
        if self.asked_for(target.path, asked):
            return self.body
        for path, empty in self.nothing.items():
            if target.path.endswith(path):
                return json.dumps(empty)
        raise NothingCanned(f"{target.path} {asked}")


@cache
def _class(name: str) -> type:
    """A ccxt class whose `fetch` answers out of `canned`; ccxt is imported here, because that takes half a second."""
    import ccxt

    def fetch(self: Any, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        text = self.on_rest_response(OK, "OK", url, method, {}, self.canned.answer(url, body), headers, body)
        answer = self.parse_json(text)
        self.handle_errors(OK, "OK", url, method, {}, text, answer, headers, body)
        return answer

    return type(name, (getattr(ccxt, name),), {"fetch": fetch, "canned": None, "number": str})


def exchange(name: str, options: Mapping[str, Any]) -> Any:
    """A synchronous ccxt exchange that gives its numbers as text, with all digits, and asks no network."""
    return _class(name)({"enableRateLimit": False, "options": dict(options)})


def hand_made(native_id: str, text: str) -> Unified:
    """The least ccxt needs to know of a market that no list of instruments has."""
    try:
        symbol, unified = (read := Symbol.parse(text)), read.to_ccxt()
    except InvalidSymbol:  # no rule reads the id: it is its own symbol, for ccxt as well
        symbol, unified = Symbol(native_id, native_id, "perpetual"), native_id
    return {
        "id": native_id,
        "symbol": unified,
        **{role: getattr(symbol, role) for role in ("base", "quote", "settle")},
        **{f"{role}Id": getattr(symbol, role) for role in ("base", "quote", "settle")},
        "type": KINDS[symbol.kind],
        **{theirs: symbol.kind == ours for ours, theirs in KINDS.items()},
        "contract": symbol.kind != "spot",
        "linear": None if symbol.kind == "spot" else symbol.settle == symbol.quote,
        "inverse": None if symbol.kind == "spot" else symbol.is_inverse,
        "contractSize": None if symbol.kind == "spot" else "1",
    }


def with_markets(made: Any, markets: Iterable[Unified]) -> Any:
    """The exchange as it is after its markets are loaded."""
    made.set_markets(list(markets))
    return made
