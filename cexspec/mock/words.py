"""Field rules backwards: the venue's value for a unified one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cexspec.compile.convert import NANOSECONDS
from cexspec.mock.document import like
from cexspec.spec.model import FieldRule


def written(rule: FieldRule, value: Any, current: Any) -> Any:
    """The venue's value for a unified one, in the form of `current`, which stands in the sample."""
    if rule.sign is not None:
        number = abs(Decimal(str(current or 1)))
        return like(current, -number if value == rule.sign.negative else number)
    if rule.flag is not None:
        return value == rule.flag.true
    if rule.map is not None:
        word = str(value).lower() if isinstance(value, bool) else value
        value = next((venue for venue, unified in rule.map.items() if unified == word), value)
    return like(current, _joined(rule, _in_unit(rule, value), current))


def _in_unit(rule: FieldRule, value: Any) -> Any:
    match rule.unit:
        case "s":
            return Decimal(value) / NANOSECONDS["s"]
        case "ms" | "us" | "ns":
            return value // NANOSECONDS[rule.unit]
        case "iso":
            return datetime.fromtimestamp(value / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "fraction":
            return value / 100
        case _:
            return value


def _joined(rule: FieldRule, value: Any, current: Any) -> Any:
    if rule.case is not None:
        value = str(value).lower() if rule.case == "upper" else str(value).upper()
    if rule.prefix is not None:
        value = str(value).removeprefix(rule.prefix)
    if rule.strip is not None:
        value = f"{rule.strip}{value}"
    if rule.split is not None and isinstance(current, str):
        parts = current.split(rule.split.by)
        parts[rule.split.part] = str(value)
        value = rule.split.by.join(parts)
    return value
