"""Wire types for people."""

from __future__ import annotations

from collections.abc import Iterator

from cexspec.compile.paths import Step, Wild, show
from cexspec.compile.wire import Leaf, WireNode


def describe(node: WireNode) -> Iterator[str]:
    """What is decoded of a place, one line a member; `?` marks what may be missing, all else is skipped."""
    head, inner = _head(node)
    yield head
    for step, member in inner:
        first, *more = describe(member)
        yield f"  {_name(step)}{'' if member.required else '?'}: {first}"
        yield from (f"  {line}" for line in more)


def _head(node: WireNode) -> tuple[str, list[tuple[Step, WireNode]]]:
    if node.plain or (node.leaf is None and not node.members):
        return f"{Leaf.ANY.value}, walked as it is", []
    if node.leaf is not None:
        if node.leaf is Leaf.AFFIXED:
            return f"text like {'...'.join(str(word) for word in node.words)}", []
        return " or ".join(repr(word) for word in node.words) or node.leaf.value, []
    element = node.members.get(Wild.ELEMENTS)
    if element is not None:
        head, inner = _head(element)
        return f"list of {head}", inner
    if isinstance(next(iter(node.members)), int):
        return "array", sorted(node.members.items(), key=lambda item: str(item[0]).zfill(6))
    return "object", list(node.members.items())


def _name(step: Step) -> str:
    return show((step,)).removeprefix("$").removeprefix(".")
