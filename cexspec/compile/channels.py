"""Channels: their messages, readers, and the candidates the router chooses among."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from cexspec.compile.checks import MappingChecks
from cexspec.compile.conditions import disjoint
from cexspec.compile.extract import MappingCompiler, Surroundings, Twin
from cexspec.compile.paths import PathError, Steps, parse
from cexspec.compile.plan import BookPlan, ReaderPlan, Verdict
from cexspec.compile.reader import Reader
from cexspec.compile.route import Candidate
from cexspec.spec.model import Also, Channel, Connection, Mapping
from cexspec.spec.model.conditions import Condition
from cexspec.spec.model.mapping import RestSync
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Conditions = dict[str, Condition]


@dataclass(frozen=True)
class Message:
    """One kind of message of a channel: its whole mapping (an `also` takes from the channel what it doesn't say)."""

    name: str
    mapping: Mapping
    match: Conditions
    shape: Conditions
    ignored: str | None = None


def messages(name: str, channel: Channel) -> Iterator[Message]:
    """The messages of a channel, its own first."""
    yield Message(name, channel, channel.match, channel.shape or {})
    for also in channel.also:
        if also.role == "ignored":
            yield Message(name, also, also.match, also.shape or {}, also.reason or "repeats what another message says")
        else:
            yield Message(name, _inherit(also, channel), also.match, also.shape or {})


def _inherit(also: Also, channel: Channel) -> Mapping:
    """The channel's mapping with what the further message says instead; `item` and `items` replace each other."""
    own = also.model_fields_set
    replaced = {"item", "items"} if own & {"item", "items"} else set()
    if "checksum" in own:  # a checksum is about the book as it is: such a message repeats no levels
        replaced |= {"levels"}
    values = {
        key: getattr(also if key in own or key in replaced or key == "shape" else channel, key) for key in Mapping.model_fields
    }
    mapping = Mapping.model_construct(**values)
    mapping._where = also.where
    return mapping


class ChannelCompiler:
    """Compiles the channels of one connection."""

    def __init__(self, connection: Connection, around: Surroundings, findings: Findings) -> None:
        self.connection, self.around, self.findings = connection, around, findings
        self.payload: Steps | None = parse(connection.payload).steps if connection.payload else None

    def readers(self, message: Message, model: str | None, where: Where) -> tuple[ReaderPlan | None, ReaderPlan | None]:
        """The readers of a message's bare and wrapped form; None where it has no such form."""
        checks = MappingChecks(message.mapping, self.findings, stream=True)
        if not checks.run(model or "", where):
            return None, None
        unlowered = tuple(checks.unlowered)
        if self.payload is None:
            return self._reader(message, model or "", (), (), unlowered), None
        bare = None if _needs_frame(message.mapping) else self._reader(message, model or "", (), None, unlowered)
        return bare, self._reader(message, model or "", self.payload, (), unlowered)

    def _reader(self, message: Message, model: str, root: Steps, frame: Steps | None, unlowered: tuple[str, ...]) -> ReaderPlan | None:
        match = message.match if self.connection.route is None else None
        return compile_reader(message.name, message.mapping, model, root, frame, self.around, self.findings, unlowered, match)


def compile_reader(
    name: str,
    mapping: Mapping,
    model: str,
    message: Steps,
    frame: Steps | None,
    around: Surroundings,
    findings: Findings,
    unlowered: tuple[str, ...],
    match: Conditions | None = None,
) -> ReaderPlan | None:
    """The reader of a checked mapping; None (and a finding) where its items can't be reached."""
    snapshot = {"always": True, "never": False}.get(mapping.snapshot_when) if isinstance(mapping.snapshot_when, str) else None

    def plan(twin: Twin | None, twins: Callable[[], tuple[ReaderPlan, ...]]) -> ReaderPlan:
        extractor = MappingCompiler(mapping, model, message, frame, around, match, twin=twin).compile()
        return Reader(name, around.exchange, extractor, mapping.where, findings.position).plan(unlowered, snapshot, twins)

    @cache
    def twins() -> tuple[ReaderPlan, ...]:
        pairs = MappingCompiler(mapping, model, message, frame, around, match).can_pair
        return tuple(plan(twin, tuple) for twin in Twin if pairs or twin is not Twin.PAIRS)

    try:
        return plan(None, twins)
    except PathError as error:
        findings.error("CEX044", (*mapping.where, "items" if mapping.items else "item"), str(error), "see the paths of items and levels")
        return None


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
    )


def grouped(found: list[tuple[str, Channel, Message, ReaderPlan | None]]) -> list[Candidate]:
    """Candidates of one form: channels that share topic and conditions are one message that feeds several models."""
    groups: dict[str, tuple[Message, list[str], list[tuple[str, ReaderPlan]]]] = {}
    for name, channel, message, reader in found:
        key = repr((channel.topic, message.match, message.shape, message.ignored))
        _, names, readers = groups.setdefault(key, (message, [], []))
        names.append(name)
        if reader is not None:
            readers.append((name, reader))
    return [
        Candidate(_verdict(message, tuple(readers)), message.match, message.shape, frozenset(names))
        for message, names, readers in groups.values()
        if readers or message.ignored is not None
    ]


def _verdict(message: Message, readers: tuple[tuple[str, ReaderPlan], ...]) -> Verdict:
    if message.ignored is not None:
        return Verdict("ignored", reason=message.ignored)
    return Verdict("data", readers=readers)


def overlaps(channels: dict[str, Channel], *, learned: bool, findings: Findings) -> None:
    """Find messages of different subscriptions that a frame could belong to both of."""
    every = [(name, channel, message) for name, channel in channels.items() for message in messages(name, channel)]
    for at, (name, channel, message) in enumerate(every):
        for other_name, other_channel, other in every[:at]:
            if _apart(name, channel, message, other_name, other_channel, other, learned=learned):
                continue
            what = f"a message can match both this and '{other_name}' ({_words(other.match)})"
            findings.error("CEX054", (*message.mapping.where, "match"), what, "add a condition that only one of them meets")


def _apart(name: str, channel: Channel, one: Message, other_name: str, other_channel: Channel, other: Message, *, learned: bool) -> bool:
    if disjoint(one.match, other.match):
        return True
    if name == other_name:
        return False
    if channel.topic == other_channel.topic and repr(one.match) == repr(other.match):
        return True
    return learned and disjoint({**one.match, **one.shape}, {**other.match, **other.shape})


def _words(match: Conditions) -> str:
    return ", ".join(f"{path} {' '.join(str(value) for _, value in sorted(one.model_dump(exclude_unset=True).items()))}" for path, one in match.items())
