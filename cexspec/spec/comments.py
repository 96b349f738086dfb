"""The comments and blank lines of a YAML text, each with the entry it belongs to, so that `fmt` carries them along."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from cexspec.spec.compose import LOADER
from cexspec.spec.source import Entry, Where

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)
_OPEN = 1 << 62


@dataclass(slots=True)
class Notes:
    """What stands around an entry: lines above it (`""` is a blank one), a comment behind it, lines below it."""

    above: list[str] = field(default_factory=list)
    behind: str = ""
    below: list[str] = field(default_factory=list)

    @property
    def inside(self) -> bool:
        """Whether a comment would be lost if the entry stood on a line with others."""
        return bool(self.behind or self.below or any(self.above))


class _Comment(NamedTuple):
    text: str
    offset: int
    line: int
    column: int
    alone: bool


class _Scan(NamedTuple):
    """Where each value ends (index, line), in document order, and the spans that are no comments: the scalars."""

    ends: list[tuple[int, int]]
    scalars: list[tuple[int, int, bool]]


@dataclass(slots=True)
class Annotations:
    """The notes of every entry, the lines at the top of the file and those at its end."""

    notes: dict[Where, Notes] = field(default_factory=lambda: defaultdict(Notes))
    top: list[str] = field(default_factory=list)
    end: list[str] = field(default_factory=list)


def annotate(text: str, root: Entry) -> Annotations:
    """Give each comment and blank line of a text to an entry. `root` is what the same text was composed to."""
    return _Annotator(text, root).run()


class _Annotator:
    """One pass over the comments of a text."""

    def __init__(self, text: str, root: Entry) -> None:
        self.lines = text.split("\n")
        self.text = text
        self.scan = _scan(text)
        self.placed = list(_entries(root, ()))[1:]
        self.index = {where: index for index, (where, _) in enumerate(self.placed)}
        self.starts = [entry.key[0] for _, entry in self.placed]
        self.closing: dict[int, list[tuple[int, Where]]] = defaultdict(list)
        for (where, _), (end, line) in zip(self.placed, self.scan.ends[1:], strict=True):
            self.closing[line].append((end, where))
        self.result = Annotations()

    def run(self) -> Annotations:
        """All comments, then the blank lines."""
        first = self.starts[0] if self.starts else _OPEN
        for comment in _comments(self.text, self.scan.scalars):
            lines = [*self.blank(comment.line), comment.text] if comment.alone else [comment.text]
            if comment.line < first:
                self.result.top += lines
            elif comment.alone:
                self.owner(comment).extend(lines)
            else:
                self.behind(comment)
        for index, (where, _) in enumerate(self.placed):
            if index == 0 or self.starts[index - 1] != self.starts[index]:
                above = self.result.top if index == 0 else self.result.notes[where].above
                above += self.blank(self.starts[index])
        return self.result

    def blank(self, line: int) -> list[str]:
        """A blank line, if there is one before this line."""
        return [""] if line > 1 and not self.lines[line - 2].strip() else []

    def owner(self, comment: _Comment) -> list[str]:
        """Where a comment on a line of its own belongs: above what follows, or below what ended with this indentation."""
        following = bisect_right(self.starts, comment.line)
        last = following == len(self.placed)
        if last and comment.column == 1:
            return self.result.end
        if not last and comment.column <= self.column(following):
            return self.result.notes[self.placed[following][0]].above
        before = self.placed[following - 1][0]
        for length in range(len(before), 0, -1):
            index = self.index[before[:length]]
            if self.first_on_line(index) and self.column(index) <= comment.column:
                return self.result.notes[before[:length]].below
        return self.result.end

    def column(self, index: int) -> int:
        """The column of an entry; of a list's element: of its dash."""
        where, entry = self.placed[index]
        return entry.key[1] - (2 if isinstance(where[-1], int) else 0)

    def first_on_line(self, index: int) -> bool:
        """Whether only blanks and dashes stand before an entry."""
        line, column = self.placed[index][1].key
        return not self.lines[line - 1][: column - 1].strip(" -")

    def behind(self, comment: _Comment) -> None:
        """A comment behind something: it belongs to the widest value that ends on its line, else to the key that opens there."""
        following = bisect_right(self.starts, comment.line)
        here = [where for end, where in self.closing[comment.line] if end <= comment.offset]
        here = here or [where for where, entry in self.placed[following - 1 : following] if entry.key[0] == comment.line]
        if here and not self.result.notes[here[0]].behind:
            self.result.notes[here[0]].behind = comment.text
            return
        following_notes = [self.result.notes[where].above for where, _ in self.placed[following : following + 1]]
        above = [self.result.notes[here[0]].above] if here else following_notes
        (above[0] if above else self.result.end).append(comment.text)


def _entries(entry: Entry, where: Where) -> Iterator[tuple[Where, Entry]]:
    yield where, entry
    steps: Any = entry.value.items() if isinstance(entry.value, dict) else ()
    steps = enumerate(entry.value) if isinstance(entry.value, list) else steps
    for step, inner in steps:
        yield from _entries(inner, (*where, step))


def _scan(text: str) -> _Scan:
    scan, frames = _Scan([], []), list[list[int]]()
    events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            block = event.style in ("|", ">")
            scan.scalars.append((event.start_mark.index, event.end_mark.index, block))
            if not _is_key(frames):
                scan.ends.append((_OPEN if block else event.end_mark.index, event.end_mark.line + 1))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            _is_key(frames)
            frames.append([int(kind is yaml.MappingStartEvent), 0, len(scan.ends), int(bool(event.flow_style))])
            scan.ends.append((_OPEN, _OPEN))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            _, _, place, flow = frames.pop()
            if flow:
                scan.ends[place] = (event.end_mark.index, event.end_mark.line + 1)
    return scan


def _is_key(frames: list[list[int]]) -> bool:
    """Whether the node that begins now is a key; keys and values of a mapping alternate."""
    if not frames or not frames[-1][0]:
        return False
    frames[-1][1] += 1
    return frames[-1][1] % 2 == 1


def _comments(text: str, scalars: list[tuple[int, int, bool]]) -> Iterator[_Comment]:
    starts = [start for start, _, _ in scalars]
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    for match in _COMMENT.finditer(text):
        index = match.start()
        before = bisect_right(starts, index) - 1
        if before >= 0 and index < scalars[before][1] and not _in_header(text, index, scalars[before]):
            continue
        line = bisect_right(lines, index)
        alone = not text[lines[line - 1] : index].strip()
        yield _Comment(match.group().rstrip(), index, line, index - lines[line - 1] + 1, alone)


def _in_header(text: str, index: int, scalar: tuple[int, int, bool]) -> bool:
    """Whether a comment stands behind the `|` or `>` that opens a block of text."""
    start, _, block = scalar
    return block and "\n" not in text[start:index]
