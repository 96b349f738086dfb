"""Lines and files of others: what `cexspec normalize` is given, samples beside a spec, and what clients say to the mock venue."""

from __future__ import annotations

import base64
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from hypothesis import strategies as st

from cexspec.cli.normalize import _answer
from cexspec.engine.books.offline import OfflineBooks
from cexspec.engine.normalize import Normalizer
from cexspec.mock.samples import Samples
from cexspec.models import SpecError
from tests.exchanges.venue import EXCHANGES, IDS, plan, samples
from tests.fuzz import seeds
from tests.fuzz.mutations import TEXTS, Edit, cuts, edits, encoded, payloads
from tests.fuzz.run import Target
from tests.fuzz.streams import Play, topics, venue

ROW = {"id", "events", "ignored", "error"}


@cache
def command(exchange: str) -> tuple[Normalizer, OfflineBooks]:
    """What the command keeps from line to line."""
    made = Normalizer(str(EXCHANGES / f"{exchange}.yaml"))
    return made, OfflineBooks(made)


def line(given: tuple[str, bytes]) -> None:
    """One line in, one line out."""
    exchange, text = given
    normalizer, books = command(exchange)
    row = _answer(normalizer, books, text)
    again = json.loads(msgspec.json.encode(row), parse_constant=_no_constant)
    assert again.keys() == ROW | {"books"}
    assert (again["error"] is None) or again["error"].keys() == {"kind", "message"}
    assert again["error"] or again["ignored"] or again["events"], "a line about nothing"


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def samples_file(given: tuple[str, str]) -> None:
    """Samples that can't be read are an error of the spec's; what can be read is a venue or isn't."""
    name, text = given
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / f"{name}.yaml"
        files = spec.parent / "samples" / name
        files.mkdir(parents=True)
        for file in ("messages", "errors"):
            (files / f"{file}.yaml").write_text(text, encoding="utf-8", errors="replace")
        try:
            found = Samples.load(spec)
        except SpecError:
            return
        for operation in plan(name).operation_names:
            found.answer(operation, {})
            found.failure(operation, "InvalidSymbol")


def talk(given: tuple[str, str, list[bytes]]) -> None:
    """The mock venue answers anything that a client says, and goes on to serve it."""
    exchange, connection, said = given
    dialogue = venue(exchange).dialogue(connection)
    list(dialogue.opened())
    for frame in said:
        for answer in dialogue.receive(frame.decode("utf-8", "replace")):
            assert isinstance(answer, str)
    Play(exchange, connection)


def ask(given: tuple[str, str, str, dict[str, str], bytes]) -> None:
    """The mock venue answers any request."""
    exchange, method, path, query, body = given
    status, answer, _ = venue(exchange).answer(method, path, query, body)
    assert 200 <= status < 600 and isinstance(answer, bytes)


def _record(exchange: str) -> st.SearchStrategy[bytes]:
    frames = payloads(seeds.frames(exchange)).map(lambda raw: {"transport": "ws", **_payload(raw)})
    operation = st.sampled_from(plan(exchange).operation_names)
    bodies = st.tuples(operation, payloads(seeds.loose_bodies(exchange))).map(
        lambda one: {"transport": "rest", "endpoint": one[0], **_payload(one[1])}
    )
    extra: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
        st.sampled_from(["id", "connection", "url", "endpoint", "path", "params", "raw", "raw_b64", "transport"]),
        st.sampled_from([*TEXTS, None, 1, [], {}, {"symbol": "BTC/USDT"}, {"symbol": 7}, {"category": []}, "wss://x", "public", "ticker"]),
        max_size=2,
    )
    whole = st.tuples(frames | bodies, extra).map(lambda one: {**one[0], **one[1]})
    return st.tuples(whole, st.just([]) | edits(), st.just([]) | st.just([]) | cuts()).map(_written)


def _payload(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_b64": base64.b64encode(raw).decode()}


def _written(one: tuple[dict[str, Any], list[Edit], list[Any]]) -> bytes:
    record, changes, parts = one
    document: Any = record
    for edit in changes:
        document = edit.of(document)
    data = encoded(document)
    for cut in parts:
        data = cut.of(data)
    return data.replace(b"\n", b" ") or b"{}"


@st.composite
def _samples(draw: st.DrawFn) -> tuple[str, str]:
    exchange = draw(st.sampled_from(IDS))
    document: Any = list(samples(exchange, "messages")[:3] + samples(exchange, "errors")[:2])
    for edit in draw(edits()):
        document = edit.of(document)
    text = yaml.safe_dump(json.loads(json.dumps(document)), allow_unicode=True)
    for cut in draw(cuts()):
        text = cut.of(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    return exchange, text


def _said(exchange: str) -> st.SearchStrategy[tuple[str, str, list[bytes]]]:
    sent = [json.dumps(case["sends"]) for case in samples(exchange, "requests") if "sends" in case] + ["ping"]
    names = st.sampled_from([name for name in plan(exchange).connection_names if topics(exchange, name)])
    return st.tuples(st.just(exchange), names, st.lists(payloads(sent), min_size=1, max_size=3))


def _asked(exchange: str) -> st.SearchStrategy[tuple[str, str, str, dict[str, str], bytes]]:
    paths = st.sampled_from([plan(exchange).operation(name).path for name in plan(exchange).operation_names])
    queries = [dict(part.split("=", 1) for part in case["request"]["target"].partition("?")[2].split("&") if "=" in part)
               for case in samples(exchange, "requests") if "request" in case]  # fmt: skip
    keys = sorted({key for query in queries for key in query} | {"x"})
    values = sorted({value for query in queries for value in query.values()}) + list(TEXTS)
    query = st.dictionaries(st.sampled_from(keys), st.sampled_from(values), max_size=4)
    bodies = [json.dumps(case["request"]["body"]) for case in samples(exchange, "requests") if "body" in case.get("request", {})] or ["{}"]
    method = st.sampled_from(["GET", "POST", "DELETE", "get"])
    return st.tuples(st.just(exchange), method, paths | st.sampled_from(TEXTS), query, st.just(b"") | payloads(bodies))


LINES = Target("lines", st.sampled_from(IDS).flatmap(lambda one: st.tuples(st.just(one), _record(one))), line)
SAMPLES = Target("samples", _samples(), samples_file)
TALKS = Target("mock streams", st.sampled_from(IDS).flatmap(_said), talk)
ASKED = Target("mock answers", st.sampled_from(IDS).flatmap(_asked), ask)
TARGETS = (LINES, SAMPLES, TALKS, ASKED)
