"""Problems as SARIF 2.1.0, with the rules they break."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cexspec.spec.problems import Edit, Problem
from cexspec.spec.rules import Rule, catalogue
from cexspec.spec.source import Position

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(problems: Sequence[Problem]) -> str:
    """A SARIF log of one run."""
    rules = [known for known in catalogue().values() if any(problem.rule == known.id for problem in problems)]
    index = {known.id: number for number, known in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "cexspec", "rules": [_rule(known) for known in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, index[problem.rule]) for problem in problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(known: Rule) -> dict[str, Any]:
    return {
        "id": known.id,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "help": {"text": f"Bad:\n{known.bad}\nGood:\n{known.good}"},
        "defaultConfiguration": {"level": known.severity},
    }


def _result(problem: Problem, index: int) -> dict[str, Any]:
    message = f"{problem.message}\nwrite: {problem.hint}" if problem.hint else problem.message
    region = {"startLine": problem.position.line, "startColumn": problem.position.column}
    result = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(problem.position), "region": region}}],
    }
    return result if problem.edit is None else {**result, "fixes": [_fix(problem.edit)]}


def _fix(edit: Edit) -> dict[str, Any]:
    start = edit.position
    region = {"startLine": start.line, "startColumn": start.column, "endLine": start.line, "endColumn": start.column + len(edit.old)}
    replacement = {"deletedRegion": region, "insertedContent": {"text": edit.new}}
    change = {"artifactLocation": _artifact(start), "replacements": [replacement]}
    return {"description": {"text": f"write {edit.new}"}, "artifactChanges": [change]}


def _artifact(position: Position) -> dict[str, str]:
    return {"uri": quote(position.file.replace("\\", "/"))}
