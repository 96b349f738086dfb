"""Takes down one call or one session of an exchange, with what came of it, in the folder of cassettes."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cexspec.client import Client
from cexspec.models import CexspecError, Event
from tools.cassettes.calls import Call, outcome
from tools.cassettes.folder import rest_path, ws_path
from tools.cassettes.masking import USUAL, Masks
from tools.cassettes.rest import Rename, recording

T = TypeVar("T")


@dataclass
class Taker:
    """Writes the cassettes of an exchange (its id) in a folder; `masks` take out secrets. `failures`: what was not taken, and why."""

    exchange: str
    folder: Path
    failures: list[str] = field(default_factory=list)
    masks: Masks = USUAL

    async def call(self, client: Client, call: Call, origin: str, now: int, rename: Rename = str) -> None:
        """Make a REST call, and write it down unless it fails."""
        path, head = rest_path(self.folder, self.exchange, call.name), self._head(origin, "operation", call, now)
        with recording(path, head, rename, self.masks):
            events = await self.tried(call, lambda: call.make(client))
            head |= outcome(events or [])
        if events is None:
            path.unlink(missing_ok=True)

    def session(self, call: Call, origin: str, now: int, events: list[Event] | None, frames: io.StringIO) -> None:
        """Write a session down, unless it failed."""
        if events is None:
            return
        path, head = ws_path(self.folder, self.exchange, call.name), self._head(origin, "channel", call, now)
        path.parent.mkdir(parents=True, exist_ok=True)
        first = json.dumps({**head, **outcome(events)}, ensure_ascii=False, separators=(",", ":"))
        path.write_text(f"{first}\n{frames.getvalue()}", encoding="utf-8")

    def check(self, client: Client, call: Call) -> None:
        """Note what the client did not understand of a session."""
        stats = client.ws.stats
        if stats.unrouted or stats.decode_errors or stats.venue_errors:
            self.failures += [f"{self.exchange} {call.name}: {problem}" for problem in stats.problems]

    async def tried(self, call: Call, work: Callable[[], Awaitable[T]]) -> T | None:
        """What comes of the work; None where it failed."""
        try:
            return await work()
        except CexspecError as error:
            self.failures.append(f"{self.exchange} {call.name}: {type(error).__name__}: {error}")
            return None

    def _head(self, origin: str, kind: str, call: Call, now: int) -> dict[str, Any]:
        return {"origin": origin, "exchange": self.exchange, kind: call.name, "call": dict(call.params), "clock": now}
