"""`extends`: a spec that changes a sibling. Mappings merge deeply, `null` removes a key, everything else replaces.

A rule that may be written in short (`$.px` for `{path: $.px}`) replaces as a whole, in either spelling.
"""

from __future__ import annotations

import difflib
import re
from functools import reduce
from pathlib import Path

from cexspec.spec.compose import MAX_BYTES, Composed, compose
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.problems import Problem
from cexspec.spec.shape import NodeOf, Shape, children
from cexspec.spec.shape import resolve as shape_at
from cexspec.spec.source import Entry, Position, Source
from cexspec.spec.tidy import is_null

MAX_CHAIN = 4
ROOT = NodeOf(ExchangeSpec)
_ID = re.compile(r"[a-z0-9_-]+")


def read(path: Path) -> tuple[str, list[Problem]]:
    """The text of a spec file: at most the largest allowed and a byte, so that no device or pipe holds us up."""
    try:
        if not path.is_file():
            return "", [_unreadable(path, "it is a folder" if path.is_dir() else "there is no such file", "the path of a .yaml file")]
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return "", [_unreadable(path, str(error.strerror), "a file you may read")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        return "", [_unreadable(path, "this is not UTF-8", "save the file as UTF-8", place)]


def _unreadable(path: Path, reason: str, hint: str, place: tuple[int, int] = (1, 1)) -> Problem:
    return Problem("CEX001", "error", Position(str(path), *place), (), f"can't read `{path.name}`: {reason}", hint)


def resolve(text: str, file: Path, folder: Path | None) -> tuple[Source | None, list[Problem]]:
    """A spec text with everything it extends merged in. `folder` holds its siblings; None: it can't have any."""
    composed = compose(text, str(file))
    texts, chain, problems = {str(file): text}, [composed], list(composed.problems)
    seen = [file.stem]
    while (entry := _extends(chain[-1])) is not None:
        sibling, problem = _sibling(entry, seen, folder)
        if sibling is None or folder is None:
            problems += [problem] if problem else []
            break
        seen.append(sibling.stem)
        base_text, unread = read(sibling)
        base = Composed(None, unread) if unread else compose(base_text, str(sibling))
        texts[str(sibling)] = base_text
        problems += base.problems
        chain.append(base)
    roots = [link.root for link in reversed(chain) if link.root is not None]
    if len(roots) < len(chain) or any(problem.rule in _ENDS for problem in problems):
        return None, problems
    return Source(reduce(lambda base, over: merge(base, over, ROOT), roots), texts), problems


_ENDS = ("CEX030", "CEX031", "CEX032", "CEX033")


def _extends(composed: Composed) -> Entry | None:
    return composed.root.child("extends") if composed.root is not None else None


def _sibling(entry: Entry, seen: list[str], folder: Path | None) -> tuple[Path | None, Problem | None]:
    def problem(rule: str, message: str, hint: str) -> tuple[None, Problem]:
        return None, Problem(rule, "error", Position(entry.file, *entry.at), ("extends",), message, hint)

    name = entry.value
    if is_null(entry):
        return None, None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        message = "`extends` takes the id of a spec in the same folder, nothing else"
        return problem("CEX033", message, "`extends: NAME` for NAME.yaml beside this file")
    way = " -> ".join([*seen, name])
    if name in seen:
        return problem("CEX031", f"`extends` goes round in a circle: {way}", "one spec of the circle without `extends`")
    if len(seen) > MAX_CHAIN:
        return problem("CEX032", f"`extends` over more than {MAX_CHAIN} files: {way}", "extend a spec nearer to the end")
    if folder is None or not (folder / f"{name}.yaml").is_file():
        return problem("CEX030", f"`{name}.yaml` is not beside this file", _nearest(name, folder))
    return folder / f"{name}.yaml", None


def _nearest(name: str, folder: Path | None) -> str:
    siblings = sorted(path.stem for path in folder.glob("*.yaml")) if folder is not None else []
    near = difflib.get_close_matches(name, siblings, 1)
    return f"`extends: {near[0]}`" if near else "the id of a spec in the same folder"


def merge(base: Entry, over: Entry, shape: Shape | None = None) -> Entry:
    """`over` laid over `base`; every entry keeps the file and place it comes from.

    What has a short form (a field rule, a weight) is one thing in both spellings: it is replaced as a whole.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    shapes = {}
    if shape is not None:
        known = shape_at(shape, over)
        if isinstance(known, NodeOf) and known.text_key is not None:
            return over
        shapes = {key: inner for key, inner, _ in children(known, over)}
    merged = dict(base.value)
    for key, inner in over.value.items():
        if key not in merged:
            merged[key] = inner
        elif is_null(inner):
            del merged[key]
        else:
            merged[key] = merge(merged[key], inner, shapes.get(key))
    return over._replace(value=merged)
