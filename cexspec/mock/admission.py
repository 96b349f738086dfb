"""Whom the mock venue lets in: logins and messages whose signature it makes itself, and what it gave over REST before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import msgspec

from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import parse
from cexspec.compile.recipe import Moment
from cexspec.compile.templates import compile_tree
from cexspec.mock.document import put
from cexspec.mock.matching import Holes
from cexspec.mock.moments import told_by
from cexspec.models import AuthenticationError, Credentials

WINDOW = 30_000_000_000
"""Nanoseconds that the client's clock may differ from the venue's."""


class Admission:
    """Believes who signs with `credentials`, by `clock` (nanoseconds). What it gave out over REST it knows again, until `forget`."""

    def __init__(self, exchange: Exchange, credentials: Credentials, clock: Callable[[], int]) -> None:
        self._exchange, self._credentials, self._clock = exchange, credentials, clock
        self._numbers = count(1)
        self._given: dict[str, set[str]] = {}

    def forget(self) -> None:
        """What was given out is worth nothing any more."""
        self._given.clear()

    def issued(self, operation: str, answer: Any) -> Any:
        """The answer with values of its own where a connection takes what it begins with."""
        number = next(self._numbers)
        for name, path in self._taken(operation):
            value = f"mock{name.replace('_', '')}{number:04}"
            self._given.setdefault(name, set()).add(value)
            answer = put(answer, parse(path).steps, value)
        return answer

    def knows(self, connection: str, values: Mapping[str, Any]) -> bool:
        """Whether what a connection takes from REST, and shows here, was given out."""
        return all(values[name] in self._given.get(name, ()) for name in self.names(connection) if name in values)

    def names(self, connection: str) -> tuple[str, ...]:
        """What a connection takes from REST before it begins."""
        assert self._exchange.spec.ws is not None
        bootstrap = self._exchange.spec.ws.connections[connection].bootstrap
        return tuple(bootstrap.take) if bootstrap is not None else ()

    def objection(self, recipe: str, tree: Any, message: Any, holes: Holes) -> str | None:
        """Why a message of this form that a recipe signs isn't believed: the class of the venue's error; None where it is."""
        plan = self._exchange.recipe(recipe)
        given = {**holes, **(holes["topic"] if isinstance(holes.get("topic"), dict) else {})}
        try:
            zero = plan.values(self._credentials, Moment(0, 0, 0), given)
            moment = _moment(tree, message, int(zero.get("expires", 0)), self._exchange.recv_window)
            values = {**given, **plan.values(self._credentials, moment, given)}
        except (AuthenticationError, ValueError):
            return "AuthenticationError"
        template = compile_tree(tree, frozenset(values), self._exchange.findings(), ())
        if msgspec.json.decode(msgspec.json.encode(template.fill(values))) != message:
            return "AuthenticationError"
        return "TimestampError" if moment.now and abs(moment.now - self._clock()) > WINDOW else None

    def _taken(self, operation: str) -> Iterator[tuple[str, str]]:
        for one in (self._exchange.spec.ws.connections if self._exchange.spec.ws is not None else {}).values():
            if one.bootstrap is not None and one.bootstrap.operation == operation:
                yield from one.bootstrap.take.items()


def _moment(tree: Any, message: Any, ahead: int, recv_window: int) -> Moment:
    """When a message was signed, as it says itself; `ahead`: how far behind that it expires; `recv_window`: if it says none."""
    told = dict(_told(tree, message, ahead))
    return Moment(told.get("now", 0), told.get("nonce", 0), told.get("recv_window", recv_window))


def _told(tree: Any, message: Any, ahead: int) -> Iterator[tuple[str, int]]:
    match tree, message:
        case dict(), dict():
            for key, inner in tree.items():
                yield from _told(inner, message.get(key), ahead)
        case list(), list():
            for inner, one in zip(tree, message, strict=False):
                yield from _told(inner, one, ahead)
        case _:
            yield from told_by(tree, message, ahead).items()
