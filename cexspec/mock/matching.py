"""Messages of the client held against the spec's own: the values of the holes they were made from."""

from __future__ import annotations

from typing import Any

import msgspec

from cexspec.mock.document import like

Holes = dict[str, Any]


def matched(tree: Any, message: Any) -> Holes | None:
    """The values of a tree's holes in a message of that form; None where it has another. `*` takes the keys left over."""
    match tree, message:
        case str(), _ if tree.startswith("{{") and tree.endswith("}}") and tree.count("{{") == 1:
            return {tree[2:-2].split("|")[0].strip(): message}
        case dict(), dict():
            return _members(tree, message)
        case list(), list() if len(tree) == len(message):
            parts = [matched(inner, value) for inner, value in zip(tree, message, strict=True)]
            return {key: value for part in parts if part for key, value in part.items()} if None not in parts else None
        case _:
            return {} if tree == message or like(tree, message) == tree else None


def topics_of(holes: Holes) -> list[Any]:
    """The topics in a subscribe or unsubscribe message."""
    if isinstance(holes.get("topics"), list):
        return list(holes["topics"])
    return [holes["topic"]] if "topic" in holes else []


def key_of(topic: Any) -> str:
    """One text for equal topics."""
    return msgspec.json.encode(topic, order="sorted").decode()


def _members(tree: dict[str, Any], message: dict[str, Any]) -> Holes | None:
    found: Holes = {}
    for key, inner in tree.items():
        if key == "*":
            found["topic"] = {name: value for name, value in message.items() if name not in tree}
            continue
        part = matched(inner, message[key]) if key in message else None
        if part is None:
            return None
        found |= part
    return found if "*" in tree or set(message) <= set(tree) else None
