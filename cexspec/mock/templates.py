"""Sample frames to be filled, and the subscriptions they are sent to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cexspec.compile.paths import parse
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.mock.document import put
from cexspec.mock.encode import Encoder
from cexspec.mock.listing import Listed
from cexspec.mock.market import Row, Side
from cexspec.models.symbol import Symbol
from cexspec.spec.model import Channel
from cexspec.spec.model import Mapping as MappingSpec


@dataclass
class Topic:
    """A subscription: its channels and their model, what it asked for, the learned values, and what was last sent of book and candle."""

    topic: Any
    channels: list[ChannelPlan]
    model: str
    params: dict[str, str]
    learned: dict[str, int] = field(default_factory=dict)
    bids: Side = field(default_factory=dict)
    asks: Side = field(default_factory=dict)
    sequence: int = -1
    opening: int = 0
    usual: str | None = None
    """the symbol of the instrument that moves for it: where it tells of many, the one that its samples are about"""

    def about(self, listed: Listed) -> bool:
        """Whether the topic tells of an instrument."""
        kinds, own = self.channels[0].kinds, listed.params
        return all(own.get(key, value) == value for key, value in self.params.items()) and (kinds is None or listed.symbol.kind in kinds)


@dataclass(frozen=True)
class Template:
    """A sample frame to be filled, of an instrument `symbol`, read by `mapping`; a bare one lacks the connection's wrapping.

    `many`: one frame holds all events; `past`: it lists what the channel else has singly; `whole`: it is no partial update.
    """

    mapping: MappingSpec
    encoder: Encoder
    symbol: Symbol | None
    bare: bool
    snapshot: bool | None
    many: bool
    past: bool
    whole: bool = True
    events: Sequence[Mapping[str, Any]] = ()
    """what its items become, where it is known of each"""

    def filled(self, topic: Topic, events: list[Row], listed: Listed) -> Iterator[Any]:
        """Frames that hold these events."""
        named = [{"interval": topic.params.get("interval"), "symbol": topic.params.get("symbol", listed.id), **event} for event in events]
        for part in [named] if self.many else [[one] for one in named]:
            if part:
                yield self.encoder.encode(part, listed.branches)

    def distance(self, listed: Listed) -> tuple[bool, bool]:
        """How far it is from an instrument's frames: whether it is bare, and about one of another kind."""
        return self.bare, self.symbol is None or self.symbol.kind != listed.symbol.kind


def of_line(spec: Channel, row: Row, listed: Listed) -> Row:
    """A row whose item names the product line of its instrument, where items do."""
    if spec.category is None or spec.category.of != "item":
        return row
    return {**row, "like": put(row["like"], parse(spec.category.path).steps, listed.params.get("category"))}
