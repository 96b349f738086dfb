"""Whether what is asked of an account has been sent: what failed before that has no unknown outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Mark:
    """One call's. It is seen by all tasks that the call starts."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False


_MARK: ContextVar[Mark | None] = ContextVar("sent", default=None)


def mark_sent() -> None:
    """A request goes out now."""
    mark = _MARK.get()
    if mark is not None:
        mark.sent = True


@contextmanager
def watched(mark: Mark) -> Iterator[None]:
    """What is sent within is told to this mark."""
    token = _MARK.set(mark)
    try:
        yield
    finally:
        _MARK.reset(token)
