"""All targets."""

from __future__ import annotations

from tests.fuzz import answers, lines, requests, specs, streams

TARGETS = (*streams.TARGETS, *answers.TARGETS, *specs.TARGETS, *requests.TARGETS, *lines.TARGETS)
