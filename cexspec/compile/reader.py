"""Readers: decode and extract, with every failure turned into a `DecodeError` that names payload path and spec line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import DecimalException
from traceback import walk_tb
from types import TracebackType
from typing import Any

import msgspec

from cexspec.compile.access import Scope
from cexspec.compile.extract import Extractor
from cexspec.compile.paths import Path, Step, Steps, Wild
from cexspec.compile.plan import Context, ReaderPlan
from cexspec.compile.source import Origin
from cexspec.compile.wire import Leaf, Wire
from cexspec.models import DecodeError, Event
from cexspec.spec.source import Position, Where

Locate = Callable[[Where], Position]
FAILURES = (msgspec.DecodeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, DecimalException, RecursionError)
"""What decoding and generated code raise on a payload that doesn't fit (all of it data-driven)."""

_AT = re.compile(r" - at `(\$.*)`$")
_MISSING = re.compile(r"missing required field `(.+?)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


class Reader:
    """Reads one kind of message of one exchange."""

    def __init__(self, name: str, exchange: str, extractor: Extractor, mapping_at: Where, locate: Locate) -> None:
        self.name, self.exchange, self.extractor = name, exchange, extractor
        self._mapping_at, self._locate = mapping_at, locate
        self._decode = extractor.wire.decoder(extractor.wire_type).decode
        self._extract = extractor.extract
        self._one_by_one: _OneByOne | None = None

    def plan(self, unlowered: tuple[str, ...], snapshot: bool | None, twins: Callable[[], tuple[ReaderPlan, ...]]) -> ReaderPlan:
        """The reader as a plan node; `twins` makes its faster forms."""
        extractor = self.extractor
        return ReaderPlan(
            name=self.name,
            model=extractor.model,
            wire=extractor.wire_type,
            decode=self._decode,
            extract=self._extract,
            read=self.read,
            source=extractor.writer.text,
            unlowered=unlowered,
            position=self._locate(self._mapping_at),
            snapshot=snapshot,
            scaled="base_size(" in extractor.writer.text or "scaled(" in extractor.writer.text,
            guarded=extractor.guarded,
            twins=twins,
        )

    def read(self, frame: bytes, context: Context) -> list[Event]:
        """The events of a frame. Raises `DecodeError`; one bad record among others is quarantined instead."""
        try:
            return self._extract(self._decode(frame), context)
        except FAILURES as failure:
            error = self.error(failure)
        if self.extractor.items.loop is None or self.extractor.items.plain or self.extractor.items.parent is not None:
            raise error
        return self._salvage(frame, context, error)

    def error(self, failure: BaseException) -> DecodeError:
        """What went wrong, where in the payload, and which line of the spec asked for it."""
        path, origin = self._place(failure)
        position = self._locate(origin.where if origin else self._mapping_at)
        text = self._words(_AT.sub("", str(failure)) or type(failure).__name__, path)
        if isinstance(failure, RecursionError):
            text = "nested too deeply"
        return DecodeError(text, exchange=self.exchange, channel=self.name, path=path, position=str(position))

    def _place(self, failure: BaseException) -> tuple[str, Origin | None]:
        if isinstance(failure, msgspec.DecodeError):
            found = _AT.search(str(failure))
            missing = _MISSING.search(str(failure))
            path = (found.group(1) if found else "$") + (f".{missing.group(1)}" if missing else "")
            return path, self._asked_for(path)
        origin = self._line_of(failure.__traceback__)
        return (origin.path if origin else ""), origin

    def _line_of(self, traceback: TracebackType | None) -> Origin | None:
        found = None
        for frame, line in walk_tb(traceback):
            if frame.f_code.co_filename.startswith("<extract "):
                found = self.extractor.writer.origin_of(line) or found
        return found

    def _words(self, text: str, path: str) -> str:
        """The reason with the words that would have been right, where there is a list of them."""
        if not text.startswith("Invalid enum value "):
            return text
        steps = tuple(Wild.ELEMENTS if index else name for name, index in _STEP.findall(path))
        known = ", ".join(dict.fromkeys(str(word) for word in self.extractor.wire.node(steps).words))
        return f"{text.removeprefix('Invalid enum value ')} is none of {known}" if known else text

    def _asked_for(self, text: str) -> Origin | None:
        steps = tuple(int(index) if index else name for name, index in _STEP.findall(text))
        fits = [(asked, origin) for asked, origin in self.extractor.asked if _fits(steps, asked)]
        return min(fits, key=lambda one: len(one[0]))[1] if fits else None

    def _salvage(self, frame: bytes, context: Context, error: DecodeError) -> list[Event]:
        if self._one_by_one is None:
            self._one_by_one = _OneByOne(self.extractor)
        try:
            events, failures = self._one_by_one.read(frame, context)
        except FAILURES:
            raise error from None
        if failures and not events:
            raise error
        for at, failure in failures:
            bad = self.error(failure)
            context.quarantine(DecodeError(f"record {at}: {bad}", exchange=self.exchange, channel=self.name, path=bad.path, position=bad.position))
        return events


class _OneByOne:
    """Decodes a list record by record, so that a bad one doesn't take the others along."""

    def __init__(self, extractor: Extractor) -> None:
        wire = extractor.wire
        element = extractor.items.element
        self._extract = extractor.extract
        self._item = wire.decoder(wire.type_at(element)).decode
        raw = Wire(wire.number)
        for steps, leaf, needed, words in _leaves(wire, element):
            raw.add(steps, leaf, required=needed, words=words)
        raw.add(element, Leaf.RAW, required=True)
        self._message = wire.decoder(raw.build()).decode
        scope = Scope(raw)
        scope.bind((), "m")
        code = scope.access((), Path("$", element[:-1])).code
        self._list: Callable[[Any], list[msgspec.Raw]] = eval(f"lambda m: {code}", dict(scope.names))

    def read(self, frame: bytes, context: Context) -> tuple[list[Event], list[tuple[int, BaseException]]]:
        message = self._message(frame)
        events: list[Event] = []
        failures: list[tuple[int, BaseException]] = []
        for at, raw in enumerate(self._list(message)):
            try:
                events += self._extract(message, context, [self._item(raw)])
            except FAILURES as failure:
                failures.append((at, failure))
        return events, failures


def _leaves(wire: Wire, outside: Steps) -> Iterator[tuple[Steps, Leaf, bool, tuple[str | int, ...]]]:
    nodes = [wire.root]
    while nodes:
        node = nodes.pop()
        if node.steps == outside:
            continue
        nodes.extend(node.members.values())
        if node.leaf is not None or node.plain:
            yield node.steps, Leaf.ANY if node.plain or node.leaf is None else node.leaf, node.required, node.words


def _fits(steps: tuple[Step, ...], asked: Steps) -> bool:
    if len(steps) > len(asked):
        return False
    return all(mine == theirs or (theirs is Wild.ELEMENTS and isinstance(mine, int)) for mine, theirs in zip(steps, asked, strict=False))
