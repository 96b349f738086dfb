"""The catalogue of rules: what each finding means, why it is one, and how to write it right."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. `bad` and `good` are parts of a spec, from the top: laid over a good one they break or keep it."""

    id: str
    title: str
    severity: Literal["error", "warning"]
    why: str
    bad: str
    good: str


@cache
def catalogue() -> dict[str, Rule]:
    """Every rule by its id, in order."""
    rules = msgspec.yaml.decode(Path(__file__).with_name("rules.yaml").read_bytes(), type=list[Rule])
    return {rule.id: rule for rule in rules}


def rule(identifier: str) -> Rule:
    """The rule of an id. Raises KeyError where there is none."""
    return catalogue()[identifier]
