"""Channels: their messages and the readers of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cexspec.compile.body import Surroundings
from cexspec.compile.checks import MappingChecks
from cexspec.compile.conditions import Conditions
from cexspec.compile.merging import Sharing
from cexspec.compile.parts import Form
from cexspec.compile.paths import Wild, parse
from cexspec.compile.plan import ReaderPlan
from cexspec.compile.readers import ReaderCompiler
from cexspec.compile.socket_plan import BookPlan
from cexspec.spec.model import Also, Channel, Connection, Mapping
from cexspec.spec.model.mapping import RestSync
from cexspec.spec.model.node import note_reads, place, values_of
from cexspec.spec.problems import Findings


@dataclass(frozen=True)
class Message:
    """One kind of message of a channel, and the how manieth: its whole mapping (an `also` takes from the channel what it doesn't say)."""

    name: str
    number: int
    mapping: Mapping
    match: Conditions
    shape: Conditions
    ignored: str | None = None


def messages(name: str, channel: Channel) -> Iterator[Message]:
    """The messages of a channel, its own first."""
    yield Message(name, 0, channel, channel.match, channel.shape or {})
    for number, also in enumerate(channel.also, 1):
        if also.role == "ignored":
            yield Message(name, number, also, also.match, also.shape or {}, also.reason or "repeats what another message says")
        else:
            yield Message(name, number, _inherit(also, channel), also.match, also.shape or {})


def _inherit(also: Also, channel: Channel) -> Mapping:
    """The channel's mapping with what the further message says instead; `item` and `items` replace each other."""
    own = also.model_fields_set
    replaced = {"shape", *({"item", "items"} if own & {"item", "items"} else ())}
    if "checksum" in own:  # a checksum is about the book as it is: such a message repeats no levels
        replaced |= {"levels"}
    mine, theirs = values_of(also), values_of(channel)
    mapping = Mapping.model_construct(**{key: (mine if key in own | replaced else theirs)[key] for key in Mapping.model_fields})
    place(mapping, also.where)
    note_reads(mapping, also._read)  # what is read of the whole is read of the message
    return mapping


Readers = tuple[ReaderPlan | None, ReaderPlan | None]
"""The readers of a message's bare and of its wrapped form; None where it has no such form, or is wrong."""


class ChannelCompiler:
    """Compiles the readers of an exchange's channels. Connections that carry the same messages in the same form share them."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._fine: dict[tuple[str, int, str | None, bool], Readers] = {}

    def readers(self, message: Message, channel: Channel, connection: Connection, findings: Findings) -> Readers:
        """The readers of a message on a connection. What is wrong with it goes to `findings`, for each connection."""
        form = message.name, message.number, connection.payload, connection.route is None
        if form not in self._fine:
            before = len(findings.problems)
            readers = self._readers(message, channel, connection, findings)
            if len(findings.problems) > before:
                return readers
            self._fine[form] = readers
        return self._fine[form]

    def _readers(self, message: Message, channel: Channel, connection: Connection, findings: Findings) -> Readers:
        sharing = self._sharing(message, channel, findings)
        compiler = ReaderCompiler(message.name, message.mapping, self.around, findings, stream=True, sharing=sharing)
        model = message.mapping.returns or ""
        if not compiler.check(model, (*channel.where, "returns")):
            return None, None
        match = message.match if connection.route is None else None
        payload = connection.payload
        if payload is None:
            return compiler.reader(model, Form(), match), None
        bare = None if _needs_frame(message.mapping) else compiler.reader(model, Form(frame=None), match)
        return bare, compiler.reader(model, Form(message=parse(payload).steps), match)

    def _sharing(self, message: Message, channel: Channel, findings: Findings) -> Sharing | None:
        """The messages of a channel that are merged by the same value know the same."""
        merge = message.mapping.merge
        if merge is None:
            return None
        alike = (one.mapping for one in messages(message.name, channel) if one.ignored is None)
        merged = [one for one in alike if one.merge is not None and one.merge.by == merge.by]
        fine = [
            one
            for one in merged
            if MappingChecks(one, Findings(findings.position), self.around.categories, stream=True).run(one.returns or "", ())
        ]
        return Sharing(f"{message.name} by {merge.by}", tuple(fine))


def _needs_frame(mapping: Mapping) -> bool:
    """Whether a required field stands in the envelope, so that a bare message can't be read."""
    return any(rule.of == "frame" and not rule.optional for rule in (mapping.fields or {}).values())


def book_plan(channel: Channel) -> BookPlan | None:
    """What the maintained book needs to know, for channels that return books."""
    if channel.returns != "book":
        return None
    sync = channel.sync or ("replace" if channel.snapshot_when == "always" else "stream")
    sequence = channel.sequence
    sums = [one.checksum for one in (channel, *channel.also) if one.checksum is not None]
    return BookPlan(
        sync=(sync.rest, sync.depth) if isinstance(sync, RestSync) else sync,
        rule=sequence.rule if sequence else None,
        accepts=tuple(sequence.accepts) if sequence else (),
        checksum_hook=sums[0].hook if sums else None,
        checksum_depth=sums[0].depth if sums else None,
        checksum_until=sums[0].until if sums else None,
        truncate=channel.truncate,
        checksum_precise=bool(sums) and sums[0].precision is not None,
        single_levels=_has_single_levels(channel),
    )


def _has_single_levels(channel: Channel) -> bool:
    """Whether the levels of a message are one, not a list."""
    mixed = channel.levels.mixed if channel.levels is not None else None
    return mixed is not None and parse(mixed).steps[-1:] != (Wild.ELEMENTS,)
