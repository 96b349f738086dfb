"""How maintained books are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from cexspec.engine.books.order_book import MAX_LEVELS
from cexspec.transport.backoff import Backoff
from cexspec.transport.window import Window


@dataclass(frozen=True, slots=True)
class BookSettings:
    """How books are kept; times in seconds.

    `backoff` spaces the resyncs of one book, which count as the first again after `steady` seconds in sync; `budget` bounds
    those of all books of a client (first snapshots have the limits of REST alone), `at_once` the snapshots under way.
    `patience`: for a snapshot in the stream; `half`: for the other half of an update, where messages hold single levels.
    `checksum_every`: one checksum in so many is verified. `max_levels`: held of a side at most. `catch_up`: for a book on
    another connection to get where the lost one was, before consumers are told.
    """

    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 60.0))
    budget: Window = field(default_factory=lambda: Window(100, 60.0))
    at_once: int = 4
    patience: float = 15.0
    steady: float = 60.0
    half: float = 1.0
    checksum_every: int = 1
    max_levels: int = MAX_LEVELS
    catch_up: float = 2.0
