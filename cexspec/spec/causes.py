"""Pydantic's errors to problems: one for each cause, at the key or value that causes it, in the words of the language."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from cexspec.spec.problems import Edit, Problem
from cexspec.spec.shape import ListOf, MapOf, NodeOf, OneOf, Shape, Text, children, choose, describe, fields, fits, keys
from cexspec.spec.source import Entry, Position, Source, Where

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an error of pydantic's stands in the file: the place, what is wanted there, what is there."""

    where: Where
    shape: Shape
    entry: Entry
    missing: str | None = None
    unknown: str | None = None
    on_key: bool = False


def causes(error: ValidationError, root: Shape, source: Source) -> list[Problem]:
    """The problems behind a validation error."""
    errors = error.errors(include_url=False)
    branches: dict[Location, list[str | int]] = {}
    for item in errors:
        for end, part in enumerate(item["loc"]):
            known = branches.setdefault(item["loc"][:end], [])
            if part not in known:
                known.append(part)
    found = [(item, place) for item in errors if (place := _follow(item["loc"], root, source.root, branches)) is not None]
    typos = {(place.where[:-1], _nearest_key(place)) for _, place in found if place.unknown}
    problems = [_problem(item, place) for item, place in found if not place.missing or (place.where, place.missing) not in typos]
    return list({(problem.where, problem.rule, problem.message): problem for problem in problems}.values())


def _follow(location: Location, shape: Shape, entry: Entry, branches: Mapping[Location, list[str | int]]) -> _Place | None:
    """Follow pydantic's location through the entries; None for a branch of a union that was not meant."""
    place = _Place((), shape, entry)
    for index, part in enumerate(location):
        if isinstance(place.shape, OneOf):
            chosen = choose(place.shape, place.entry)
            if chosen is None:
                return place
            if branches[location[:index]].index(part) != chosen:
                return None
            place = replace(place, shape=place.shape.branches[chosen])
        else:
            place = _down(place, part, on_key=location[index + 1 : index + 2] == ("[key]",))
            if place.on_key or place.missing or place.unknown:
                return place
    return place


def _down(place: _Place, part: str | int, *, on_key: bool) -> _Place:
    """One step of a location: into a short form the entry stays, else to what is under it."""
    shape, entry, where = place.shape, place.entry, (*place.where, part)
    if isinstance(shape, NodeOf) and not isinstance(entry.value, dict):
        return replace(place, shape=fields(shape.model)[str(part)])
    if isinstance(shape, ListOf) and not isinstance(entry.value, list):
        return replace(place, shape=shape.inner)
    inner = entry.child(part)
    if inner is None:
        return replace(place, missing=str(part))
    if isinstance(shape, NodeOf) and part not in fields(shape.model):
        return replace(place, where=where, unknown=str(part))
    if isinstance(shape, MapOf) and on_key:
        return _Place(where, shape.keys, inner, on_key=True)
    return _Place(where, next(child for key, child, _ in children(shape, entry) if key == part), inner)


def _problem(error: Any, place: _Place) -> Problem:
    if place.unknown is not None:
        return _unknown_key(place)
    if place.missing is not None:
        return _missing_key(place)
    if isinstance(place.shape, Text) and (place.on_key or isinstance(place.entry.value, str)):
        return _bad_text(place.shape, place, too_small=error["type"] == "greater_than")
    if not fits(place.shape, place.entry):
        return _error("CEX014", place, f"{describe(place.shape)} is wanted here, not {_kind(place.entry)}", describe(place.shape))
    if error["type"] == "too_short":
        return _error("CEX023", place, f"`{place.where[-1]}` is empty", "at least one entry")
    return _error("CEX022", place, error["msg"].removeprefix("Value error, "))


def _error(rule: str, place: _Place, message: str, hint: str = "", edit: Edit | None = None) -> Problem:
    return Problem(rule, "error", _at(place), place.where, message, hint, edit)


def _at(place: _Place) -> Position:
    inside = place.on_key or place.missing is not None or isinstance(place.entry.value, dict)
    return Position(place.entry.file, *(place.entry.key if inside else place.entry.at))


def _nearest_key(place: _Place) -> str | None:
    assert isinstance(place.shape, NodeOf)
    free = [key for key in fields(place.shape.model) if place.entry.child(key) is None]
    near = difflib.get_close_matches(str(place.unknown), free, 1)
    return near[0] if near else None


def _unknown_key(place: _Place) -> Problem:
    assert isinstance(place.shape, NodeOf)
    key, near = str(place.unknown), _nearest_key(place)
    entry = place.entry.child(key)
    position = Position(entry.file, *entry.key) if entry is not None else _at(place)
    message = f"unknown key `{key}`" + (f"; did you mean `{near}`?" if near else "")
    legal = f"one of: {', '.join(fields(place.shape.model))}"
    return Problem("CEX012", "error", position, place.where, message, legal, Edit(position, key, near) if near else None)


def _missing_key(place: _Place) -> Problem:
    assert isinstance(place.shape, NodeOf) and place.missing is not None
    info = keys(place.shape.model)[place.missing]
    example = json.dumps(info.examples[0], ensure_ascii=False) if info.examples else "..."
    hint = f"for example `{place.missing}: {example}` ({info.description})"
    return _error("CEX013", place, f"key `{place.missing}` is missing{_of(place)}", hint)


def _of(place: _Place) -> str:
    return f" in `{place.where[-1]}`" if place.where else ""


_WANTED = {
    "whole number": ("CEX017", "is not a whole number", "digits only: 20"),
    "number": ("CEX017", "is not a number", "a number: 0.5"),
    "name": ("CEX016", "is not a name", "lower-case letters, digits and `_`, a letter first: order_book"),
    "flag": ("CEX018", "is neither true nor false", "true or false"),
    "duration": ("CEX019", "is not a duration", "a number and a unit: 500ms, 2s, 1m, 24h"),
    "URL": ("CEX020", "is not a URL", "https://... or wss://..."),
    "date": ("CEX026", "is not a date", "year-month-day: 2026-06-23"),
    "text": ("CEX033", "is not the id of a spec", "the id of a spec in the same folder: lower-case letters, digits, `_` and `-`"),
}


def _bad_text(shape: Text, place: _Place, *, too_small: bool) -> Problem:
    text = str(place.where[-1] if place.on_key else place.entry.value)
    if shape.words:
        near = difflib.get_close_matches(text, shape.words, 1)
        message = f"`{text}` is not one of the words here" + (f"; did you mean `{near[0]}`?" if near else "")
        return _error("CEX015", place, message, f"one of: {', '.join(shape.words)}")
    if shape.noun == "path":
        right = f"$.{text.lstrip('.@')}"
        edit = None if place.on_key else Edit(_at(place), text, right)
        hint = f"`{right}`: `$` is the message, or the item inside `fields`"
        return _error("CEX021", place, f"path `{text}` does not start with `$`", hint, edit)
    rule, wrong, wanted = _WANTED[shape.noun]
    return _error(rule, place, f"`{text}` {'is not more than 0' if too_small else wrong}", wanted)


def _kind(entry: Entry) -> str:
    if isinstance(entry.value, dict):
        return "a mapping"
    return "a list" if isinstance(entry.value, list) else f"the text `{entry.value}`"
