"""Arranged items to lines: two blanks of indentation, small things on one line, named things one a line."""

from __future__ import annotations

from cexspec.spec.arrange import Item
from cexspec.spec.scalars import block, write

WIDTH = 140
MAX_LEAVES = 6
FILL_FROM = 8
FILL_WIDTH = 24


def layout(item: Item, depth: int = 0) -> list[str]:
    """The lines of a mapping or list in block style, indented by `depth` blanks."""
    pad, lines = " " * depth, list[str]()
    for index, (head, inner) in enumerate(_heads(item, pad)):
        body = _body(head, inner, depth)
        above = inner.notes.above if depth == 0 or index else _without_first_blank(inner.notes.above)
        lines += [*_padded(above, pad), *body, *_padded(inner.notes.below, pad)]
    return lines


def _heads(item: Item, pad: str) -> list[tuple[str, Item]]:
    if isinstance(item.value, dict):
        return [(f"{pad}{write(key, flow=False, tree=False)}:", inner) for key, inner in item.value.items()]
    return [(f"{pad}-", inner) for inner in item.inner()]


def _body(head: str, item: Item, depth: int) -> list[str]:
    """The lines of one entry: beside its head where they fit, else below it."""
    pad, is_element = " " * (depth + 2), head.endswith("-")
    behind = f" {item.notes.behind}" if item.notes.behind else ""
    literal = block(item.value) if isinstance(item.value, str) else None
    if literal is not None:
        return [*_above(head, item), f"{head} {literal[0]}", *_padded(literal[1:], pad)]
    single = _single(item, len(head) + 1 + (0 if is_element else len(behind)))
    if single is not None and is_element and len(head) + 1 + len(single) + len(behind) > WIDTH:
        return [*_above(head, item), f"{head} {single}"]
    if single is not None:
        return [f"{head} {single}{behind}"]
    if _fills(item):
        return _filled(head, item, pad, behind)
    lines = layout(item, depth + 2)
    return [*_above(head, item), f"{head} {lines[0].lstrip()}", *lines[1:]] if is_element else [f"{head}{behind}", *lines]


def _above(head: str, item: Item) -> list[str]:
    """A comment that can't stand behind its entry stands above it."""
    indent = head[: len(head) - len(head.lstrip())]
    return [f"{indent}{item.notes.behind}"] if item.notes.behind else []


def _single(item: Item, used: int) -> str | None:
    """An item on one line; None where it is too wide, too much, or has comments inside."""
    if isinstance(item.value, str):
        return write(item.value, flow=False, tree=item.tree)
    if not item.value:
        return _flow(item)
    if item.table or _annotated(item) or (not item.words and _leaves(item) > MAX_LEAVES):
        return None
    text = _flow(item)
    return text if used + len(text) <= WIDTH else None


def _flow(item: Item) -> str:
    if isinstance(item.value, str):
        return write(item.value, flow=True, tree=item.tree)
    inside = ", ".join(_parts(item))
    return f"[{inside}]" if isinstance(item.value, list) else f"{{{inside}}}"


def _parts(item: Item) -> list[str]:
    if isinstance(item.value, dict):
        return [f"{write(key, flow=True, tree=False)}: {_flow(inner)}" for key, inner in item.value.items()]
    return [_flow(inner) for inner in item.inner()]


def _fills(item: Item) -> bool:
    """Whether an item is many plain words, which would make a long and narrow column."""
    if not item.words or any(inner.notes.inside for inner in item.inner()):
        return False
    return isinstance(item.value, list) or (len(item.value) > FILL_FROM and all(len(part) <= FILL_WIDTH for part in _parts(item)))


def _filled(head: str, item: Item, pad: str, behind: str) -> list[str]:
    """Many words: as many a line as it holds."""
    opening, closing = "[]" if isinstance(item.value, list) else "{}"
    parts = _parts(item)
    words = [f"{part}," for part in parts[:-1]] + [parts[-1] + closing]
    lines, line = [f"{head} {opening}"], pad
    for word in words:
        if line != pad and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = pad
        line += word if line == pad else f" {word}"
    return [*lines, line + behind]


def _annotated(item: Item) -> bool:
    """Whether there are comments inside, or something that spreads over lines anyway."""
    return any(inner.notes.inside or inner.table or _annotated(inner) for inner in item.inner())


def _leaves(item: Item) -> int:
    return 1 if isinstance(item.value, str) else sum(_leaves(inner) for inner in item.inner())


def _padded(lines: list[str], pad: str) -> list[str]:
    return [pad + line if line else "" for line in lines]


def _without_first_blank(lines: list[str]) -> list[str]:
    return lines[1:] if lines and not lines[0] else lines
