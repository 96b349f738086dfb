"""Routers: which frame is what, told by its discriminating fields alone.

A small envelope type holds just the fields that conditions look at. Its values, as a key, are looked up in a table
that fills itself: the first frame of a kind is compared with the conditions, every later one is a dict hit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cexspec.compile.access import Scope
from cexspec.compile.conditions import predicate, split, text_of
from cexspec.compile.inline import leaf_of
from cexspec.compile.paths import MISSING, Path, Steps, parse
from cexspec.compile.plan import Verdict
from cexspec.compile.signature import Interest
from cexspec.compile.wire import Leaf, Wire
from cexspec.models import DecodeError
from cexspec.spec.model import Condition

MAX_KEYS = 8192
"""Kinds of frames remembered; a venue's are some dozens, and a hostile peer must not fill the memory."""

UNROUTED = Verdict("unrouted", reason="no role or channel of the spec matches it")
NOT_LEARNED = "its number was not announced by an ack and no channel has its shape"

Conditions = Mapping[str, Condition]


@dataclass(frozen=True)
class Candidate:
    """A verdict and the conditions that lead to it. `channels` are those whose data it is."""

    verdict: Verdict
    match: Conditions
    shape: Conditions
    channels: frozenset[str] = frozenset()


class _Compared:
    """A candidate with its conditions ready to run."""

    def __init__(self, candidate: Candidate) -> None:
        self.verdict, self._channels = candidate.verdict, candidate.channels
        match, frame = split(candidate.match)
        self._match, self._frame, self._shape = predicate(match), predicate(frame), predicate(candidate.shape)

    def fits(self, message: object, frame: object, channel: str | None) -> bool:
        """Whether the message is this; `channel` is the one its learned value names, which settles what shapes would."""
        if not (self._match(message) and self._frame(frame)):
            return False
        return channel in self._channels if self._channels and channel is not None else self._shape(message)


class FrameRouter:
    """The router of one connection.

    `bare` holds the candidates for frames that are the message itself, `wrapped` those for frames with an envelope
    around it. Roles come before data; the first candidate that holds wins.
    """

    def __init__(
        self,
        exchange: str,
        candidates: list[Candidate],
        wrapped: list[Candidate],
        payload: Steps | None,
        learned_by: str | None,
        texts: Mapping[bytes, Verdict],
    ) -> None:
        self._exchange, self._texts = exchange, dict(texts)
        self._learned_by = parse(learned_by).steps if learned_by else None
        every = [*candidates, *wrapped]
        self._objects = _Envelope(every, payload, self._learned_by, objects=True)
        self._arrays = _Envelope(every, None, self._learned_by, objects=False)
        self._candidates = {False: [_Compared(one) for one in candidates], True: [_Compared(one) for one in wrapped]}
        self._payload = payload
        self._known: dict[Any, Verdict] = {}

    def route(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The verdict on a frame, and the learned value in it. Raises `DecodeError` where it is no JSON."""
        text = self._texts.get(frame) if len(frame) < 64 else None
        if text is not None:
            return text, None
        envelope = self._arrays if frame[:1] == b"[" else self._objects
        try:
            key = envelope.key(envelope.decode(frame))
        except msgspec.ValidationError:
            return self._compare(frame, learned)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"no JSON: {error}", exchange=self._exchange) from None
        if self._learned_by is not None and envelope is self._arrays:
            value = text_of(key[0])
            channel = learned.get(value) if value is not None else None
            key = (channel, *key[1:])
        else:
            value = channel = None
        try:
            verdict = self._known.get(key)
        except TypeError:  # an array or object among the values
            return self._compare(frame, learned)
        if verdict is None:
            verdict = self._compare(frame, learned)[0]
            if len(self._known) >= MAX_KEYS:
                self._known.clear()
            self._known[key] = verdict
        return verdict, value

    def _compare(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The slow way, over the whole decoded frame: what it finds is remembered."""
        try:
            document = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"no JSON: {error}", exchange=self._exchange) from None
        inner = _at(document, self._payload) if self._payload is not None else MISSING
        wrapped = inner is not MISSING and inner is not None
        message = inner if wrapped else document
        value = self._value(document)
        channel = learned.get(value) if value is not None else None
        for candidate in self._candidates[wrapped]:
            if candidate.fits(message, document, channel):
                return candidate.verdict, value
        return (UNROUTED if value is None or channel else Verdict("unrouted", reason=NOT_LEARNED)), value

    def _value(self, document: object) -> str | None:
        if self._learned_by is None or not isinstance(document, list):
            return None
        return text_of(_at(document, self._learned_by))


def _at(document: object, steps: Steps) -> object:
    for step in steps:
        if isinstance(step, str) and isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return MISSING
    return document


class _Envelope:
    """Decodes the discriminating fields of one form of frame and makes a table key of them."""

    def __init__(self, candidates: list[Candidate], payload: Steps | None, learned: Steps | None, *, objects: bool) -> None:
        self._scope = Scope(Wire())
        wire = self._scope.wire
        conditions = [(path, one) for each in candidates for path, one in (*each.match.items(), *each.shape.items())]
        conditions = [(path, one) for path, one in conditions if _rooted(path, objects=objects)]
        inner = [(path, one) for path, one in conditions if one.of == "message"]
        outer = [(path, one) for path, one in conditions if one.of == "frame" or payload is None]
        places = [((), path, one) for path, one in conditions]
        if payload is not None and objects:
            places += [(payload, path, one) for path, one in inner]
            wire.add((*payload, "<never>"), Leaf.SCALAR, required=False)
        if learned is not None and not objects:
            wire.add(learned, Leaf.SCALAR, required=False)
        for base, path, one in places:
            wire.add((*base, *parse(path).steps), leaf_of(one), required=False)
        self.decode = wire.decoder(wire.build()).decode
        self._scope.bind((), "m")
        head = [] if learned is None or objects else [self._scope.access((), parse(_text(learned))).code]
        code = f"({', '.join([*head, 'False', *self._features((), conditions)])},)"
        if payload is not None and objects:
            around = [*self._features(payload, inner), *self._features((), [one for one in outer if one[1].of == "frame"])]
            code = f"({', '.join(['True', *around])},) if {self._scope.access((), parse(_text(payload))).code} is not None else {code}"
        self.key: Callable[[Any], Any] = eval(f"lambda m: {code}", dict(self._scope.names))

    def _features(self, base: Steps, conditions: list[tuple[str, Condition]]) -> list[str]:
        """What the conditions depend on: plain values themselves, and signatures of what is an array, an object or anything."""
        features: dict[str, None] = {}
        below: dict[Steps, Interest] = {}
        for path, condition in conditions:
            steps = (*base, *parse(path).steps)
            access = self._scope.access(base, parse(path))
            if not access.plain:
                features[access.code] = None
                continue
            root = self._scope.wire.node(steps).steps
            below.setdefault(root, Interest()).add(steps[len(root) :], condition)
        for root, interest in below.items():
            value = self._scope.access((), Path("$", root)).code
            features[f"{self._scope.constant(interest.signature, 'signature')}({value})"] = None
        return list(features)


def _rooted(path: str, *, objects: bool) -> bool:
    """Whether a path can lead anywhere in a frame that is an object (or an array)."""
    steps = parse(path).steps
    return not steps or isinstance(steps[0], str) is objects


def _text(steps: Steps) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps)
