"""Times and intervals as users write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cexspec.engine.times import SECOND, Time, interval_span, nanoseconds
from cexspec.models import InvalidRequest

NEW_YEAR = 1_767_225_600 * SECOND


@pytest.mark.parametrize(
    "value",
    [
        NEW_YEAR,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
    ],
)
def test_a_time_is_nanoseconds_whatever_its_form(value: Time) -> None:
    assert nanoseconds(value, "start") == NEW_YEAR


def test_microseconds_are_kept_exactly() -> None:
    assert nanoseconds("2026-01-01T00:00:00.123456Z", "start") == NEW_YEAR + 123_456_000


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (datetime(2026, 1, 1), "start has no time zone"),
        (1_767_225_600_000, "start is counted in nanoseconds: 1767225600000 would be in early 1970"),
        (True, "not bool"),
        (1.5, "not float"),
        ("tomorrow", "start is no ISO time: 'tomorrow'"),
    ],
)
def test_what_is_no_time_is_refused_with_the_parameters_name(value: Time, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        nanoseconds(value, "start")


@pytest.mark.parametrize(("interval", "seconds"), [("1s", 1), ("5m", 300), ("4h", 14400), ("1d", 86400), ("2w", 1209600), ("1M", 2678400)])
def test_intervals_have_a_length(interval: str, seconds: int) -> None:
    assert interval_span(interval) == seconds * SECOND


@pytest.mark.parametrize("interval", ["", "1", "m", "0m", "1y", "1 m", "-1m"])
def test_what_is_no_interval_is_refused(interval: str) -> None:
    with pytest.raises(InvalidRequest, match="is no interval"):
        interval_span(interval)
