"""The names of everything that is logged: `record.event` of each record, which never changes once released."""

from __future__ import annotations

from enum import StrEnum


class LogEvent(StrEnum):
    """What a log record tells: its stable name, and what it means."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> LogEvent:
        """A name with its meaning."""
        event = str.__new__(cls, value)
        event._value_, event.meaning = value, meaning
        return event

    CONNECTION_STATE = (
        "connection_state",
        "A connection changed its state: ERROR when it failed, WARNING when it reconnects, else INFO. `record.transition` is the change",
    )
    CONNECT_FAILED = "connect_failed", "A connection could not be opened: the 1st, 2nd, 4th, 8th... attempt in a row, with the reason"
    DECODE_ERROR = "decode_error", "A record of a message doesn't fit the spec and was left out"
    UNROUTED = "unrouted", "A message fits nothing that the spec knows"
    VENUE_ERROR = "venue_error", "The venue sent an error that no subscription can be blamed for"
    SUBSCRIPTION_REFUSED = "subscription_refused", "The venue refuses a subscription"
    SUBSCRIPTION_STALE = "subscription_stale", "Nothing came of a subscription for longer than its spec expects; it is asked for anew"
    POLL_FAILED = "poll_failed", "A REST call that stands in for a channel brought no answer"
    BOOKS_PROGRESS = "books_progress", "Another tenth of the books that have begun can be read; `record.progress` tells how many"
    STREAM_ERROR = "stream_error", "A stream with callbacks met an error, and nobody asked for errors (`on_error`)"
    CALLBACK_ERROR = "callback_error", "A callback, an error handler or an observer of states raised something; with its traceback"
    INSTRUMENTS_UNAVAILABLE = "instruments_unavailable", "The instruments could not be loaded for streams: contracts stay unconverted"
    INTERNAL_ERROR = "internal_error", "Something failed that never should; with its traceback. Please report it"
    PAGE_TOO_FULL = "page_too_full", "One time has as many rows as a page of history holds: rows beyond them can't be reached"
    ILLEGAL_TRANSITION = "illegal_transition", "An order went from one state to another that can't follow it; the later one is kept"
    ORDER_UNSETTLED = "order_unsettled", "Nobody waits any more for an order, or change of one, that was sent; with its ids"
    RECONCILIATION_FAILED = "reconciliation_failed", "What happened while a private connection was away could not be looked up"
    DRY_RUN = "dry_run", "A request that would have been sent, with secrets masked (`dry_run=True`)"
    LIMITS_STORE_LOST = (
        "limits_store.lost",
        "The shared store of rate limits can't be reached; the client goes on alone, with a part of each",
    )
    LIMITS_STORE_BACK = "limits_store.back", "The shared store of rate limits is back"
    LIMITS_STORE_DEAF = "limits_store.deaf", "Units that were used could not be told to the shared store of rate limits"


def worth_logging(count: int) -> bool:
    """Whether the problem of this number is logged: the 1st, 2nd, 4th, 8th... are, so that a broken peer can't flood a log."""
    return count & (count - 1) == 0
