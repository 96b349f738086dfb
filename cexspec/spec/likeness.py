"""`like`: the mapping of another operation or channel, but for what is said here.

Followed on entries, before the models see them: what a mapping takes over keeps the place where it is written, and the mark
of the `like` that brought it. `fields` merge key by key, every other key replaces, `null` takes away.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from cexspec.spec.compose import MAX_NODES
from cexspec.spec.model.mapping import Mapping
from cexspec.spec.problems import Problem
from cexspec.spec.shape import keys
from cexspec.spec.source import Entry, Position, Source, Where
from cexspec.spec.tidy import is_null

MAX_CHAIN = 8
INHERITED = tuple(key for key in keys(Mapping) if key not in ("like", "shape"))
"""What a mapping takes over; a `shape` tells messages apart, so that it is each one's own."""

_EITHER = {"item": "items", "items": "item"}


@dataclass(frozen=True, slots=True)
class Expanded:
    """A source in which every `like` was followed; `unresolved`: the mappings where that was not possible."""

    source: Source
    problems: list[Problem]
    unresolved: frozenset[Where]

    def follows(self, problem: Problem) -> bool:
        """Whether a problem only follows from a `like` that leads nowhere: something is missing, or there is nothing to take away."""
        if problem.rule == "CEX022":
            return problem.where in self.unresolved
        return problem.rule == "CEX025" and any(problem.where[: len(where)] == where for where in self.unresolved)


def expand(source: Source) -> Expanded:
    """Follow every `like` of a spec."""
    expansion = _Expansion(dict(_named(source.root)))
    root = expansion.spec(source.root)
    return Expanded(Source(root, source.texts), expansion.problems, frozenset(expansion.unresolved))


def said_once(problems: list[Problem], source: Source) -> list[Problem]:
    """Each problem of a mapping once: where it is written; one that arises only where it was taken over says through which `like`."""
    told = {_same(problem) for problem in problems if not source.likeness(problem.where)}
    said = []
    for problem in problems:
        like = source.likeness(problem.where)
        if like and _same(problem) in told:
            continue
        told.add(_same(problem))
        said.append(replace(problem, message=f"{problem.message} ({like})") if like else problem)
    return said


def _same(problem: Problem) -> tuple[str, Position, str]:
    return problem.rule, problem.position, problem.message


def _named(root: Entry) -> Iterator[tuple[str, Entry]]:
    """The mappings that have a name."""
    for head, section in (("rest", root.child("rest")), ("ws", _channels(root))):
        if section is not None and isinstance(section.value, dict):
            yield from (
                (f"{head}.{name}", entry)
                for name, entry in section.value.items()
                if isinstance(entry.value, dict) and not name.startswith("x-")
            )


def _channels(root: Entry) -> Entry | None:
    streams = root.child("ws")
    return streams.child("channels") if streams is not None else None


