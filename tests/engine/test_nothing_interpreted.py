"""Once compiled, frames are read by plans alone: nothing of a spec, a template or a JSONPath is interpreted again."""

from __future__ import annotations

import gc
import inspect
from decimal import Decimal
from typing import Any

import jinja2
import jsonpath_ng
import jsonpath_ng.ext
import pydantic
import pytest
import yaml

from cexspec.engine.frames import FrameReader, Reading
from cexspec.engine.markets import Markets
from cexspec.engine.normalize import Normalizer
from cexspec.models import CexspecError, Event
from cexspec.spec.model.node import Node
from tests.exchanges.venue import EXCHANGES, IDS, connection_of, samples

Result = list[Event] | CexspecError
POISONED = [
    *((yaml, name) for name in ("compose", "compose_all", "load", "load_all", "safe_load", "safe_load_all", "parse", "scan")),
    *((pydantic.BaseModel, name) for name in ("model_validate", "model_validate_json", "model_dump", "__init__")),
    (Node, "__getattribute__"),
    *((jinja2.Environment, name) for name in ("parse", "lex", "compile", "from_string", "get_template", "compile_expression")),
    *((jinja2.Template, name) for name in ("render", "generate", "new_context")),
    *((module, "parse") for module in (jsonpath_ng, jsonpath_ng.ext, jsonpath_ng.parser.JsonPathParser, jsonpath_ng.ext.parser)),
]
"""What interprets, by owner and name."""


class Interpreted(BaseException):
    """Something was interpreted; no `except Exception` of the code under test can hide it."""


def raising(*given: Any, **named: Any) -> Any:
    raise Interpreted("interpreted while a frame was read")


def subclasses(base: type) -> set[type]:
    return {base}.union(*map(subclasses, base.__subclasses__()))


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it to make every interpreter raise; the end of the test undoes it."""

    def poisoned() -> None:
        for owner, name in POISONED:
            monkeypatch.setattr(owner, name, raising)
        for path in subclasses(jsonpath_ng.JSONPath):
            monkeypatch.setattr(path, "find", raising)
        for name in ("eval", "exec", "compile"):
            monkeypatch.setattr(f"builtins.{name}", raising)

    return poisoned


class Readers:
    """Both ways to read the frames of a venue."""

    def __init__(self, exchange: str, number: type[Decimal] | type[float]) -> None:
        self.cases = [case for case in samples(exchange, "messages") if "channel" in case or "connection" in case]
        self.normalizer = Normalizer(str(EXCHANGES / f"{exchange}.yaml"), number=number)
        self.plan = self.normalizer.exchange
        self.connections = [connection_of(self.plan, case) for case in self.cases]
        channels = {name: self.plan.channel(name) for name in self.plan.channel_names}
        markets = Markets(self.plan, number)
        self.readers = {name: FrameReader(exchange, self.plan.connection(name), channels, markets) for name in self.plan.connection_names}

    def read(self) -> list[tuple[Result, Reading]]:
        """Every frame, by the normalizer and by the reader of its connection."""
        return [
            (self._normalized(case["raw"]), self.readers[name].read(case["raw"].encode()))
            for case, name in zip(self.cases, self.connections, strict=True)
        ]

    def _normalized(self, frame: str) -> Result:
        try:
            return self.normalizer.ws(frame)
        except CexspecError as error:
            return error


def shown(results: list[tuple[Result, Reading]]) -> list[str]:
    """Results as text: errors compare by what they say."""
    return [repr(result) for result in results]


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("exchange", IDS)
def test_frames_are_read_again_without_any_interpreter(exchange: str, number: type[Decimal] | type[float], poison: Any) -> None:
    mine = Readers(exchange, number)
    mine.read()
    expected = shown(mine.read())
    data = sum("channel" in case for case in mine.cases)
    assert sum(isinstance(events, list) and len(events) > 0 for events, _ in mine.read()) >= data // 2
    poison()
    try:
        found = shown(mine.read())
    except Interpreted as error:  # told here, before the tools that report a failure meet the poison
        pytest.fail(f"{error}: {_culprit(error)}", pytrace=False)
    assert found == expected


def _culprit(error: BaseException) -> str:
    last = inspect.getinnerframes(error.__traceback__)[-2] if error.__traceback__ else None
    return f"{last.filename}:{last.lineno}" if last else "unknown"


@pytest.mark.parametrize(("owner", "name"), POISONED, ids=lambda one: getattr(one, "__name__", one))
def test_the_poison_works(owner: Any, name: str, poison: Any) -> None:
    poison()
    with pytest.raises(Interpreted):
        getattr(owner, name)()


@pytest.mark.parametrize("exchange", IDS)
def test_a_plan_that_reads_holds_no_path_and_no_template(exchange: str) -> None:
    mine = Readers(exchange, Decimal)
    mine.read()
    before = {id(one) for one in _interpreters()}
    mine.read()
    assert [one for one in _interpreters() if id(one) not in before] == []


def _interpreters() -> list[object]:
    """Parsed paths and templates alive now."""
    return [one for one in gc.get_objects() if isinstance(one, jsonpath_ng.JSONPath | jinja2.Template)]
