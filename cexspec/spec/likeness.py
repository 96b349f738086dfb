"""`like`: the mapping of another operation or channel, or the rules of another connection, but for what is said here.

Followed on entries, before the models see them: what is taken over keeps the place where it is written, and the mark of the
`like` that brought it. `fields` merge key by key, every other key replaces, `null` takes away.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from cexspec.spec.compose import MAX_NODES
from cexspec.spec.model.mapping import Mapping
from cexspec.spec.model.ws import Connection
from cexspec.spec.problems import Problem
from cexspec.spec.shape import keys
from cexspec.spec.source import Entry, Position, Source, Where
from cexspec.spec.tidy import is_null

MAX_CHAIN = 8
INHERITED = tuple(key for key in keys(Mapping) if key not in ("like", "shape"))
"""What a mapping takes over; a `shape` tells messages apart, so that it is each one's own."""
RULES = tuple(key for key in keys(Connection) if key != "like")
"""What a connection takes over."""

_CHANNELS = ("ws", "channels")
_CONNECTIONS = ("ws", "connections")
_EITHER = {"item": "items", "items": "item"}


@dataclass(frozen=True, slots=True)
class Expanded:
    """A source in which every `like` was followed; `unresolved`: the mappings and connections where that was not possible."""

    source: Source
    problems: list[Problem]
    unresolved: frozenset[Where]

    def follows(self, problem: Problem) -> bool:
        """Whether a problem only follows from a `like` that leads nowhere: something is missing, or there is nothing to take away."""
        if problem.rule == "CEX022" or (problem.rule == "CEX013" and problem.where[:2] == _CONNECTIONS):
            return problem.where in self.unresolved
        return problem.rule == "CEX025" and any(problem.where[: len(where)] == where for where in self.unresolved)


def expand(source: Source) -> Expanded:
    """Follow every `like` of a spec."""
    mappings, connections = _Expansion(_mappings(source.root)), _Expansion(_connections(source.root))
    root = connections.connections(mappings.spec(source.root))
    problems, unresolved = mappings.problems + connections.problems, mappings.unresolved | connections.unresolved
    return Expanded(Source(root, source.texts), problems, frozenset(unresolved))


def said_once(problems: list[Problem], source: Source) -> list[Problem]:
    """Each problem once: where it is written; one that arises only where it was taken over says through which `like`."""
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


@dataclass(frozen=True, slots=True)
class _Family:
    """What may be like one another, by name; `inherited` are the keys that are taken over, the rest are words for people."""

    named: dict[str, Entry]
    inherited: tuple[str, ...]
    noun: str
    what: str
    hint: str


def _mappings(root: Entry) -> _Family:
    """The mappings that have a name."""
    named = {f"{head}.{name}": entry for head, place in (("rest", ("rest",)), ("ws", _CHANNELS)) for name, entry in _named(root, place)}
    hint = "`rest.` or `ws.` and the name of an operation or channel: rest.ticker"
    return _Family(named, INHERITED, "mapping", "operation or channel", hint)


def _connections(root: Entry) -> _Family:
    named = dict(_named(root, _CONNECTIONS))
    return _Family(named, RULES, "connection", "connection", f"the name of another connection: {', '.join(named)}")


def _named(root: Entry, place: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    """The things that have a name in a section; no private notes."""
    section: Entry | None = root
    for step in place:
        section = section.child(step) if section is not None else None
    if section is not None and isinstance(section.value, dict):
        things = section.value.items()
        yield from ((name, entry) for name, entry in things if isinstance(entry.value, dict) and not name.startswith("x-"))


@dataclass(slots=True)
class _Expansion:
    family: _Family
    problems: list[Problem] = field(default_factory=list)
    unresolved: set[Where] = field(default_factory=set)
    circles: set[frozenset[str]] = field(default_factory=set)
    room: int = MAX_NODES
    """entries that may still be taken over"""

    @property
    def named(self) -> dict[str, Entry]:
        """What a `like` may name."""
        return self.family.named

    def connections(self, root: Entry) -> Entry:
        """The whole spec, with its connections followed."""

        def connection(name: str, entry: Entry) -> Entry:
            return self.whole(entry, name, (*_CONNECTIONS, name))

        return _changed(root, "ws", lambda ws: _changed(ws, "connections", lambda section: _each(section, connection)))

    def spec(self, root: Entry) -> Entry:
        """The whole spec, with its mappings followed."""
        root = _changed(root, "rest", lambda rest: _each(rest, self.operation))
        return _changed(root, "ws", lambda ws: _changed(ws, "channels", lambda channels: _each(channels, self.channel)))

    def operation(self, name: str, entry: Entry) -> Entry:
        """One operation."""
        return self.whole(entry, f"rest.{name}", ("rest", name))

    def channel(self, name: str, entry: Entry) -> Entry:
        """One channel with its further messages."""
        where = (*_CHANNELS, name)
        whole = self.whole(entry, f"ws.{name}", where)

        def further(also: Entry) -> Entry:
            if not isinstance(also.value, list):
                return also
            messages = [self.whole(one, f"ws.{name}.also[{at}]", (*where, "also", at)) for at, one in enumerate(also.value)]
            return also._replace(value=messages)

        return _changed(whole, "also", further)

    def whole(self, entry: Entry, name: str, where: Where) -> Entry:
        """One mapping or connection with what it takes over."""
        way = self.way(entry, name)
        if len(way) == 1:
            if (like := entry.child("like")) is not None and not is_null(like):  # no text: told with the model
                self.unresolved.add(where)
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
        """The names from one to the one that it is like in the end; it ends where it comes to nothing, or back, or is too long."""
        way = [name]
        while (target := _target(entry)) is not None:
            way.append(target)
            if target not in self.named or target in way[:-1] or len(way) > MAX_CHAIN:
                break
            entry = self.named[target]
        return way

    def leads_somewhere(self, way: list[str], entry: Entry, where: Where) -> bool:
        """Whether a way ends at one that is like no other; where it does not, that is noted once."""
        *before, end = way
        noun = self.family.noun
        if end not in self.named:
            if len(way) == 2:
                self.note(entry, where, f"no {self.family.what} is called `{end}`", self.nearest(end))
        elif end in before:
            if end == way[0] and frozenset(way) not in self.circles:
                self.circles.add(frozenset(way))
                self.note(entry, where, f"`like` goes round in a circle: {' -> '.join(way)}", f"one {noun} of the circle without `like`")
        elif _target(self.named[end]) is not None:
            message = f"`like` over more than {MAX_CHAIN} {noun}s: {' -> '.join(way)}"
            self.note(entry, where, message, f"`like` a {noun} nearer to the end")
        else:
            return True
        return False

    def nearest(self, name: str) -> str:
        """What to write instead of a name that nothing has."""
        near = difflib.get_close_matches(name, self.named, 1)
        return f"`like: {near[0]}`" if near else self.family.hint

    def note(self, entry: Entry, where: Where, message: str, hint: str, rule: str = "CEX068") -> None:
        """Note a problem of a `like`."""
        like = entry.child("like")
        assert like is not None
        self.problems.append(Problem(rule, "error", Position(like.file, *like.at), (*where, "like"), message, hint))

    def laid(self, base: Entry, over: Entry, like: str, further: bool) -> Entry:
        """A mapping or connection laid over the one that it is like."""
        assert isinstance(over.value, dict)
        whole = dict(over.value)
        for key in self.family.inherited:
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
    """What one says it is like."""
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
