"""Days of expiry in native ids: strftime codes, and the quarter letters of futures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

_CODE = re.compile(r"%(-?[A-Za-z%])")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_QUARTERS = {"H": 3, "M": 6, "U": 9, "Z": 12}
_PATTERNS = {
    "y": r"(?P<y>[0-9]{2})",
    "Y": r"(?P<Y>[0-9]{4})",
    "m": r"(?P<m>[0-9]{2})",
    "b": f"(?P<b>{'|'.join(_MONTHS)})",
    "d": r"(?P<d>[0-9]{2})",
    "-d": r"(?P<d>[1-9][0-9]?)",
    "q": f"(?P<q>[{''.join(_QUARTERS)}])",
}
_NAMES = {"y": "year", "Y": "year", "m": "month", "b": "month", "d": "day", "-d": "day", "q": "quarter"}
_FRIDAY = 4


def names_a_day(text: str) -> bool:
    """Whether codes name one day: year, month and day once each, or the year and its quarter, which means the last Friday."""
    names = sorted(_NAMES.get(code, "?") for code in _CODE.findall(text))
    return names in (["day", "month", "year"], ["quarter", "year"]) and "%" not in _CODE.sub("", text)


def day_pattern(text: str) -> str:
    """The regex of a day written so."""
    pieces = _CODE.split(text)
    return "".join(_PATTERNS[piece] if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))


def read_day(groups: Mapping[str, str]) -> date | None:
    """The day in the groups that `day_pattern` found; None where the calendar has no such day."""
    year = int(groups["Y"]) if "Y" in groups else 2000 + int(groups["y"])
    try:
        if "q" in groups:
            return _last_friday(year, _QUARTERS[groups["q"]])
        month = int(groups["m"]) if "m" in groups else _MONTHS.index(groups["b"]) + 1
        return date(year, month, int(groups["d"]))
    except ValueError:
        return None


def write_day(text: str, day: date) -> str | None:
    """The day in these codes; None where they can't name it: a quarter letter stands for one day only."""
    quarter = next((letter for letter, month in _QUARTERS.items() if _last_friday(day.year, month) == day), None)
    words = {
        "y": f"{day.year % 100:02}",
        "Y": f"{day.year:04}",
        "m": f"{day.month:02}",
        "b": _MONTHS[day.month - 1],
        "d": f"{day.day:02}",
        "-d": str(day.day),
        "q": quarter,
    }
    if any(words[code] is None for code in _CODE.findall(text)):
        return None
    return _CODE.sub(lambda found: str(words[found[1]]), text)


def _last_friday(year: int, month: int) -> date:
    last = date(year, 12, 31) if month == 12 else date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _FRIDAY) % 7)
