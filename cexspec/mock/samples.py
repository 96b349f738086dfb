"""The samples of a venue: its cases as data, which give the mock its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cexspec.compile.channels import Message, messages
from cexspec.compile.conditions import Predicate, predicate, split
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, parse
from cexspec.models import InvalidSymbol, SpecError
from cexspec.models.symbol import Symbol

Case = Mapping[str, Any]

_JSON = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class Frame:
    """A sample data frame: which message of the channel it is, whether it holds a whole book, the text, what it is about.

    `events` are those that it becomes, of the channel's model; `whole`: it is no partial update.
    """

    message: Message
    snapshot: bool | None
    document: Any
    symbol: Symbol | None
    events: Sequence[Mapping[str, Any]] = ()
    whole: bool = True


@dataclass(frozen=True)
class Samples:
    """Messages and errors of a venue."""

    messages: tuple[Case, ...]
    errors: tuple[Case, ...]

    @classmethod
    def load(cls, spec: Path) -> Samples:
        """Read the samples beside a spec file. Raises SpecError where there are none."""
        return cls(*(tuple(read_cases(folder_of(spec) / f"{name}.yaml")) for name in ("messages", "errors")))

    def answer(self, operation: str, params: Mapping[str, Any], kind: str | None = None) -> Case | None:
        """The richest sample answer of an operation, if there is one of a call with these parameters, and for this kind."""
        cases = [case for case in self.messages if case.get("operation") == operation]
        same = [case for case in cases if _agree(case.get("params") or {}, params)]
        return max(same or cases, key=lambda case: (kind is not None and _kind(case) == kind, _richness(case)), default=None)

    def answers(self, operation: str) -> list[Case]:
        """Sample answers of an operation that hold events."""
        return [case for case in self.messages if case.get("operation") == operation and case.get("events")]

    def calls(self, operation: str) -> list[Mapping[str, Any]]:
        """The parameters of the sample calls of an operation."""
        return [case.get("params") or {} for case in self.messages if case.get("operation") == operation]

    def calls_about(self, symbol: str, operation: str) -> list[Mapping[str, Any]]:
        """The parameters of the calls whose answers tell of an instrument among others: of an operation, else of any."""
        cases = [case for case in self.messages if "operation" in case and "symbol" not in (case.get("params") or {})]
        about = [case for case in cases if any(event.get("symbol") == symbol for event in case.get("events") or ())]
        own = [case for case in about if case["operation"] == operation]
        return [case.get("params") or {} for case in own or about]

    def of_role(self, connection: str, role: str, fits: Predicate = bool) -> Iterator[Any]:
        """Sample frames of a role on a connection (of any other where that has none)."""
        cases = [case for case in self.messages if case.get("role") == role and "raw" in case and "connection" in case]
        here = [case for case in cases if case["connection"] == connection]
        return (frame for case in here or cases if fits(frame := decode(case["raw"])))

    def frames_that(self, fits: Predicate, error: str | None = None) -> Iterator[Any]:
        """Sample frames of any connection of this form: good ones, or those that mean an error class."""
        cases = self.messages if error is None else [case for case in self.errors if case.get("error") == error]
        return (frame for case in cases if "connection" in case and fits(frame := decode(case["raw"])))

    def complaints(self, connection: str, error: str) -> Iterator[Any]:
        """Sample frames of a connection that mean an error class."""
        return (decode(case["raw"]) for case in self.errors if (case.get("connection"), case.get("error")) == (connection, error))

    def failure(self, operation: str, error: str) -> tuple[int, str] | None:
        """Status and body of an answer that means an error class, best one of the same operation."""
        cases = [case for case in self.errors if case.get("error") == error and "body" in case]
        best = min(cases, key=lambda one: one.get("operation") != operation, default=None)
        return None if best is None else (int(best.get("status", 400)), str(best["body"]))

    def frames(self, exchange: Exchange, channel: str, connection: str) -> list[Frame]:
        """Sample data frames of a channel on a connection (on any other where that has none).

        Wrapped ones come first, then whole ones (no partial updates), then those of the channel's first message, then rich ones.
        """
        assert exchange.spec.ws is not None
        spec, payload = exchange.spec.ws.channels[channel], exchange.spec.ws.connections[connection].payload
        cases = [case for case in self.messages if case.get("channel") == channel and case.get("events")]
        found: list[tuple[bool, bool, int, int, Frame]] = []
        known = list(messages(channel, spec))
        for case in [case for case in cases if case.get("connection") == connection] or cases:
            document = decode(case["raw"])
            inner = parse(payload).first(document) if payload else MISSING
            body = document if inner is MISSING else inner
            number = next((number for number, one in enumerate(known) if _is(one, body, document)), None)
            if number is not None:
                events = [event for event in case["events"] if event.get("type") == spec.returns]
                whole = _is_whole(known[number], body)
                frame = Frame(known[number], case["events"][0].get("is_snapshot"), document, _symbol(case), events, whole)
                found.append((inner is MISSING, not whole, number, -_richness(case), frame))
        return [frame for *_, frame in sorted(found, key=lambda one: one[:4])]


_KINDS: dict[type, tuple[str, ...]] = {
    str: ("operation", "channel", "connection", "role", "error"),
    list: ("events", "given"),
    dict: ("params",),
    int: ("status",),
}
"""What the values of a case are, where it has them."""


def decode(text: str) -> Any:
    """JSON with exact numbers; a text that is no JSON is itself."""
    try:
        return _JSON.decode(text)
    except msgspec.DecodeError:
        return text


def funding_hours(case: Case) -> int:
    """How many hours lie between payments of funding, as a sample has it; 8 where it doesn't say."""
    return int(str(next((event["interval_hours"] for event in case.get("events") or () if "interval_hours" in event), 8)))


