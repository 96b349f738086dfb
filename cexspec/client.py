"""`Client`: one exchange, over REST and WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from cexspec.compile.exchange import compile_exchange
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.client_stats import ClientStats
from cexspec.engine.environments import environment_of
from cexspec.engine.limits import Limits, RateLimits, limiter_of, owner_of, store_of
from cexspec.engine.markets import Markets
from cexspec.engine.options import StreamOptions
from cexspec.engine.private import Access
from cexspec.engine.rest import INSTRUMENTS, RestEngine
from cexspec.engine.rest_client import RestClient
from cexspec.engine.signing import Signer
from cexspec.engine.stream_client import StreamClient
from cexspec.engine.trading.build import trade_client
from cexspec.engine.trading.dry_run import Nowhere
from cexspec.engine.trading.guard import MaxNotional
from cexspec.engine.trading.paper.verbs import PaperBalances
from cexspec.models import Credentials
from cexspec.transport.clock import Clock, SystemClock
from cexspec.transport.http import AiohttpTransport, HttpTransport
from cexspec.transport.limiter import Priority
from cexspec.transport.store import Store
from cexspec.transport.websocket import DEFAULT_LIBRARY, Library, WebSocketTransport, websocket_transport


class Client:
    """One exchange. `rest` calls, `ws` streams; leaving `async with` closes both.

    - `exchange`: the id of a shipped spec, or the path of a YAML file.
    - `environment`: a name from the spec (the first is the default, `live`), or a mapping with the same keys:
      `{"rest": "http://127.0.0.1:8080", "ws": {"public": "ws://127.0.0.1:8081"}, "headers": {...}}`. `paper`, or a mapping with
      `"paper": True`: its market data, with orders that are matched here and never sent; credentials aren't needed, nor used.
    - `number`: `Decimal` (exact) or `float`.
    - `rate_limits`: pool -> `{"rate": 100, "period": 60}` (seconds), in place of the spec's; the pool `global` is one that
      every request of the exchange draws one unit from.
    - `limits_store`: what clients share that the venue counts together: a store object given to several clients
      (`MemoryStore()`), or a Redis URL for several processes (`redis://127.0.0.1:6379/0`). Without it a client counts alone.
    - `on_limit`: wait for the budget, or raise `RateLimitExceeded`.
    - `timeout`: seconds for one request.
    - `credentials`: name -> text, as the spec's `auth.credentials` names them; they never show in reprs, logs and errors.
    - `allow_trading`: orders go out in a live environment too. Every environment is live that the spec doesn't call a `test`,
      a mapping as well unless all its hosts are this machine (`127.0.0.1`, `localhost`).
    - `max_notional`: the most that one order may be worth, in its quote currency, or currency -> amount. What a sell, or an order
      without a price, is worth is told by the ticker, which is fetched then.
    - `dry_run`: nothing that changes the account is sent; the signed request is written to the log `cexspec.trade` (WARNING, so that
      it is seen) with secrets masked, and the order is returned as it would have been sent, `pending` and without an `order_id`.
    - `paper_balances`: currency -> amount to begin with on paper; without it 100000 USD, USDT, USDC and EUR, 10 BTC and 100 ETH.
    - `recv_window`: seconds after which the venue shall refuse a request that is late, where it takes one.
    - `websocket`: the socket library, `aiohttp` or `websockets`, or a transport of your own (`cexspec.transport.frame_log`
      records one); `stream_options`: how streams behave (see `StreamOptions`).

    Raises `SpecError` for a spec that can't be loaded, `NotSupported` for an unknown environment, `ValueError` for
    arguments of another form, `ImportError` where `limits_store` needs a library that is not installed.
    """

    def __init__(
        self,
        exchange: str | Path,
        *,
        environment: str | Mapping[str, Any] | None = None,
        credentials: Mapping[str, str] | None = None,
        allow_trading: bool = False,
        max_notional: MaxNotional | None = None,
        dry_run: bool = False,
        paper_balances: PaperBalances | None = None,
        recv_window: float | None = None,
        rate_limits: RateLimits | None = None,
        limits_store: str | Store | None = None,
        number: type[Decimal] | type[float] = Decimal,
        on_limit: Literal["wait", "raise"] = "wait",
        timeout: float = 10.0,
        websocket: Library | WebSocketTransport = DEFAULT_LIBRARY,
        stream_options: StreamOptions | None = None,
        http: HttpTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.exchange = compile_exchange(str(exchange), number)
        self.environment = environment_of(self.exchange, environment)
        self.markets = Markets(self.exchange, number)
        self._http = http or AiohttpTransport()
        self._on_close: list[Callable[[], object]] = []
        self._clock = clock = clock or SystemClock()
        self._store, self._owns_store = store_of(limits_store), limits_store is None or isinstance(limits_store, str)
        self._limiter = limiter_of(
            self.exchange.pools,
            clock,
            exchange=self.exchange.id,
            on_limit=on_limit,
            rate_limits=rate_limits,
            store=self._store,
            owner=owner_of(self.exchange.id, self.environment),
        )
        given = Credentials(None if self.environment.paper else credentials)
        signer = Signer(self.exchange, given, clock, recv_window, self.environment.name) if given else None
        self._engine = RestEngine(
            self.exchange, self.environment, self._http, clock, self._limiter, self.markets, timeout=timeout, signer=signer
        )
        self.rest = RestClient(self._engine)
        self.ws = StreamClient(
            self.exchange,
            self.environment,
            self.markets,
            transport=websocket_transport(websocket) if isinstance(websocket, str) else websocket,
            clock=clock,
            options=stream_options,
            budgets=ConnectBudgets(clock, self._store),
            fetch=partial(self._engine.call, priority=Priority.SNAPSHOT),
            draws_of=self._engine.draws,
            rest=self._engine,
            access=Access(self._engine.signer, self._engine, self.exchange.recipe),
            prepare=self._engine.ensure_instruments if INSTRUMENTS in self.exchange.operation_names else None,
        )
        self.trade = trade_client(
            self._engine,
            self.environment,
            self.ws,
            credentials=given,
            allow_trading=allow_trading,
            max_notional=max_notional,
            recv_window=recv_window,
            dry=self._dry_engine(timeout, signer) if dry_run else None,
            paper_balances=paper_balances,
            options=stream_options,
        )

    def _dry_engine(self, timeout: float, signer: Signer | None) -> RestEngine:
        """An engine like the client's whose requests go nowhere, and that draws on no budget of the venue's."""
        limiter = limiter_of(self.exchange.pools, self._clock, exchange=self.exchange.id)
        return RestEngine(self.exchange, self.environment, Nowhere(), self._clock, limiter, self.markets, timeout=timeout, signer=signer)

    @property
    def id(self) -> str:
        """The exchange's id."""
        return self.exchange.id

    @property
    def limits(self) -> Limits:
        """What is left of every budget, and who waits for it, now: `client.limits["weight"].remaining`."""
        return Limits(self._limiter.snapshot(), self._store.status())

    @property
    def stats(self) -> ClientStats:
        """What streams, REST calls and budgets have counted, and how they are now; can be read from any thread."""
        return ClientStats(
            exchange=self.id, at=self._clock.time_ns(), streams=self.ws.stats, rest=self._engine.stats, limiter=self._limiter.stats
        )

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call this when the client has been closed."""
        self._on_close.append(callback)

    def supports(self, name: str) -> bool:
        """Whether the spec declares a REST operation (`ticker`), a stream or a channel, or what a method calls (`place_order`)."""
        return (
            self.trade.supports(name)
            or name in self.exchange.operation_names
            or name in self.exchange.channel_names
            or self.exchange.offers(name.removeprefix("stream_"))
        )

    async def load_instruments(self) -> None:
        """Load the instruments now: symbols become authoritative and contract sizes known. Later calls do nothing."""
        await self._engine.ensure_instruments()

    async def close(self) -> None:
        """Close every stream and connection; a `limits_store` that was given as an object stays open."""
        await self.trade.close()
        await self.ws.close()
        if self._owns_store:
            await self._store.close()
        if isinstance(self._http, AiohttpTransport):
            await self._http.close()
        while self._on_close:
            self._on_close.pop(0)()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Client({self.id!r}, environment={self.environment.name!r})"
