"""Several calls for one answer: which of them tells of an instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cexspec.compile.exchange import Exchange
from cexspec.mock.listing import Listed
from cexspec.mock.samples import Samples

Call = Mapping[str, Any]
RowOf = Callable[[Listed], Mapping[str, Any]]
"""What the venue's list says of an instrument."""


class Shares:
    """Knows by what samples show of each call, else by what an instrument's own row says under the names that calls have."""

    def __init__(self, exchange: Exchange, samples: Samples, row_of: RowOf) -> None:
        self._exchange, self._samples, self._row_of = exchange, samples, row_of

    def tells(self, operation: str, listed: Listed, params: Call) -> bool:
        """Whether a call of an operation with these parameters tells of an instrument."""
        options = self._exchange.spec.rest[operation].each or []
        asked = {key: str(params.get(key, "")) for option in options for key in option}
        own = {key: value for key, value in asked.items() if listed.params.get(key) != value}
        shown = [call for call in self._samples.calls_about(str(listed.symbol), operation) if any(_is(call, one) for one in options)]
        if shown:
            return any(_same(call, option, own) for call in shown for option in options if _is(call, option))
        row, known = self._row_of(listed), self._samples.calls(operation)
        return all(
            str(row[key]) == value if key in row and value else not value or all(str(call.get(key)) != value for call in known)
            for key, value in own.items()
        )


def _is(call: Call, option: Mapping[str, object]) -> bool:
    """Whether a sample call is one that an option of `each` makes."""
    told = dict(_told(call, option))
    blank = not any(option.values())
    return (bool(told) or blank) and all(not isinstance(option[key], str) or option[key] == value for key, value in told.items())


def _same(call: Call, option: Mapping[str, object], asked: Mapping[str, str]) -> bool:
    """Whether the call of a sample asks the same; what neither it nor the option says is not asked."""
    told = dict(_told(call, option))
    return all(told.get(key, value if option.get(key) else "") == value for key, value in asked.items())


def _told(call: Call, option: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((key, str(call[key])) for key in option if key in call)
