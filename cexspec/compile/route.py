"""Routers: which frame is what, told by its discriminating fields alone.

Small envelope types hold just the fields that conditions look at. Their values, as a key, are looked up in a table
that fills itself: the first frame of a kind is compared with the conditions, every later one is a dict hit.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from cexspec.compile.conditions import Conditions, predicate, split, text_of
from cexspec.compile.envelope import Envelope
from cexspec.compile.hole import NO_JSON
from cexspec.compile.paths import MISSING, parse
from cexspec.compile.socket_plan import Verdict
from cexspec.models import DecodeError
from cexspec.spec.model import Condition

MAX_KEYS = 8192
"""Kinds of frames remembered; a venue's are some dozens, and a hostile peer must not fill the memory."""
MAX_KEY = 4096
"""Characters of a key that is remembered."""
MAX_TEXT = 64
"""Bytes of a frame that may be a plain text."""

UNROUTED = Verdict("unrouted", reason="no role or channel of the spec matches it")
NOT_LEARNED = Verdict("unrouted", reason="its number was not announced by an ack and no channel has its shape")
Asked = list[tuple[str, Condition]]
"""Path and condition."""


@dataclass(frozen=True)
class Candidate:
    """A verdict and the conditions that lead to it. `channels` are those whose data it is."""

    verdict: Verdict
    match: Conditions
    shape: Conditions = field(default_factory=dict)
    channels: frozenset[str] = frozenset()

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """All that is asked of its messages."""
        yield from self.match.items()
        yield from self.shape.items()


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

    `bare` are the candidates for frames that are the message itself, `wrapped` those for frames with the message at
    `payload`. Roles come before data; the first candidate that holds wins. `learned_by` is the path of the value that
    acks teach, `texts` what frames that are no JSON say.
    """

    def __init__(
        self,
        exchange: str,
        bare: list[Candidate],
        wrapped: list[Candidate],
        payload: str | None,
        learned_by: str | None,
        texts: Mapping[bytes, Verdict],
    ) -> None:
        self._exchange, self._texts = exchange, dict(texts)
        self._payload = parse(payload) if payload is not None else None
        self._learned_by = parse(learned_by) if learned_by is not None else None
        self._candidates = {False: [_Compared(one) for one in bare], True: [_Compared(one) for one in wrapped]}
        self._arrays, self._objects = self._envelopes(_conditions(bare), _conditions(wrapped))
        self._known: dict[Hashable, Verdict] = {}

    def _envelopes(self, bare: Asked, wrapped: Asked) -> tuple[tuple[Envelope, ...], tuple[Envelope, ...]]:
        """The shapes of frames that are arrays, and of frames that are objects, in the order in which they are tried."""
        inner, learned = self._payload, self._learned_by
        around = (Envelope(wrapped, array=array, root=inner.steps, learned=learned) for array in (False, True)) if inner is not None else ()
        absent = inner.steps if inner is not None else None
        arrays = (Envelope(bare, array=True, learned=learned),)
        return arrays, (*around, Envelope(bare, array=False, absent=absent, learned=learned))

    def route(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The verdict on a frame, and the learned value in it. Raises `DecodeError` where it is no JSON."""
        text = self._texts.get(frame) if len(frame) <= MAX_TEXT else None
        if text is not None:
            return text, None
        for envelope in self._arrays if frame[:1] == b"[" else self._objects:
            try:
                key = envelope.key(envelope.decode(frame))
            except msgspec.ValidationError:
                continue
            except NO_JSON as error:
                raise self._no_json(error) from None
            if key is None:
                continue
            value = None
            if envelope.learned:
                value = text_of(key[0])
                key = (None if value is None else learned.get(value, ""), *key[1:])
            verdict = self._known.get(key)
            return verdict if verdict is not None else self._remember(key, self._compare(frame, learned)[0]), value
        return self._compare(frame, learned)

    def _remember(self, key: Hashable, verdict: Verdict) -> Verdict:
        if len(repr(key)) <= MAX_KEY:
            if len(self._known) >= MAX_KEYS:
                self._known.clear()
            self._known[key] = verdict
        return verdict

    def _compare(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The slow way, over the whole decoded frame: what it finds is remembered where an envelope knows the shape."""
        try:
            document = msgspec.json.decode(frame)
        except NO_JSON as error:
            raise self._no_json(error) from None
        inner = self._payload.first(document) if self._payload is not None else MISSING
        wrapped = inner is not MISSING and inner is not None
        message = inner if wrapped else document
        value = text_of(self._learned_by.first(document)) if self._learned_by is not None else None
        channel = learned.get(value) if value is not None else None
        for candidate in self._candidates[wrapped]:
            if candidate.fits(message, document, channel):
                return candidate.verdict, value
        return UNROUTED if value is None or channel is not None else NOT_LEARNED, value

    def _no_json(self, error: Exception) -> DecodeError:
        return DecodeError(f"no JSON: {error}", exchange=self._exchange)


def _conditions(candidates: Iterable[Candidate]) -> Asked:
    return [each for candidate in candidates for each in candidate.conditions]
