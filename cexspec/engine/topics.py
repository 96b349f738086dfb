"""Topics: what one subscription at a venue is about, and how its answers repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cexspec.compile.plan import Json, Params
from cexspec.compile.socket_plan import ChannelPlan


@dataclass(frozen=True, slots=True)
class Topic:
    """One subscription at the venue. `text` is its identity on a connection: equal payloads are one subscription."""

    channel: str
    payload: Json = field(compare=False)
    text: str
    params: Params = field(compare=False)
    """what the topic's holes were filled with, as text"""


def topic_of(channel: ChannelPlan, params: Params) -> Topic:
    """The topic of a channel for these parameters. Raises `KeyError` with a hole that has no value."""
    return as_topic(channel, channel.topic(params))


def as_topic(channel: ChannelPlan, payload: Json) -> Topic:
    """A topic from its payload."""
    return Topic(channel.name, payload, text_of_payload(payload), channel.params_of(payload) or {})


def text_of_payload(payload: Json) -> str:
    """One text for equal payloads, whatever the order of their keys."""
    return msgspec.json.encode(payload, order="deterministic").decode()


def read_back(channels: Mapping[str, ChannelPlan], payload: Json) -> Topic | None:
    """The topic that an answer repeats, by the first channel that reads it; None: none does."""
    for channel in channels.values():
        params = channel.params_of(payload)
        if params is not None:
            return Topic(channel.name, payload, text_of_payload(payload), params)
    return None


def repeats(channel: ChannelPlan, topic: Topic, payload: Json) -> bool:
    """Whether the payload is this topic as an answer writes it: with keys of its own, or defaults filled in."""
    found = channel.params_of(payload)
    return found is not None and all(found.get(name) == value for name, value in topic.params.items())
