"""Budgets that several processes share, kept in a Redis server.

Each process has its own lines, and who is first in one asks the server; between processes, too, who asked first goes first. The
process's own count goes on beside it: it is what is left when the server is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from cexspec.models.log_events import LogEvent
from cexspec.transport import redis_scripts
from cexspec.transport.clock import Clock
from cexspec.transport.pools import Bucket, Claims, PoolState, Turn
from cexspec.transport.store import MemoryStore, StoreStatus
from cexspec.transport.window import SlidingWindow

log = logging.getLogger("cexspec.limits")
SLOTS = 50
"""Parts of a window that the server tells apart: units count for up to one part too long."""
MICROSECONDS = 1_000_000
POLL = 0.05
"""Seconds after which to ask again where the wait depends on other processes."""
GRACE = 1.0
"""Seconds for which a place in line outlives the moment at which its holder wanted to ask again."""
STEP = 2.0
"""Seconds of arrival that one step of priority is worth between processes."""
STEPS = 10
BATCH = 100


class _Script(Protocol):
    def __call__(self, keys: Sequence[str], args: Sequence[str | int], client: Any = None) -> Awaitable[Any]: ...


class _Note(NamedTuple):
    """Something the server should know, whose answer nobody waits for."""

    script: _Script
    keys: list[str]
    args: list[str | int]


class RedisStore(MemoryStore):
    """Budgets shared through the Redis server at `url`, by its clock: `redis://`, `rediss://` or `unix://`.

    - `fallback`: while the server can't be reached, the process counts alone, with this part of each rate: as many processes
      as go into 1 still stay within it. That is logged (`cexspec.limits`) and counted (`status`).
    - `lease`: seconds after which units are no longer held for work that has not ended: as long as the longest request.
    - `timeout`: seconds for an answer of the server; `retry`: seconds after a failure before it is asked again.
    - `prefix`: what the keys begin with. All of them expire by themselves.

    Raises `ImportError` where the `redis` package is missing, `ValueError` for a URL or a fraction that is none.
    """

    direct = False

    def __init__(
        self, url: str, *, fallback: float = 0.25, lease: float = 30.0, timeout: float = 1.0, retry: float = 1.0, prefix: str = "cexspec"
    ) -> None:
        super().__init__()
        if not 0 < fallback <= 1:
            raise ValueError("fallback is a part of the rate: above 0, at most 1")
        self._client = _connect(url, timeout)
        self._failures: tuple[type[Exception], ...] = (import_module("redis.exceptions").RedisError, OSError, TimeoutError)
        self._take, self._spend, self._correct, self._pause, self._leave = map(
            self._client.register_script,
            (redis_scripts.TAKE, redis_scripts.SPEND, redis_scripts.CORRECT, redis_scripts.PAUSE, redis_scripts.LEAVE),
        )
        self._fallback, self._lease, self._timeout, self._retry, self._prefix = fallback, lease, timeout, retry, prefix
        self._name = uuid4().hex
        self._outbox: deque[_Note] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[list[int]]] = set()
        self._down_until: float | None = None
        self._outages = self._alone = 0

    async def take(self, claims: Claims, clock: Clock, turn: Turn | None, *, held: bool, waits: bool = True) -> float:
        """See `Store.take`. Units of a call that is cancelled while the server answers count as spent."""
        now = clock.monotonic()
        paused = max((bucket.paused_until - now for bucket, _ in claims), default=0.0)
        if paused > 0.0 or not claims:
            return paused
        if self._down_until is None or self._down_until <= now:
            try:
                answer = await self._answer(claims, now, turn, held=held, waits=waits)
            except self._failures as failure:
                self._lost(failure, clock)
            else:
                return self._heard(answer, claims, clock, turn, held=held)
        return self._take_alone(claims, clock.monotonic(), held=held)

    def release(self, claims: Claims, clock: Clock, turn: Turn | None) -> None:
        """See `Store.release`."""
        super().release(claims, clock, turn)
        self._tell_spent(claims, turn.receipt or 0 if turn is not None else 0)

    def leave(self, turn: Turn) -> None:
        """See `Store.leave`."""
        self._tell(self._leave, [key for bucket in turn.buckets for key in self._line_keys(bucket)], [self._ticket(turn)])

    def spend(self, claims: Claims, clock: Clock) -> None:
        """See `Store.spend`."""
        super().spend(claims, clock)
        self._tell_spent(claims, 0)

    def correct(self, bucket: Bucket, used: int, clock: Clock) -> None:
        """See `Store.correct`."""
        super().correct(bucket, used, clock)
        told = bucket.pool.pool.told
        for window in bucket.windows if told is not None else bucket.windows[:1]:
            if told is None or window.per == told.per:
                self._tell(self._correct, [self._window_key(bucket, window)], [used, *_spans(window)])

    def pause(self, target: Bucket | PoolState, seconds: float, clock: Clock) -> None:
        """See `Store.pause`."""
        super().pause(target, seconds, clock)
        self._tell(self._pause, [self._pause_key(target)], [max(1, round(seconds * 1000))])

    def status(self) -> StoreStatus:
        """See `Store.status`."""
        return StoreStatus("redis", self._down_until is None, self._outages, self._alone)

    async def close(self) -> None:
        """Tell the server what it should still know, for at most the time of one answer, and disconnect."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=self._timeout)
        if self._writer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._writer, self._timeout)
        await self._client.aclose()

    async def _answer(self, claims: Claims, now: float, turn: Turn | None, *, held: bool, waits: bool) -> list[int]:
        """What the server says. Who is cancelled meanwhile doesn't take the question back, so that no unit is held for nobody."""
        asking = asyncio.ensure_future(self._ask(claims, now, turn, held=held, waits=waits))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(partial(self._orphaned, claims, held))
            raise

    def _orphaned(self, claims: Claims, held: bool, asking: asyncio.Task[list[int]]) -> None:
        if asking.cancelled() or asking.exception() is not None:
            return
        wait, receipt, *_ = asking.result()
        if held and not wait:
            self._tell_spent(claims, receipt)

    async def _ask(self, claims: Claims, now: float, turn: Turn | None, *, held: bool, waits: bool) -> list[int]:
        priority = max(-STEPS, min(STEPS, turn.priority)) if turn is not None else 0
        ticket = self._ticket(turn) if turn is not None and waits else ""
        times = (priority * STEP, self._lease if held else 0.0, POLL, GRACE)
        keys, args = list[str](), [ticket, *(round(each * MICROSECONDS) for each in times)]
        for bucket, weight in claims:
            keys += [self._pause_key(bucket.pool), self._pause_key(bucket), *self._line_keys(bucket)]
            keys += [self._window_key(bucket, window) for window in bucket.windows]
            args += [weight, len(bucket.windows)]
            for window in bucket.windows:
                args += [window.rate, *_spans(window), window.used(now) if bucket.adrift else 0]
        answer: list[int] = await self._take(keys, args)
        return answer

    def _heard(self, answer: list[int], claims: Claims, clock: Clock, turn: Turn | None, *, held: bool) -> float:
        now = clock.monotonic()
        if self._down_until is not None:
            self._down_until = None
            log.info("the limits store is back", extra={"event": LogEvent.LIMITS_STORE_BACK})
        wait, receipt, *looks = answer
        for (bucket, _), left, paused in zip(claims, looks[::2], looks[1::2], strict=True):
            bucket.adrift, bucket.seen = False, (left, now)
            bucket.pause(now + paused / MICROSECONDS)
        if wait:
            return wait / MICROSECONDS
        if turn is not None and held:
            turn.receipt = receipt
        self._note(claims, now, held)
        return 0.0

    def _lost(self, failure: Exception, clock: Clock) -> None:
        if self._down_until is None:
            self._outages += 1
            text = "the limits store can't be reached (%s): going on alone, with %g of each rate"
            log.warning(text, type(failure).__name__, self._fallback, extra={"event": LogEvent.LIMITS_STORE_LOST})
        self._down_until = clock.monotonic() + self._retry
        self._outbox.clear()

    def _take_alone(self, claims: Claims, now: float, *, held: bool) -> float:
        delay = 0.0
        for bucket, weight in claims:
            bucket.seen = None
            for window in bucket.windows:
                # One call fits at a time, however heavy it is.
                rate = max(weight, int(window.rate * self._fallback))
                delay = max(delay, bucket.paused_until - now, window.wait(weight + window.rate - rate, now))
        if delay > 0.0:
            return delay
        for bucket, _ in claims:
            bucket.adrift = True
        self._alone += 1
        self._note(claims, now, held)
        return 0.0

    def _tell_spent(self, claims: Claims, receipt: int) -> None:
        keys, args = list[str](), list[str | int]([receipt])
        for bucket, weight in claims:
            for window in bucket.windows:
                keys.append(self._window_key(bucket, window))
                args += [weight, *_spans(window)]
        self._tell(self._spend, keys, args)

    def _tell(self, script: _Script, keys: list[str], args: list[str | int]) -> None:
        if not keys or self._down_until is not None:
            return
        self._outbox.append(_Note(script, keys, args))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Send what is in the outbox. A failure is not the end: the next who asks finds out, and units that are held expire."""
        while self._outbox:
            batch = [self._outbox.popleft() for _ in range(min(BATCH, len(self._outbox)))]
            try:
                async with self._client.pipeline(transaction=False) as pipeline:
                    for note in batch:
                        await note.script(note.keys, note.args, client=pipeline)
                    await pipeline.execute()
            except self._failures as failure:
                text = "the limits store did not hear of %d notes (%s)"
                log.warning(text, len(batch), type(failure).__name__, extra={"event": LogEvent.LIMITS_STORE_DEAF})

    def _ticket(self, turn: Turn) -> str:
        return f"{self._name}:{turn.number}"

    def _pool_key(self, state: PoolState) -> str:
        return f"{self._prefix}:{{{state.owner}}}:{state.pool.name}"

    def _bucket_key(self, bucket: Bucket) -> str:
        return f"{self._pool_key(bucket.pool)}:{bucket.operation}:{bucket.symbol}"

    def _pause_key(self, target: Bucket | PoolState) -> str:
        return f"{self._bucket_key(target) if isinstance(target, Bucket) else self._pool_key(target)}:pause"

    def _line_keys(self, bucket: Bucket) -> tuple[str, str]:
        key = self._bucket_key(bucket)
        return f"{key}:line", f"{key}:living"

    def _window_key(self, bucket: Bucket, window: SlidingWindow) -> str:
        return f"{self._bucket_key(bucket)}:{_spans(window)[0]}"


def _spans(window: SlidingWindow) -> tuple[int, int]:
    """Microseconds of the window and of one slot of it."""
    per = round(window.per * MICROSECONDS)
    return per, max(1, per // SLOTS)


def _connect(url: str, timeout: float) -> Any:
    if url.partition("://")[0] not in ("redis", "rediss", "unix"):
        raise ValueError("limits_store is the URL of a Redis server: redis://host:port/database, rediss:// or unix://")
    try:
        library = import_module("redis.asyncio")
    except ImportError as missing:
        raise ImportError("limits_store needs the package redis: pip install 'cexspec[redis]'") from missing
    never = import_module("redis.asyncio.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    return library.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=never)