def folder_of(spec: Path) -> Path:
    """Where the samples of a spec file are."""
    return spec.parent / "samples" / spec.stem


def _is(message: Message, body: Any, frame: Any) -> bool:
    """Whether a frame, with its body, is this message of a channel."""
    checks = [split(conditions) for conditions in (message.match, message.shape)]
    return all(predicate(own)(body) and predicate(around)(frame) for own, around in checks)


def _is_whole(message: Message, body: Any) -> bool:
    """Whether a body says all there is to say, as far as the spec tells."""
    reset = message.mapping.merge.reset_when if message.mapping.merge is not None else None
    return reset is None or predicate(reset)(body)


def _agree(case: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    return all(str(params.get(key, value)) == str(value) for key, value in case.items() if key not in ("symbol", "interval"))


def _richness(case: Case) -> int:
    return len(case.get("events") or ()) * 100_000 + len(case["raw"]) if case.get("events") else len(case["raw"]) - 100_000


def _kind(case: Case) -> str | None:
    symbol = _symbol(case)
    return symbol.kind if symbol is not None else None


def _symbol(case: Case) -> Symbol | None:
    """The instrument that a case is about, if its first event tells."""
    try:
        return Symbol.parse(str(case["events"][0]["symbol"]))
    except (KeyError, IndexError, InvalidSymbol):
        return None


def read_cases(path: Path) -> list[Case]:
    """The cases of one file. Raises SpecError with what is wrong in it."""
    where = f"samples/{path.parent.name}/{path.name}"
    if not path.is_file():
        raise SpecError(f"the mock venue speaks from samples, and there is no {where} beside the spec")
    try:
        cases = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError(f"{where} can't be read: {error}") from None
    if cases is None:
        return []
    if not isinstance(cases, list):
        raise SpecError(f"{where} is no list of cases")
    for number, case in enumerate(cases, 1):
        if (wrong := _wrong(case, is_error=path.stem == "errors")) is not None:
            raise SpecError(f"{where}: case {number} {wrong}")
    return cases


def _wrong(case: Any, *, is_error: bool) -> str | None:
    """Why a case is none. Errors over REST have a body, everything else is a raw message."""
    if not isinstance(case, dict):
        return "is no mapping"
    payload = "body" if is_error and "connection" not in case else "raw"
    if not isinstance(case.get(payload), str):
        return f"has no text as its '{payload}'"
    for kind, names in _KINDS.items():
        for name in names:
            if not isinstance(case.get(name), kind | None):
                return f"has a '{name}' that is none"
    if not all(isinstance(event, dict) for event in case.get("events") or ()):
        return "has an event that is no mapping"
    return None
