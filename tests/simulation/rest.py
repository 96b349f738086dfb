"""REST over the simulated network: answers come late, from a cache, or not at all, while the stream goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from cexspec.models import ConnectionLost, NetworkError, TimeoutError
from cexspec.transport.http import HttpAnswer, HttpCall
from tests.simulation.network import Network
from tests.simulation.weather import Weather

Answer = Callable[[str, str, dict[str, str], bytes], tuple[int, bytes]]
"""Method, path, query and body -> status and body."""

OLDEST = 1.9
"""Seconds that an answer from a cache is old at most."""


@dataclass
class SimulatedHttp:
    """An `HttpTransport`: the venue answers as it stands when the request arrives."""

    network: Network
    weather: Weather
    answer: Answer
    cache: dict[tuple[str, bytes | None], tuple[float, HttpAnswer]] = field(default_factory=dict)

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        clock, where = self.network.clock, call.where
        self.network.note("request", where)
        await clock.sleep(self.network.delay())
        if self.network.down:
            raise NetworkError(f"{where}: connection refused")
        if self.network.hanging:
            await clock.sleep(call.timeout)
            raise TimeoutError(f"{where}: no answer in time")
        if self.weather.strikes("request refused", where):
            return HttpAnswer(429, {"retry-after": str(self.weather.random.randint(1, 5))}, b"{}")
        if self.weather.strikes("request failed", where):
            await clock.sleep(self.network.delay())
            raise ConnectionLost(f"{where}: the connection ended before the answer")
        answer = self._answered(call)
        await clock.sleep(self.network.delay())
        if self.weather.strikes("snapshot late", where):
            await clock.sleep(self.weather.random.uniform(0.2, 6.0))
        self.network.note("answer", where, answer.body.decode())
        return answer

    def _answered(self, call: HttpCall) -> HttpAnswer:
        now = self.network.clock.monotonic()
        asked = call.url, call.body
        since, cached = self.cache.get(asked, (-OLDEST, None))
        if cached is not None and now - since < OLDEST and self.weather.strikes("snapshot stale", call.where):
            return cached
        parts = urlsplit(call.url)
        status, body = self.answer(call.method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), call.body or b"")
        answer = HttpAnswer(status, {}, body)
        self.cache[asked] = now, answer
        return answer