@dataclass(slots=True)
class _Expansion:
    named: dict[str, Entry]
    problems: list[Problem] = field(default_factory=list)
    unresolved: set[Where] = field(default_factory=set)
    circles: set[frozenset[str]] = field(default_factory=set)
    room: int = MAX_NODES
    """entries that may still be taken over"""

    def spec(self, root: Entry) -> Entry:
        """The whole spec."""
        root = _changed(root, "rest", lambda rest: _each(rest, self.operation))
        return _changed(root, "ws", lambda ws: _changed(ws, "channels", lambda channels: _each(channels, self.channel)))

    def operation(self, name: str, entry: Entry) -> Entry:
        """One operation."""
        return self.mapping(entry, f"rest.{name}", ("rest", name))

    def channel(self, name: str, entry: Entry) -> Entry:
        """One channel with its further messages."""
        where = ("ws", "channels", name)
        whole = self.mapping(entry, f"ws.{name}", where)

        def further(also: Entry) -> Entry:
            if not isinstance(also.value, list):
                return also
            messages = [self.mapping(one, f"ws.{name}.also[{at}]", (*where, "also", at)) for at, one in enumerate(also.value)]
            return also._replace(value=messages)

        return _changed(whole, "also", further)

    def mapping(self, entry: Entry, name: str, where: Where) -> Entry:
        """One mapping with what it takes over."""
        way = self.way(entry, name)
        if len(way) == 1:
            return entry
        if self.room < 0 or not self.leads_somewhere(way, entry, where):
            self.unresolved.add(where)
            return entry
        whole = self.named[way[-1]]
        for target, one in pairwise(reversed(way)):
            further = one not in self.named  # a further message: its `null` takes away what is the channel's
            whole = self.laid(whole, entry if one == name else self.named[one], f"through `like: {target}` of `{one}`", further)
        if self.room < 0:
            self.note(entry, where, f"more than {MAX_NODES} keys and values, once every `like` is followed", "", "CEX009")
        return whole

    def way(self, entry: Entry, name: str) -> list[str]:
        """The names from a mapping to the one that it is like in the end; it ends where it comes to nothing, or back, or is too long."""
        way = [name]
        while (target := _target(entry)) is not None:
            way.append(target)
            if target not in self.named or target in way[:-1] or len(way) > MAX_CHAIN:
                break
            entry = self.named[target]
        return way

    def leads_somewhere(self, way: list[str], entry: Entry, where: Where) -> bool:
        """Whether a way ends at a mapping; where it does not, that is noted once."""
        *before, end = way
        if end not in self.named:
            if len(way) == 2:
                self.note(entry, where, f"no operation or channel is called `{end}`", self.nearest(end))
        elif end in before:
            if end == way[0] and frozenset(way) not in self.circles:
                self.circles.add(frozenset(way))
                self.note(entry, where, f"`like` goes round in a circle: {' -> '.join(way)}", "one mapping of the circle without `like`")
        elif _target(self.named[end]) is not None:
            self.note(entry, where, f"`like` over more than {MAX_CHAIN} mappings: {' -> '.join(way)}", "`like` a mapping nearer to the end")
        else:
            return True
        return False

    def nearest(self, name: str) -> str:
        """What to write instead of a name that nothing has."""
        near = difflib.get_close_matches(name, self.named, 1)
        return f"`like: {near[0]}`" if near else "`rest.` or `ws.` and the name of an operation or channel: rest.ticker"

    def note(self, entry: Entry, where: Where, message: str, hint: str, rule: str = "CEX068") -> None:
        """Note a problem of a mapping's `like`."""
        like = entry.child("like")
        assert like is not None
        self.problems.append(Problem(rule, "error", Position(like.file, *like.at), (*where, "like"), message, hint))

    def laid(self, base: Entry, over: Entry, like: str, further: bool) -> Entry:
        """A mapping laid over the one that it is like."""
        assert isinstance(over.value, dict)
        whole = dict(over.value)
        for key in INHERITED:
            inner, own = base.child(key), whole.get(key)
            if inner is None or _EITHER.get(key) in over.value:
                continue
            if own is None:
                whole[key] = self.taken(inner, like)
            elif is_null(own) and not further:
                del whole[key]
            elif key == "fields" and isinstance(inner.value, dict) and isinstance(own.value, dict):
                rules = {name: self.taken(rule, like) for name, rule in inner.value.items() if name not in own.value}
                rules |= {name: rule for name, rule in own.value.items() if not (is_null(rule) and name in inner.value)}
                whole[key] = own._replace(value=rules)
        return over._replace(value=whole)

    def taken(self, entry: Entry, like: str) -> Entry:
        """An entry that is taken over, marked so."""
        self.room -= _size(entry)
        return entry._replace(like=like)


def _target(entry: Entry) -> str | None:
    """What a mapping says it is like."""
    like = entry.child("like")
    return str(like.value) if like is not None and isinstance(like.value, str) and not is_null(like) else None


def _size(entry: Entry) -> int:
    """The entries in an entry."""
    inner = entry.value.values() if isinstance(entry.value, dict) else entry.value if isinstance(entry.value, list) else ()
    return 1 + sum(map(_size, inner))


def _each(section: Entry, change: Callable[[str, Entry], Entry]) -> Entry:
    """A mapping of named things with each of them changed; private notes stay."""
    if not isinstance(section.value, dict):
        return section
    return section._replace(value={name: entry if name.startswith("x-") else change(name, entry) for name, entry in section.value.items()})


def _changed(entry: Entry, key: str, change: Callable[[Entry], Entry]) -> Entry:
    """A mapping with the entry under one key changed, where it has one."""
    if not isinstance(entry.value, dict) or key not in entry.value:
        return entry
    return entry._replace(value={**entry.value, key: change(entry.value[key])})
