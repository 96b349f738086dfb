"""The figures of the comparison, at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says a line in the summary of the run."""
    return request.config.stash.setdefault(LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests told."""
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("compared with ccxt")
        for line in lines:
            terminalreporter.write_line(line)
