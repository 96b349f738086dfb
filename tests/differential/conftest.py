"""The figures of the comparison, at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TOLD = "compared with ccxt"


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a line in the summary of the run, whichever process the test runs in."""
    return lambda line: record_property(TOLD, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests told."""
    lines = [str(line) for report in terminalreporter.getreports("passed") for name, line in report.user_properties if name == TOLD]
    if lines:
        terminalreporter.section(TOLD)
        for line in sorted(lines):
            terminalreporter.write_line(line)
