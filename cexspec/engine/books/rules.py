"""How the numbers of book messages prove that none was lost: the named rules, as functions.

Each looks at where the book stands and at the next message, and says: it is the `next` one, an `old` one (what it tells is in
the book already), or there is a `gap`. Numbers that are not there prove nothing: such a message is taken to be the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from cexspec.models import Book


@dataclass(frozen=True, slots=True)
class Place:
    """Where a book stands: the numbers of the last message in it. `fetched`: that is a snapshot from elsewhere (REST)."""

    sequence: int | None = None
    previous: int | None = None
    fetched: bool = False


class Verdict(NamedTuple):
    """What a message is to the book, and of a gap the reason."""

    kind: Literal["next", "old", "gap"]
    reason: str = ""


class Numbers(NamedTuple):
    """The numbers of a message that has one: its first, its last, and the last of the message before it."""

    first: int
    last: int
    previous: int | None


NEXT, OLD = Verdict("next"), Verdict("old")
Position = tuple[int, ...]
"""Where a book stands in an order that all connections tell alike (see `position`)."""
Rule = Callable[[int, Place, Numbers, Collection[str]], Verdict]
"""(number the book stands at, place, message, documented exceptions) -> verdict"""


def judge(rule: str | None, accepts: Collection[str], place: Place, message: Book) -> Verdict:
    """The verdict of a rule, by its name (None: there are no numbers), on the next message."""
    if rule is None or rule not in RULES or place.sequence is None or message.sequence is None:
        return NEXT
    first = message.first_sequence if message.first_sequence is not None else message.sequence
    return RULES[rule](place.sequence, place, Numbers(first, message.sequence, message.previous_sequence), accepts)


def contiguous(at: int, place: Place, message: Numbers, accepts: Collection[str]) -> Verdict:
    """Numbers grow by one, or ranges of them follow each other. `reset`: 1 begins anew, and a snapshot must follow."""
    if "reset" in accepts and message.last == 1 < at:
        return Verdict("gap", "the venue has begun to count anew")
    if message.last <= at:
        return OLD
    return NEXT if message.first <= at + 1 else _hole(message.first, at)


def previous(at: int, place: Place, message: Numbers, accepts: Collection[str]) -> Verdict:
    """Each message names the number of the one before. `equal`: nothing changed; `reset`: the number may fall."""
    if message.previous is None:
        return Verdict("gap", f"message {message.last} does not say what it follows")
    if place.fetched and message.last <= at:
        return OLD
    if message.previous == at or (place.fetched and message.previous < at):
        return _advance(message.last, message.previous, accepts)
    if (message.last, message.previous) == (at, place.previous) or ("reset" not in accepts and message.last <= at):
        return OLD
    return Verdict("gap", f"message {message.last} follows {message.previous}, the book stands at {at}")


def overlap(at: int, place: Place, message: Numbers, accepts: Collection[str]) -> Verdict:
    """Ranges of numbers. The first one after a snapshot reaches over it, or (`snapshot_is_previous`) names it as the one before.

    Where messages name the one before, the range holds the snapshot's own number, and from then on the chain must be unbroken.
    """
    linked = message.previous is not None
    if place.fetched:
        if message.last < at or (message.last == at and not linked):
            return OLD
        reaches = message.first <= (at if linked else at + 1)
        if reaches or ("snapshot_is_previous" in accepts and message.previous == at):
            return NEXT
        return Verdict("gap", f"the snapshot ends at {at}, before the first change that was kept ({message.first})")
    if message.last <= at:
        return OLD
    if linked:
        return NEXT if message.previous == at else Verdict("gap", f"message {message.last} follows {message.previous}, not {at}")
    return NEXT if message.first <= at + 1 else _hole(message.first, at)


def monotonic(at: int, place: Place, message: Numbers, accepts: Collection[str]) -> Verdict:
    """Numbers, or times, only grow; how many are left out is not told. `equal` and `reset`: they may stay, or fall."""
    if message.last > at:
        return NEXT
    if message.last == at:
        return NEXT if "equal" in accepts else OLD
    if place.fetched:
        return OLD
    return NEXT if "reset" in accepts else Verdict("gap", f"the number went back from {at} to {message.last}")


RULES: Mapping[str, Rule] = MappingProxyType({"contiguous": contiguous, "previous": previous, "overlap": overlap, "monotonic": monotonic})
"""By the name specs use. `per_connection` numbers frames, not messages: the session counts those."""


def position(rule: str | None, accepts: Collection[str], sequence: int | None, time: int | None) -> Position | None:
    """Where a book stands after a message: its number, or its time where numbers are not the book's own.

    Where numbers may fall (`reset`) the time goes before them: they tell messages of one time apart. None: nobody can tell.
    """
    numbered = (sequence,) if rule in RULES and sequence is not None else ()
    if rule in RULES and "reset" not in accepts:
        return numbered or None
    return None if time is None else (time, *numbered)


def _advance(last: int, before: int, accepts: Collection[str]) -> Verdict:
    if last > before:
        return NEXT
    if last == before:
        return NEXT if "equal" in accepts else Verdict("gap", f"message {last} follows itself")
    return NEXT if "reset" in accepts else Verdict("gap", f"the number fell from {before} to {last}")


def _hole(first: int, at: int) -> Verdict:
    return Verdict("gap", f"{first - at - 1} number(s) between {at} and {first} are missing")
