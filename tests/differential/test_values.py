"""What counts as equal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.differential.values import same

EQUAL = [
    (Decimal("0.10"), "0.1"),
    (Decimal("118000"), 118000.0),
    (Decimal("0.00000001"), "1E-8"),
    (1785571201234, 1785571201234),
    ("buy", "buy"),
    (True, True),
    ([[Decimal("1.0"), Decimal("2")]], [["1", "2.000"]]),
]
DIFFERENT = [
    (Decimal("0.1"), "0.1000001"),
    (None, "0"),
    (1785571201234, 1785571201235),
    ("buy", "sell"),
    (True, False),
    ([[Decimal("1"), Decimal("2")]], []),
    ([[Decimal("1"), Decimal("2")]], [["1", "3"]]),
]


@pytest.mark.parametrize(("ours", "theirs"), EQUAL)
def test_equal_by_value_however_it_is_written(ours: Any, theirs: Any) -> None:
    assert same(ours, theirs)


@pytest.mark.parametrize(("ours", "theirs"), DIFFERENT)
def test_different_values_are_told_apart(ours: Any, theirs: Any) -> None:
    assert not same(ours, theirs)
