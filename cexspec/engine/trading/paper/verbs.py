"""What verbs ask, done on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cexspec.compile.plan import ClientIdPlan, Params
from cexspec.engine.rest import RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.engine.trading.paper.feeds import Feeds
from cexspec.engine.trading.verbs import Served
from cexspec.models import Event, InvalidRequest, InvalidSymbol, NotSupported
from cexspec.paper.venue import PaperVenue
from cexspec.paper.verbs import PaperVerbs

ACCOUNT = "paper"
PaperBalances = Mapping[str, Decimal | int | str | float]
STARTING: PaperBalances = {"USD": 100_000, "USDT": 100_000, "USDC": 100_000, "EUR": 100_000, "BTC": 10, "ETH": 100}
"""What an account on paper has to begin with, where nothing else is said."""
ANY_ID = ClientIdPlan("text", 36, "", 0, lambda text: 0 < len(text) <= 36, "at most 36 characters")
"""The client order ids of a venue that says nothing of them."""

MARKET = frozenset({"place_order", "amend_order"})
"""Verbs that meet the market."""
SETTINGS = {"margin_mode": "set_margin_mode", "leverage": "set_leverage"}
"""What an order may say of its instrument, and what sets it."""
SETTING = frozenset({"place_order", "set_leverage"})
"""Verbs that may say it."""


@dataclass(frozen=True, slots=True)
class PaperOperation:
    """An operation of a venue on paper: the verb itself."""

    name: str
    reader: object = Event


class OnPaper:
    """Does what an account may ask at a venue on paper, before the live market. `tell` gets all that happens to the account.

    Its methods are those of `cexspec.engine.trading.verbs.Calls`.
    """

    def __init__(self, engine: RestEngine, streams: StreamClient, tell: Callable[[Event], None], balances: PaperBalances | None) -> None:
        self._engine, self._tell = engine, tell
        self._now, self._number = engine.clock.time_ns, engine.plan.number
        self._venue = PaperVenue(engine.plan.id, ())
        for currency, amount in opening(balances).items():
            self._venue.deposit(ACCOUNT, currency, amount, self._now())
        self._paper = PaperVerbs(self._venue)
        self._feeds = Feeds(streams, self._venue, engine.clock, self._told)
        self._told()
        self._operations = {verb: PaperOperation(verb) for verb in self._paper.names}

    def serving(self, verb: str) -> Sequence[Served]:
        """The verb itself, where it is known."""
        found = self._operations.get(verb)
        return (found,) if found is not None else ()

    def operation(self, verb: str, params: Params) -> Served:
        """What does it. Raises `NotSupported`."""
        if verb not in self._operations:
            raise NotSupported(f"{self._venue.exchange}: nothing on paper serves {verb}")
        return self._operations[verb]

    def finder(self, verb: str, params: Params) -> Served | None:
        """What does it: nothing more is ever needed."""
        return self._operations.get(verb)

    def takes(self, verb: str, hole: str) -> bool:
        """Whether a verb asks for what this hole holds: nothing of the venue's own."""
        return False

    async def call(self, verb: str, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """What comes of it. Raises as `operation`, and what the venue on paper raises."""
        return await self.run(self.operation(verb, params), params, timeout=timeout)

    async def run(self, operation: Served, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """What comes of it; orders wait for the market of their symbol first, at most `PATIENCE`. Nothing of it is sent."""
        verb, symbol = operation.name, params.get("symbol")
        if params.get("position_side") is not None:
            raise InvalidRequest("on paper an instrument has one position: leave out 'position_side'", exchange=self._venue.exchange)
        if symbol is not None:
            await self._list(str(symbol))
            if verb in MARKET:
                await self._feeds.ready(str(symbol))
        now = self._now()
        self._venue.advance(now)
        try:
            for name, setting in SETTINGS.items():
                if verb in SETTING and setting != verb and params.get(name) is not None:
                    self._paper.run(ACCOUNT, setting, params, now)
            return [self._given(event) for event in self._paper.run(ACCOUNT, verb, params, now)]
        finally:
            self._told()

    async def _list(self, symbol: str) -> None:
        """Trade the instrument, as it is listed now. Raises `InvalidSymbol`."""
        await self._engine.ensure_instruments()
        listed = self._engine.markets.instrument(symbol)
        if listed is None or listed.symbol != symbol or listed.kind == "option":
            raise InvalidSymbol(f"{symbol} can't be traded on paper", exchange=self._venue.exchange)
        self._venue.list(listed)

    def _told(self) -> None:
        for account, event in self._venue.drain():
            if account == ACCOUNT:
                self._tell(self._given(event))

    def _given(self, event: Event) -> Event:
        """The event as the client gives it: received now, its numbers of the type that it has."""
        fields: dict[str, Any] = {"received": self._now()}
        if self._number is float:
            fields |= {name: float(value) for name in event.__struct_fields__ if isinstance(value := getattr(event, name), Decimal)}
        return replace(event, **fields)


def opening(balances: PaperBalances | None) -> dict[str, Decimal]:
    """The balances to begin with. Raises `ValueError`."""
    given = STARTING if balances is None else balances
    found = {currency: _amount(amount) for currency, amount in given.items()}
    wrong = [currency for currency, amount in found.items() if not amount.is_finite() or amount < 0]
    if wrong:
        raise ValueError(f"paper_balances are amounts from 0, not that of {', '.join(wrong)}")
    return found


def _amount(value: Decimal | int | str | float) -> Decimal:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return Decimal("nan")
