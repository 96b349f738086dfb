"""Beginnings of frames: which conditions their first bytes already tell to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cexspec.compile.conditions import Conditions, value_predicate
from cexspec.compile.paths import Steps, parse

_MEMBER = re.compile(rb'([}\s]*)[{,]\s*"([^"\\]*)"\s*:\s*(?:"([^"\\]*)"|[^\s"{}\[\],:]+(?=[\s,}])|(?=\{))')
"""A member: the objects that end before it, its name, and its text; another scalar; or an object, which begins there."""


class Teller:
    """Which of a mapping's conditions the first bytes of a frame tell to hold: the text they ask for stands there whole.

    `match` are the conditions by path, `message` is where in the frame the message is.
    """

    def __init__(self, match: Conditions, message: Steps) -> None:
        asked = ((path, parse(path), condition) for path, condition in match.items() if condition.of == "message")
        self._asked = [(path, (*message, *place.steps), value_predicate(one)) for path, place, one in asked if place.rest is None]

    def told(self, beginning: bytes) -> frozenset[str]:
        """The paths of the conditions that hold for every frame that begins so."""
        there = dict(texts(beginning))
        return frozenset(path for path, place, holds in self._asked if place in there and holds(there[place]))


def texts(beginning: bytes) -> Iterator[tuple[Steps, str]]:
    """The texts that the first bytes of a frame hold whole, by their place, up to the first array or escaped letter."""
    around: list[str] = []
    at = 0
    while (member := _MEMBER.match(beginning, at)) is not None:
        ended, name, text = member.groups()
        del around[max(0, len(around) - ended.count(b"}")) :]
        place = (*around, name.decode(errors="replace"))
        at = member.end()
        if text is not None:
            yield place, text.decode(errors="replace")
        elif beginning[at : at + 1] == b"{":
            around.append(place[-1])
