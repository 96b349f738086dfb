"""When something was signed, as it tells itself: the texts of a recipe or a message that are one hole of time, read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from cexspec.compile.convert import NANOSECONDS

_HOLE = re.compile(r"\{\{\s*(now|expires|nonce|recv_window)\s*(?:\|\s*(\w+)[^}]*)?\}\}")

Told = Mapping[str, int]
"""What is told of a moment: `now` in nanoseconds, `nonce`, `recv_window` in milliseconds."""


def told_by(template: object, value: object, ahead: int) -> Told:
    """What a value tells where the template is one hole alone; `ahead`: nanoseconds from signing until it expires.

    Raises `ValueError` for a value that is none.
    """
    whole = _HOLE.fullmatch(template) if isinstance(template, str) and isinstance(value, str | int) else None
    if whole is None:
        return {}
    hole, unit = whole.groups()
    if hole in ("nonce", "recv_window"):
        return {hole: int(value)}  # type: ignore[call-overload]
    return {"now": _time(str(value), unit) - (ahead if hole == "expires" else 0)}


def _time(text: str, unit: str | None) -> int:
    if unit == "iso":
        return int(datetime.fromisoformat(text).timestamp() * 1e6) * 1000
    if unit not in NANOSECONDS:
        raise ValueError(f"no time in {unit}")
    return int(text) * NANOSECONDS[unit]
