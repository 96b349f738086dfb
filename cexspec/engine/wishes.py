"""What streams ask for: from symbols to the subscriptions that bring their events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.plan import OperationPlan
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.buffer import Buffer, Policy
from cexspec.engine.channel_choice import carriers, choose, is_shared
from cexspec.engine.dispatch import Subscription
from cexspec.engine.markets import Markets
from cexspec.engine.polling import Polls
from cexspec.engine.private import NOBODY, lacking
from cexspec.engine.topics import topic_of
from cexspec.models import InvalidRequest, InvalidSymbol, Liquidation, Market, NotSupported, Trade
from cexspec.transport.clock import Clock


@dataclass(frozen=True, slots=True)
class Wish:
    """What a stream is about: its candidate channels and the parameters that its topics have besides the symbol.

    `maintained`: not their messages, but the books that these build. `polled`: what is asked again and again, where no
    channel serves the stream. `every`: of all channels that carry a symbol, not only of the one that suits best.
    """

    channels: tuple[ChannelPlan, ...]
    params: dict[str, Any]
    maintained: bool = False
    polled: OperationPlan | None = None
    every: bool = False

    @property
    def source(self) -> str:
        """The name of what its events come from first of all."""
        return self.polled.name if self.polled is not None else self.channels[0].name


class Resolver:
    """Turns wishes into subscriptions. `ahead` tells whether instruments may still be loaded that know more symbols.

    `credentials` fill the topics that hold one (which is no secret then).
    """

    def __init__(
        self,
        plan: ExchangePlan,
        markets: Markets,
        polls: Polls,
        clock: Clock,
        ahead: Callable[[], bool],
        credentials: Mapping[str, str] = NOBODY,
    ) -> None:
        self._credentials = credentials
        self._plan, self._markets, self._polls, self._clock, self._ahead = plan, markets, polls, clock, ahead

    def check(self, wish: Wish, policy: Policy, *, fetches: bool) -> None:
        """Whether a wish can be had with this policy; `fetches`: there is REST. Raises `InvalidRequest`, `NotSupported`."""
        if wish.maintained:
            self._check_maintenance(wish, policy, fetches)
        elif policy == "conflate":
            self._check_conflation(wish)

    def subscriptions(self, wish: Wish, buffer: Buffer, symbols: Sequence[str]) -> list[Subscription]:
        """Those of these symbols, or (none named) of all that one subscription brings.

        Raises `NotSupported`, `InvalidSymbol`, `InvalidRequest`.
        """
        if symbols:
            return [one for symbol in symbols for one in self._asked(wish, buffer, symbol)]
        if wish.polled is not None and self._polls.is_shared(wish.polled):
            return [self._polls.subscription(wish.polled, buffer, None, wish.params, self._clock.time_ns())]
        shared = [channel for channel in wish.channels if is_shared(channel) and not wish.maintained]
        if not shared:
            raise InvalidRequest(f"name at least one symbol: {wish.source} is subscribed by symbol", exchange=self._plan.id)
        return [
            self._subscription(wish, buffer, channel, params, None, category)
            for channel in shared
            for category in channel.connections
            for params in self._lines(channel, wish.params, category)
        ]

    def of_symbol(self, wish: Wish, buffer: Buffer, symbol: str) -> Subscription:
        """That of a symbol that is known by now. Raises as `subscriptions`."""
        market = self._markets.find(symbol)
        params = {**wish.params, **self._markets.params(symbol)}
        if wish.polled is not None:
            return self._polls.subscription(wish.polled, buffer, market, params, self._clock.time_ns())
        channel = choose(self._plan, wish.channels, market, wish.params.get("depth"))
        return self._subscription(wish, buffer, channel, params, market)

    def needs_instruments(self, subscription: Subscription, *, polled: bool) -> bool:
        """Whether it can only be served rightly once the instruments are loaded."""
        if polled or not subscription.known:
            return not subscription.known
        channel = self._plan.channel(subscription.channel)
        if subscription.maintained and channel.book is not None and channel.book.checksum_precise:
            return True
        market = self._markets.within(subscription.category)(subscription.native_id) if subscription.native_id is not None else None
        sized = market is not None and (market.kind == "spot" or market.contract_size is not None)
        return not sized and any(reader.scaled for reader in channel.readers)

    def _check_maintenance(self, wish: Wish, policy: Policy, fetches: bool) -> None:
        if policy != "conflate":
            reason = "of a maintained book only the newest view waits: ask for raw=True to have every message"
            raise InvalidRequest(reason, exchange=self._plan.id)
        for channel in wish.channels:
            if channel.book is not None and isinstance(channel.book.sync, tuple) and not fetches:
                raise NotSupported(f"{channel.name} begins with a snapshot over REST, and there is none")

    def _check_conflation(self, wish: Wish) -> None:
        if wish.polled is not None and wish.polled.reader is not None and issubclass(wish.polled.reader.model, Trade | Liquidation):
            raise InvalidRequest(f"{wish.polled.name} can't be conflated: every event of it counts", exchange=self._plan.id)
        for channel in wish.channels:
            each_counts = channel.private or any(issubclass(reader.model, Trade | Liquidation) for reader in channel.readers)
            if each_counts or (channel.book is not None and channel.book.sync != "replace"):
                raise InvalidRequest(f"{channel.name} can't be conflated: every event of it counts", exchange=self._plan.id)

    def _asked(self, wish: Wish, buffer: Buffer, symbol: str) -> list[Subscription]:
        """The subscription(s) of a symbol, an unknown one where it takes the instruments to tell what it is."""
        try:
            return self._everywhere(wish, buffer, symbol) if wish.every else [self.of_symbol(wish, buffer, symbol)]
        except InvalidSymbol:
            if not self._ahead():
                raise
            now = self._clock.time_ns()
            return [Subscription.unknown(self._plan.id, wish.source, buffer, now, symbol, maintained=wish.maintained)]

    def _everywhere(self, wish: Wish, buffer: Buffer, symbol: str) -> list[Subscription]:
        """A symbol on every channel that carries it."""
        market = self._markets.find(symbol)
        params = {**wish.params, **self._markets.params(symbol)}
        channels = carriers(self._plan, wish.channels, market)
        return [self._subscription(wish, buffer, channel, params, market) for channel in channels]

    def _lines(self, channel: ChannelPlan, params: dict[str, Any], category: str | None) -> list[dict[str, Any]]:
        """The parameters for each product line of the venue, where a topic stands for one."""
        if "category" not in channel.needs or "category" in params:
            return [params]
        lines = [line for line in self._plan.categories if category in (None, line.name)]
        words = [line.word for line in lines if channel.kinds is None or line.kinds & channel.kinds]
        return [{**params, "category": word} for word in words] or [params]

    def _subscription(
        self, wish: Wish, buffer: Buffer, channel: ChannelPlan, params: dict[str, Any], market: Market | None, category: str | None = None
    ) -> Subscription:
        category = market.category if market is not None else category
        connection = channel.connection_of(category)
        if connection is None:
            raise NotSupported(f"{self._plan.id} has {channel.name} for {' and '.join(map(str, channel.connections))} only")
        if missing := channel.credentials - self._credentials.keys():
            raise lacking(self._plan.id, channel.name, missing)
        params = {**params, **{name: self._credentials[name] for name in channel.credentials}}
        try:
            topic = topic_of(channel, params)
        except KeyError as hole:
            raise InvalidRequest(f"{channel.name} needs {hole.args[0]!r}", exchange=self._plan.id, endpoint=channel.name) from None
        interval = params.get("interval") if "interval" in channel.needs else None
        native_id = market.id if market is not None else None
        maintained, depth, since = wish.maintained, params.get("depth"), self._clock.time_ns()
        where = self._plan.id, channel.name, connection, topic, buffer, since, native_id, category, interval
        return Subscription(*where, maintained=maintained, depth=depth)
