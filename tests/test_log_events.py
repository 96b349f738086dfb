"""What is logged has a name from one closed list, which is documented, and messages are never logged."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cexspec.engine.states import Transition
from cexspec.engine.stats import Counters
from cexspec.models.log_events import LogEvent, worth_logging
from tests.simulation.stage import Collector, Stage, perform

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "cexspec").rglob("*.py"))
CALLS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def log_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("log", "logger", "logging", "_log"):
                yield node


def events(call: ast.Call) -> list[str]:
    """The `LogEvent`s among the values of `extra`, by source; `event` is a parameter of that type."""
    extra = next((word.value for word in call.keywords if word.arg == "extra"), None)
    if not isinstance(extra, ast.Dict):
        return []
    keys = [key.value if isinstance(key, ast.Constant) else None for key in extra.keys]
    return [ast.unparse(value) for key, value in zip(keys, extra.values, strict=True) if key == "event"]


def test_every_log_call_names_its_event() -> None:
    nameless = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        for call in log_calls(path)
        if not any(event.startswith("LogEvent.") or event == "event" for event in events(call))
    ]
    assert nameless == []
    assert sum(1 for path in SOURCES for _ in log_calls(path)) >= 12, "the calls are found"


def test_every_name_is_used_and_documented() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert [event.name for event in LogEvent if f"LogEvent.{event.name}" not in code] == []
    document = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    assert [event for event in LogEvent if f"| `{event}` | {event.meaning} |" not in document] == []


def test_loggers_are_below_the_packages_own() -> None:
    code = [path.read_text(encoding="utf-8") for path in SOURCES]
    made = [line for text in code for line in text.splitlines() if "getLogger(" in line]
    assert made and all('getLogger("cexspec.' in line or "getLogger(__name__)" in line for line in made)


def test_a_problem_is_logged_the_1st_2nd_4th_8th_time(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters("okx")
    for _ in range(1000):
        counters.unrouted += 1
        counters.note(LogEvent.UNROUTED, counters.unrouted, "what is this?")
    assert [record.getMessage() for record in caplog.records][:3] == [
        f"okx unrouted ({count} so far): what is this?" for count in (1, 2, 4)
    ]
    assert len(caplog.records) == 10 and {vars(record)["event"] for record in caplog.records} == {"unrouted"}
    assert [count for count in range(1, 20) if worth_logging(count)] == [1, 2, 4, 8, 16]


async def test_ten_thousand_messages_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        caplog.clear()
        for _ in range(100):
            for _ in range(100):
                scene.bazaar.trade("BTC-USDT")
            await scene.wait(0.2)
        assert len(collector.numbers("BTC/USDT")) == 10_000
        assert scene.client.stats.messages >= 10_000
        assert [record for record in caplog.records if record.name.startswith("cexspec")] == []

    caplog.set_level(logging.DEBUG)
    await perform(play)


async def test_a_callback_that_always_fails_is_counted_each_time_and_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        await scene.client.subscribe("trades", "BTC/USDT", callback=lambda event: 1 / 0).ready()
        for _ in range(100):
            scene.bazaar.trade("BTC-USDT")
        await scene.wait(1)
        assert scene.client.stats.callback_errors == 100
        failed = [record for record in caplog.records if getattr(record, "event", None) == LogEvent.CALLBACK_ERROR]
        assert len(failed) == 7 and all(record.exc_info for record in failed)

    await perform(play)


async def test_a_transition_is_a_callback_a_log_record_and_a_count_and_comes_out_of_an_iterator(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        seen: list[Transition] = []
        scene.client.on_state(seen.append)
        iterator = scene.client.transitions()
        first = scene.client.stream_trades("BTC/USDT")
        taken = [await anext(iterator), await anext(iterator)]
        await first.ready()
        scene.network.lines[0].cut()
        taken += [await anext(iterator), await anext(iterator)]
        logged = [vars(record)["transition"] for record in caplog.records if getattr(record, "event", None) == "connection_state"]
        assert taken == seen == logged
        assert [transition.after for transition in seen] == ["connecting", "connected", "reconnecting", "connected"]
        stats = scene.client.stats.connections["public"]
        assert stats.transitions == {"connecting": 1, "connected": 2, "reconnecting": 1} and stats.states == {"connected": 1}

    caplog.set_level(logging.INFO)
    await perform(play)
