"""Candidates: what the router of a connection chooses among, and whether it could be in doubt."""

from __future__ import annotations

from typing import NamedTuple

from cexspec.compile.channels import Message
from cexspec.compile.conditions import Conditions
from cexspec.compile.disjoint import disjoint
from cexspec.compile.plan import ReaderPlan
from cexspec.compile.route import Candidate
from cexspec.compile.socket_plan import Verdict
from cexspec.spec.model import Channel
from cexspec.spec.problems import Findings


class Named(NamedTuple):
    """A message with its channel and the channel's name."""

    name: str
    channel: Channel
    message: Message


def grouped(found: list[tuple[Named, ReaderPlan | None]]) -> list[Candidate]:
    """Candidates of one form: channels that share topic and conditions are one message that feeds several models."""
    groups: dict[str, list[tuple[Named, ReaderPlan | None]]] = {}
    for named, reader in found:
        message = named.message
        groups.setdefault(repr((named.channel.topic, message.match, message.shape, message.ignored)), []).append((named, reader))
    return [candidate for group in groups.values() if (candidate := _candidate(group)) is not None]


def _candidate(group: list[tuple[Named, ReaderPlan | None]]) -> Candidate | None:
    message, channels = group[0][0].message, frozenset(named.name for named, _ in group)
    readers = tuple((named.name, reader) for named, reader in group if reader is not None)
    if message.ignored is not None:
        return Candidate(Verdict("ignored", reason=message.ignored), message.match, message.shape, channels)
    return Candidate(Verdict("data", readers=readers), message.match, message.shape, channels) if readers else None


def overlaps(every: list[Named], *, learned: bool, findings: Findings) -> None:
    """Find messages of different subscriptions that a frame could belong to both of; `learned`: a learned value tells them apart."""
    for at, one in enumerate(every):
        for other in every[:at]:
            if not _apart(one, other, learned=learned):
                what = f"a message can match both this and '{other.name}' ({_words(other.message.match)})"
                where = (*one.message.mapping.where, "match")
                findings.error("CEX054", where, what, "add a condition that only one of them meets")


def _apart(one: Named, other: Named, *, learned: bool) -> bool:
    mine, theirs = one.message, other.message
    if disjoint(mine.match, theirs.match):
        return True
    if one.name == other.name:
        return False
    if one.channel.topic == other.channel.topic and repr(mine.match) == repr(theirs.match):
        return True
    return learned and disjoint({**mine.match, **mine.shape}, {**theirs.match, **theirs.shape})


def _words(match: Conditions) -> str:
    given = ((path, one.model_dump(exclude_unset=True)) for path, one in match.items())
    return ", ".join(f"{path} {' '.join(str(value) for _, value in sorted(one.items()))}" for path, one in given)
