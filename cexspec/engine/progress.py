"""How far the subscribing of many symbols is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cexspec.engine.dispatch import Subscription


@dataclass(frozen=True, slots=True)
class Progress:
    """Of `total` subscriptions asked for the venue has confirmed `done` and `refused` some; the others are under way."""

    done: int
    total: int
    refused: int

    @property
    def complete(self) -> bool:
        """Whether nothing is under way any more."""
        return self.done + self.refused >= self.total


OnProgress = Callable[[Progress], object]
"""Told of every step, the last one too. It is called at once, so that it shall do little."""


class Asked:
    """What one call asked for, and how far it is. Those let go of meanwhile no longer count."""

    def __init__(self, subscriptions: Sequence[Subscription], on_progress: OnProgress | None) -> None:
        self.on_progress = on_progress
        self._under_way = set(subscriptions)
        self._done = self._refused = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is under way any more."""
        return not self._under_way

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self._done, self._done + self._refused + len(self._under_way), self._refused)

    def confirmed(self, subscription: Subscription) -> bool:
        """The venue serves it; whether that is news."""
        return self._settle(subscription, done=1)

    def refused(self, subscription: Subscription) -> bool:
        """The venue doesn't; whether that is news."""
        return self._settle(subscription, refused=1)

    def dropped(self, subscription: Subscription) -> bool:
        """Nobody wants it any more; whether that is news."""
        return self._settle(subscription)

    def _settle(self, subscription: Subscription, done: int = 0, refused: int = 0) -> bool:
        if subscription not in self._under_way:
            return False
        self._under_way.discard(subscription)
        self._done += done
        self._refused += refused
        return True
