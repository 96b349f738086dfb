"""A spec file to the checked model: `load` reads it with all it extends, or raises every problem at once."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cexspec.models import SpecError
from cexspec.spec.causes import causes
from cexspec.spec.extends import read, resolve
from cexspec.spec.garbage import left_uncollected
from cexspec.spec.likeness import expand, said_once
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.problems import Findings, Problem
from cexspec.spec.shape import NodeOf
from cexspec.spec.source import Source
from cexspec.spec.tidy import tidy
from cexspec.spec.unread import bind

ROOT = NodeOf(ExchangeSpec)
_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "exchanges", _PACKAGE.parent / "exchanges")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A spec that keeps to the language, and its source. Every node knows its place (`node.where`)."""

    spec: ExchangeSpec
    source: Source


def load(path: Path) -> Loaded:
    """Read a spec file. Raises SpecError, whose `problems` are all that is wrong with it."""
    text, problems = read(path)
    with left_uncollected():
        return _checked(*(resolve(text, path, path.parent) if not problems else (None, problems)))


def load_text(text: str, name: str = "spec.yaml", folder: Path | None = None) -> Loaded:
    """Read a spec text; `name` stands for its file in messages, `folder` holds the siblings it may extend."""
    with left_uncollected():
        return _checked(*resolve(text, Path(name), folder))


def shipped() -> list[str]:
    """The ids of the specs that come with cexspec, sorted."""
    return sorted(path.stem for folder in _FOLDERS for path in folder.glob("*.yaml"))


def find(exchange: str) -> Path:
    """The file of a shipped exchange id, or of a path to a .yaml file. Raises SpecError where there is none."""
    if exchange.endswith((".yaml", ".yml")):
        path = Path(exchange)
        if path.is_file():
            return path
        raise SpecError(f"there is no spec file `{exchange}`")
    known = shipped()
    if exchange not in known:
        near = difflib.get_close_matches(exchange, known, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise SpecError(f"unknown exchange `{exchange}`{hint} (shipped: {', '.join(known)}; or give the path of a .yaml file)")
    return next(path for folder in _FOLDERS if (path := folder / f"{exchange}.yaml").is_file())


def _checked(source: Source | None, problems: list[Problem]) -> Loaded:
    if source is not None:
        loaded, found = check(source)
        named = {problem.where for problem in problems}
        problems = problems + [problem for problem in found if problem.where not in named or problem.rule == "CEX013"]
        if loaded is not None and not problems:
            return loaded
    problems = sorted(problems, key=lambda problem: problem.order)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise SpecError(f"{problems[0]}{more}", problems)


def check(source: Source) -> tuple[Loaded | None, list[Problem]]:
    """The model of a source with every `like` followed, or what keeps it from being one."""
    expanded = expand(source)
    source = expanded.source
    findings = Findings(source.position)
    findings.problems += expanded.problems
    data = tidy(ROOT, source.root, findings)
    try:
        spec = ExchangeSpec.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        known = {problem.where for problem in findings.problems}
        findings.problems += [problem for problem in causes(error, ROOT, source) if problem.where not in known]
        return None, said_once([problem for problem in findings.problems if not expanded.follows(problem)], source)
    bind(spec)
    return Loaded(spec, source), said_once(findings.problems, source)
