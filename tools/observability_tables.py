"""The tables of docs/observability.md: every metric with its place in the snapshot, and every name of a log record."""

from __future__ import annotations

from collections.abc import Iterator

from cexspec.engine.client_stats import Series, series
from cexspec.models.log_events import LogEvent

PAGE = "observability.md"


def tables() -> str:
    """Both, each under its heading."""
    return "\n".join([*_metrics(), "", *_events(), ""])


def _metrics() -> Iterator[str]:
    yield from ("### Metrics", "", "| metric | kind | labels | in `client.stats` | meaning |", "|---|---|---|---|---|")
    for each in series():
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{exposed(each)}` | {each.measure.kind} | {labels} | `{each.place}` | {each.measure.meaning} |"


def _events() -> Iterator[str]:
    yield from ("### Log records", "", "| `record.event` | meaning |", "|---|---|")
    for event in LogEvent:
        yield f"| `{event}` | {event.meaning} |"


def exposed(each: Series) -> str:
    """The name as Prometheus shows it."""
    return f"{each.name}_total" if each.measure.kind == "counter" else each.name
