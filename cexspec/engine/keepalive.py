"""Whether a connection is alive: pings that are due, answers that are overdue, silence. Seconds of a monotonic clock."""

from __future__ import annotations

from math import inf

from cexspec.compile.socket_plan import KeepalivePlan


class Liveness:
    """The life signs of one connection. Every frame of the peer is one: set `heard` to its time."""

    __slots__ = ("_held", "_pinged", "_plan", "heard", "sent")

    def __init__(self, plan: KeepalivePlan, now: float) -> None:
        self._plan = plan
        self._held = False
        self._pinged: float | None = None
        self.heard = now
        """when the last frame arrived"""
        self.sent = now
        """when the last frame was sent"""

    def ping_due(self, now: float) -> bool:
        """Whether nothing has been sent for so long that a ping is."""
        return now >= self._next_ping()

    def pinged(self, now: float) -> None:
        """A ping is on its way."""
        self.sent = now
        if self._plan.expects and self._waiting_since() is None:
            self._pinged = now

    def death(self, now: float) -> str | None:
        """Why the connection is dead; None while it isn't."""
        if now < self._next_death():
            return None
        if now >= self._answer_due():
            return f"no answer to a ping within {self._plan.within:g} s"
        return f"nothing arrived for {self._plan.silence:g} s"

    def hold(self) -> None:
        """Nobody reads for a while (a consumer is slow): silence means nothing until `release`."""
        self._held = True

    def release(self, now: float) -> None:
        """Somebody reads again; what the peer sent meanwhile comes now."""
        self._held, self.heard = False, now

    def deadline(self) -> float:
        """When to look again."""
        return min(self._next_ping(), self._next_death())

    def _next_ping(self) -> float:
        plan = self._plan
        # Counted from what was sent, not heard: venues drop clients that say nothing, however much they send themselves.
        return self.sent + plan.every if plan.send is not None and plan.every is not None else inf

    def _next_death(self) -> float:
        if self._held:
            return inf
        silence = self.heard + self._plan.silence if self._plan.silence is not None else inf
        return min(silence, self._answer_due())

    def _answer_due(self) -> float:
        since = self._waiting_since()
        return since + self._plan.within if since is not None else inf

    def _waiting_since(self) -> float | None:
        return self._pinged if self._pinged is not None and self.heard < self._pinged else None
