"""Readers: decode and extract, with every failure turned into a `DecodeError` that names payload path and spec line."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import DecimalException, InvalidOperation, Overflow, Rounded
from operator import itemgetter
from traceback import walk_tb
from types import TracebackType

import msgspec

from cexspec.compile.describe import describe
from cexspec.compile.extract import Extractor
from cexspec.compile.hole import shortened
from cexspec.compile.paths import Step, Steps, Wild
from cexspec.compile.plan import Context, ReaderPlan, Twins
from cexspec.compile.salvage import Salvage
from cexspec.compile.source import Origin
from cexspec.models import DecodeError, Event
from cexspec.spec.source import Position, Where

Locate = Callable[[Where], Position]
FAILURES = (msgspec.DecodeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, DecimalException, RecursionError)
"""What decoding and generated code raise on a payload that doesn't fit (all of it data-driven)."""

_AT = re.compile(r" - at `(\$.*)`$")
_MISSING = re.compile(r"missing required field `(.+?)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_NOT_LISTED = "Invalid enum value "
_SPOKEN: dict[type[Exception], str] = {
    RecursionError: "nested too deeply",
    InvalidOperation: "a number out of bounds",
    Overflow: "a number out of bounds",
    Rounded: "a number of too many digits",
}
"""Failures whose own words say nothing."""


class Reader:
    """Reads one kind of message of one exchange."""

    def __init__(self, name: str, exchange: str, extractor: Extractor, mapping_at: Where, locate: Locate) -> None:
        self.name, self.exchange, self.extractor = name, exchange, extractor
        self._mapping_at, self._locate = mapping_at, locate
        self._salvage: Salvage | None = None

    def plan(self, unlowered: tuple[str, ...], snapshot: bool | None, twins: Twins) -> ReaderPlan:
        """The reader as a plan node; `twins` makes its faster forms."""
        extractor = self.extractor
        return ReaderPlan(
            name=self.name,
            model=extractor.model,
            decode=lambda frame: extractor.decode(frame),
            extract=lambda: extractor.extract,
            read=self.read,
            source=extractor.writer.text,
            unlowered=unlowered,
            position=self._locate(self._mapping_at),
            layout=lambda: list(describe(extractor.wire.root)),
            snapshot=snapshot,
            scaled=extractor.scaled,
            guarded=extractor.guarded,
            twins=twins,
        )

    def read(self, frame: bytes, context: Context) -> list[Event]:
        """The events of a frame. Raises `DecodeError`; one bad record among others is quarantined instead."""
        try:
            return self.extractor.extract(context, frame)
        except FAILURES as failure:
            error = self._error(failure)
        if self.extractor.loop is None:
            raise error
        return self._without_bad_records(frame, context, error)

    def _without_bad_records(self, frame: bytes, context: Context, error: DecodeError) -> list[Event]:
        if self._salvage is None:
            self._salvage = Salvage(self.extractor)
        try:
            events, failures = self._salvage.read(frame, context, FAILURES)
        except FAILURES:
            raise error from None
        if not events:
            raise error
        for number, failure in failures:
            context.quarantine(self._error(failure, number))
        return events

    def _error(self, failure: Exception, record: int | None = None) -> DecodeError:
        """What went wrong, where in the payload, and which line of the spec asked for it; of a batch, in which `record`."""
        path, origin = self._place(failure)
        position = self._locate(origin.where if origin else self._mapping_at)
        text = self._text(failure, path) if record is None else f"record {record}: {self._text(failure, path)}"
        return DecodeError(text, exchange=self.exchange, channel=self.name, path=path, position=str(position))

    def _place(self, failure: Exception) -> tuple[str, Origin | None]:
        """The payload path, and what asked for it: by the line of generated code that failed, else by msgspec's own words."""
        origin = self._line_of(failure.__traceback__)
        if origin is not None:
            return origin.path, origin
        if not isinstance(failure, msgspec.DecodeError | UnicodeDecodeError):  # the second one is the first since msgspec 0.23
            return "", None
        found, missing = _AT.search(str(failure)), _MISSING.search(str(failure))
        path = (found.group(1) if found else "$") + (f".{missing.group(1)}" if missing else "")
        return path, self._asked_for(_steps(path))

    def _line_of(self, traceback: TracebackType | None) -> Origin | None:
        lines = (line for frame, line in walk_tb(traceback) if frame.f_code is self.extractor.extract.__code__)
        return next((self.extractor.writer.origin_of(line) for line in lines), None)

    def _asked_for(self, steps: Steps) -> Origin | None:
        """What reads a place, or else something inside it."""
        fits = [(len(asked), origin) for asked, origin in self.extractor.asked if _leads_to(steps, asked)]
        return min(fits, key=itemgetter(0))[1] if fits else None

    def _text(self, failure: Exception, path: str) -> str:
        """The reason; with the words that would have been right, where there is a list of them."""
        text = _AT.sub("", str(failure))
        if text.startswith(_NOT_LISTED):
            steps = tuple(Wild.ELEMENTS if isinstance(step, int) else step for step in _steps(path))
            known = ", ".join(dict.fromkeys(str(word) for word in self.extractor.wire.node(steps).words))
            value = shortened(text.removeprefix(_NOT_LISTED))
            return f"{value} is none of {known}" if known else f"{_NOT_LISTED}{value}"
        return _SPOKEN.get(type(failure), text)


def decodes(reader: ReaderPlan, frame: bytes) -> bool:
    """Whether a frame has the shape that a reader wants."""
    try:
        reader.decode(frame)
    except FAILURES:
        return False
    return True


def _steps(path: str) -> Steps:
    return tuple(int(index) if index else name for name, index in _STEP.findall(path))


def _leads_to(steps: Steps, asked: Steps) -> bool:
    return len(steps) <= len(asked) and all(_goes(mine, theirs) for mine, theirs in zip(steps, asked, strict=False))


def _goes(mine: Step, theirs: Step) -> bool:
    return mine == theirs or (theirs is Wild.ELEMENTS and isinstance(mine, int))
