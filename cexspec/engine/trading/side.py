"""What orders go to: a venue, or a venue on paper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Unpack

from cexspec.compile.plan import ClientIdPlan
from cexspec.engine.private import Recovered
from cexspec.engine.stream import Stream
from cexspec.engine.stream_client import AnySymbol, How, PrivateStream
from cexspec.engine.trading.permission import Permission
from cexspec.engine.trading.verbs import Calls


class PrivateStreams(Protocol):
    """Where streams of one's own events come from: the venue (`StreamClient`), or a venue on paper."""

    def offers(self, name: str) -> bool:
        """Whether there is a private stream of this name."""

    def private(self, name: PrivateStream, symbols: Sequence[AnySymbol] = (), **how: Unpack[How]) -> Stream[Any]:
        """One's own orders, fills, positions or balances."""

    def on_private_ready(self, callback: Callable[[Recovered], object]) -> Callable[[], None]:
        """Call this whenever what is told is told (again)."""


async def nothing_to_close() -> None:
    """There is nothing to be closed."""


@dataclass(frozen=True, slots=True)
class Side:
    """The other side of a client's trading. `closing` is awaited once nothing more comes from the client."""

    verbs: Calls
    streams: PrivateStreams
    permission: Permission
    client_ids: ClientIdPlan | None
    closing: Callable[[], Awaitable[None]] = nothing_to_close
