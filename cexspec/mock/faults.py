"""What a mock venue does wrong when it is told to: faults as data, named alike by tests and by the command line.

A fault with a `count` happens so many times, one without it until `heal`. `Close`, `Maintenance` and `Burst` happen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec
from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True, tag_field="fault", forbid_unknown_fields=True):
    """Something that goes wrong at the venue."""


class Close(Fault, frozen=True, tag="close"):
    """Every WebSocket is closed with this code; 1006: without a close frame."""

    code: int = 1012


class Maintenance(Fault, frozen=True, tag="maintenance"):
    """The venue announces a restart in its own words; nothing, where its spec has none."""


class Burst(Fault, frozen=True, tag="burst"):
    """Every market makes so many moves at once."""

    moves: int = 100


class Lasting(Fault, frozen=True):
    """One that happens `count` times, or until it is healed."""

    count: int | None = None


class OfData(Lasting, frozen=True):
    """One that happens to frames of data: of one model (`book`, `trade`...), or of any."""

    of: str | None = None


class Drop(OfData, frozen=True, tag="drop"):
    """Frames never leave."""


class Duplicate(OfData, frozen=True, tag="duplicate"):
    """Frames are sent twice."""


class Reorder(OfData, frozen=True, tag="reorder"):
    """Frames are sent behind the next one of their topic."""


class Truncate(OfData, frozen=True, tag="truncate"):
    """Frames end half-way."""


class Corrupt(OfData, frozen=True, tag="corrupt"):
    """Frames are JSON no more."""


class Unknown(OfData, frozen=True, tag="unknown"):
    """Before a frame comes one that no documentation has."""


class Oversized(OfData, frozen=True, tag="oversized"):
    """Before a frame comes one of so many bytes."""

    size: int = 32 * 1024 * 1024


class Silence(OfData, frozen=True, tag="silence"):
    """Topics of one model, or of one symbol (native or unified), say nothing; everything else goes on."""

    symbol: str | None = None


class WrongChecksum(Lasting, frozen=True, tag="wrong-checksum"):
    """The checksums of books are others than those of the books."""


class NoAck(Lasting, frozen=True, tag="no-ack"):
    """Subscriptions are not answered; `served`: their data comes all the same."""

    served: bool = True


class NoPong(Lasting, frozen=True, tag="no-pong"):
    """Pings are not answered, neither messages nor control frames."""


class Refuse(Lasting, frozen=True, tag="refuse"):
    """Subscriptions are refused in the venue's words."""


class Skew(Lasting, frozen=True, tag="skew"):
    """The venue's clock is ahead by so many seconds, or behind (negative)."""

    seconds: float = 90.0


class Http(Lasting, frozen=True, tag="http"):
    """REST requests are answered with a status, and with `Retry-After` (seconds) where one is given."""

    status: int = 503
    retry_after: float | None = None


class Handshake(Lasting, frozen=True, tag="handshake"):
    """WebSocket handshakes are answered with a status, and with `Retry-After` (seconds) where one is given."""

    status: int = 503
    retry_after: float | None = None


class BrokenBody(Lasting, frozen=True, tag="broken-body"):
    """The bodies of REST answers end half-way (`cut`), or are JSON no more."""

    cut: bool = False


AnyFault = (
    Close
    | Maintenance
    | Burst
    | Drop
    | Duplicate
    | Reorder
    | Truncate
    | Corrupt
    | Unknown
    | Oversized
    | Silence
    | WrongChecksum
    | NoAck
    | NoPong
    | Refuse
    | Skew
    | Http
    | Handshake
    | BrokenBody
)
F = TypeVar("F", bound=Lasting)
D = TypeVar("D", bound=OfData)


def parse(text: str) -> AnyFault:
    """The fault of a text: `close`, `http:status=429,retry_after=2`. Raises ValueError."""
    name, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    try:
        fault: AnyFault = msgspec.convert({"fault": name, **{key.strip(): value for key, _, value in pairs}}, AnyFault, strict=False)
        return fault
    except msgspec.ValidationError as error:
        raise ValueError(f"no fault is {text!r}: {error}") from None


class Faults:
    """What is wrong at a venue now."""

    def __init__(self) -> None:
        self._active: dict[Lasting, int | None] = {}

    def begin(self, fault: Lasting) -> None:
        """From now on this is wrong."""
        self._active[fault] = fault.count

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self._active.clear()

    def has(self, kind: type[Lasting]) -> bool:
        """Whether something of a kind is wrong."""
        return any(isinstance(fault, kind) for fault in self._active)

    def take(self, kind: type[F], fits: Callable[[F], bool] = lambda fault: True) -> F | None:
        """The first fault of a kind that fits; it has happened once more."""
        for fault, left in self._active.items():
            if isinstance(fault, kind) and fits(fault):
                if left is not None and left <= 1:
                    del self._active[fault]
                elif left is not None:
                    self._active[fault] = left - 1
                return fault
        return None

    def of_data(self, kind: type[D], model: str) -> D | None:
        """`take`, of what happens to frames of a model."""
        return self.take(kind, lambda fault: fault.of in (None, model))

    @property
    def skew(self) -> int:
        """Nanoseconds that the venue's clock is ahead."""
        return sum(int(fault.seconds * 1e9) for fault in self._active if isinstance(fault, Skew))

    def silent(self, model: str, *names: str) -> bool:
        """Whether the topic of a model and a symbol, by these names, says nothing."""
        hushed = (fault for fault in self._active if isinstance(fault, Silence))
        return any(fault.of in (None, model) and fault.symbol in (None, *names) for fault in hushed)


class Outgoing:
    """What becomes of the frames of data that one connection sends."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: dict[str, list[str]] = {}

    def sent(self, model: str, topic: str, texts: Iterable[str]) -> Iterator[str]:
        """The frames that leave instead of these, which are of one topic."""
        for text in texts:
            if self._faults.of_data(Reorder, model) is not None:
                self._held.setdefault(topic, []).append(text)
                continue
            yield from self._before(model)
            yield from self._changed(model, text)
            yield from self._held.pop(topic, ())

    def _before(self, model: str) -> Iterator[str]:
        if self._faults.of_data(Unknown, model) is not None:
            yield '{"something":"new","nobody":["has","described"]}'
        if (oversized := self._faults.of_data(Oversized, model)) is not None:
            yield '"' + "x" * (oversized.size - 2) + '"'

    def _changed(self, model: str, text: str) -> Iterator[str]:
        texts: tuple[str, ...] = (text,)
        for kind, change in CHANGES.items():
            if texts and self._faults.of_data(kind, model) is not None:
                texts = change(text)
        yield from texts


CHANGES: Mapping[type[OfData], Callable[[str], tuple[str, ...]]] = MappingProxyType(
    {
        Drop: lambda text: (),
        Duplicate: lambda text: (text, text),
        Truncate: lambda text: (text[: len(text) // 2],),
        Corrupt: lambda text: (text.replace(",", ";", 1),),
    }
)
"""What faults make of a frame."""
