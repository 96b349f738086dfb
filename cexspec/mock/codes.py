"""What orders call instruments, where that is another id than everything else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import msgspec

from cexspec.compile.exchange import Exchange
from cexspec.engine.markets import Markets
from cexspec.engine.rest import Reading
from cexspec.mock.bodies import Refused
from cexspec.mock.listing import INSTRUMENTS
from cexspec.mock.requests import Asked
from cexspec.models import Instrument

_JSON = msgspec.json.Encoder(decimal_format="number")


class Codes:
    """Codes as a client reads them of the mock's own list of instruments (some are counted out), which `answer` gives."""

    def __init__(self, exchange: Exchange, answer: Callable[[Asked], Any]) -> None:
        self._exchange, self._answer = exchange, answer

    def symbol(self, code: str) -> str:
        """The instrument of a code. Raises `Refused`."""
        found = self._symbols.get(code)
        if found is None:
            raise Refused(f"no instrument has the code {code}", "InvalidSymbol")
        return found

    @cached_property
    def _symbols(self) -> dict[str, str]:
        return {each.code: each.symbol for name in self._operations() for each in self._listed(name) if each.code and each.symbol}

    def _operations(self) -> Iterator[str]:
        rest = self._exchange.spec.rest
        joined = rest[INSTRUMENTS].joins or [INSTRUMENTS] if INSTRUMENTS in rest else []
        yield from (name for name in joined if "code" in (rest[name].fields or {}))

    def _listed(self, name: str) -> Iterator[Instrument]:
        reader = self._exchange.operation(name).reader
        assert reader is not None
        for params in self._exchange.spec.rest[name].each or [{}]:
            given = {key: value for key, value in params.items() if isinstance(value, str)}
            body = _JSON.encode(self._answer(Asked((name,), given)))
            reading = Reading(None, given, Markets(self._exchange))
            yield from (event for event in reader.read(body, reading) if isinstance(event, Instrument))
