"""Topics and the connections that bring them: what is remembered, and for how long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use


class Line:
    """A connection that nothing was read from yet."""

    def __init__(self) -> None:
        self.latest: dict[str, object] = {}

    def proven(self, topic: Topic) -> int:
        return 0


def connection() -> Any:
    return Line()


def use() -> Use:
    channel: Any = SimpleNamespace(name="trades", private=False, book=None, readers=())
    return Use("public", Topic("trades", {}, "trades", {}), channel)


def test_breaks_of_the_only_connection_leave_nothing_to_remember() -> None:
    one, only = use(), connection()
    one.join(only)
    for at in range(10, 1000, 10):
        one.went_live(only, at)
        one.went_down(only, at + 5)
    assert len(one.services) == 1


def test_what_one_of_two_connections_brought_is_remembered() -> None:
    one, first, second = use(), connection(), connection()
    one.join(first)
    one.join(second)
    for at in (10, 20):
        one.went_live(first, at)
        one.went_down(first, at + 5)
    assert [(span.since, span.until) for span in one.services] == [(10, 15), (20, 25)]
    assert one.unproven(second, 12, 30) == [(15, 20), (25, 30)]
