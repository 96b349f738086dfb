"""The one runner of `exchanges/samples/<id>/`: every case by value, and whether the cases exercise all of the spec."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import OperationPlan
from cexspec.compile.recipe import Moment
from cexspec.models import EXCHANGE_ERRORS, MODELS, CexspecError, Credentials, Event, ExchangeError
from tests.exchanges import choices, coverage
from tests.exchanges.venue import IDS, LATER, Case, Feed, Recorder, Sent, engine, plan, prepared, samples

LISTED_ERRORS = 15
"""Error cases a venue has at least; codes without a case of their own are tried in the body of another."""


def cases(name: str, *keys: str) -> list[Any]:
    """Every case of all venues, named by venue, number and what it is about; with `keys`, those that have one of them."""
    found = []
    for exchange in IDS:
        for number, case in enumerate(samples(exchange, name)):
            if not keys or any(key in case for key in keys):
                about = case.get("id") or case.get("operation") or case.get("channel") or case.get("connection")
                found.append(pytest.param(exchange, case, id=f"{exchange}-{number}-{about}"))
    return found


def plain(event: Event) -> dict[str, Any]:
    """An event as samples write it: what is not None, without exchange, received and defaults that say nothing."""
    values = json.loads(msgspec.json.encode(event))
    return {
        key: value
        for key, value in values.items()
        if value is not None and key not in ("exchange", "received") and (key, value) != ("size_unit", "base")
    }


def numeric(model: type[Event]) -> set[str]:
    """The fields of a model that hold numbers, alone or in levels."""
    annotations = {name: text for base in model.__mro__ for name, text in getattr(base, "__annotations__", {}).items()}
    return {name for name, text in annotations.items() if "Number" in str(text) or "Level" in str(text)}


def unsigned(operation: OperationPlan, params: dict[str, Any], written: Case) -> Case:
    """A private request before it is signed, in the form a sample has it: a JSON body as a structure, or to the byte as text."""
    request = operation.build({"now": LATER, "uuid": str(UUID(int=1)), **params})
    body = request.body.decode() if request.body is not None else None
    told = {"method": request.method, "target": request.target, "form": request.form or None}
    told["body"] = json.loads(body) if body is not None and not isinstance(written.get("body"), str) else body
    return {key: value for key, value in told.items() if value is not None}


def signed(exchange: Exchange, recipe: str | None) -> Mapping[str, Any]:
    """The values of a signed subscription: the credentials of samples are their own names."""
    if recipe is None:
        return {}
    return exchange.recipe(recipe).values(Credentials({name: name for name in exchange.credentials}), Moment(LATER, 1, 5000), {})


NUMERIC = {name: numeric(model) for name, model in MODELS.items()}


def expected(case: Case) -> list[dict[str, Any]]:
    """A sample's events with decimals in the one notation of Python's `Decimal` (`0.00000001` is `1E-8`), digits untouched."""
    return [
        {key: notation(value) if key in NUMERIC[event["type"]] else value for key, value in event.items()}
        for event in case.get("events", [])
    ]


def notation(value: Any) -> Any:
    """A number's text as `Decimal` prints it; levels likewise."""
    return [notation(inner) for inner in value] if isinstance(value, list) else str(Decimal(value))


@pytest.mark.parametrize("exchange", IDS)
def test_a_venue_has_samples_of_every_kind(exchange: str) -> None:
    assert [name for name in ("requests", "messages", "errors") if not samples(exchange, name)] == []
    ids = [case["id"] for case in samples(exchange, "messages")]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize(("exchange", "case"), cases("requests", "operation"))
async def test_a_call_sends_this_request(exchange: str, case: Case) -> None:
    feed, transport = Feed(exchange), Recorder()
    operation = feed.plan.operation(case["operation"])
    if operation.verb is not None or operation.auth is not None:
        assert unsigned(operation, feed.params(case["call"]), case["request"]) == case["request"]
        assert operation.verb is None or feed.plan.operation_for(operation.verb, feed.params(case["call"])).name == operation.name
        return
    with pytest.raises(Sent):
        await engine(feed, transport).call(case["operation"], feed.params(case["call"]))
    host = next(iter(feed.plan.environments.values())).rest or ""
    sent = [
        {"method": call.method, "target": call.url.removeprefix(host.rstrip("/")), **({"body": json.loads(call.body)} if call.body else {})}
        for call in transport.calls
    ]
    assert case["request"] in sent, sent


@pytest.mark.parametrize(("exchange", "case"), cases("requests", "channel"))
def test_a_subscription_sends_this_message(exchange: str, case: Case) -> None:
    feed = Feed(exchange)
    channel = feed.plan.channel(case["channel"])
    symbol = case["call"].get("symbol")
    connection = channel.connection_of(feed.markets.find(symbol).category if symbol is not None else None)
    assert connection is not None
    subscribe = feed.plan.connection(connection).subscribe
    values = {**case.get("took", {}), **signed(feed.plan, subscribe.recipe)}
    frame = subscribe.send([channel.topic(feed.params(case["call"]))], "1", values)
    assert json.loads(frame) == case["sends"]


@pytest.mark.parametrize(("exchange", "case"), cases("messages", "operation"))
def test_an_answer_becomes_these_events(exchange: str, case: Case) -> None:
    operation = plan(exchange).operation(case["operation"])
    assert operation.errors.check(200, case["raw"].encode(), operation.name) is None
    events, left_out = prepared(exchange, case).rest(case)
    assert [plain(event) for event in events] == expected(case)
    assert len(left_out) == case.get("left_out", 0), left_out


@pytest.mark.parametrize(("exchange", "case"), cases("messages", "channel", "connection"))
def test_a_frame_becomes_these_events_or_has_this_role(exchange: str, case: Case) -> None:
    reading = prepared(exchange, case).ws(case)
    assert reading.role == case.get("role", "data"), reading.reason
    assert [plain(event) for event in reading.events] == expected(case)
    assert len(reading.errors) == case.get("left_out", 0), reading.errors
    if "channel" in case and reading.role == "data":
        assert case["channel"] in [name for name, _ in reading.parts]


@pytest.mark.parametrize(("exchange", "case"), cases("errors"))
def test_a_refusal_becomes_this_error(exchange: str, case: Case) -> None:
    error: CexspecError | None
    if "operation" in case:
        operation = plan(exchange).operation(case["operation"])
        error = operation.errors.check(case["status"], case["body"].encode(), operation.name)
    else:
        reading = prepared(exchange, case).ws(case)
        error = reading.answer.error if reading.answer else None
    assert isinstance(error, ExchangeError)
    assert (type(error).__name__, error.code) == (case["error"], case.get("code"))
    assert error.message == case["message"] if "message" in case else error.message


@pytest.mark.parametrize("exchange", IDS)
def test_every_error_code_becomes_its_class(exchange: str) -> None:
    listed = [case for case in samples(exchange, "errors") if "operation" in case and case.get("code")]
    errors = plan(exchange).spec.errors
    assert len(samples(exchange, "errors")) >= min(LISTED_ERRORS, len(errors.codes) + len(errors.messages))
    assert coverage.missing_messages(plan(exchange), samples(exchange, "errors")) == set()
    if not errors.codes:  # a venue whose errors are texts
        return
    case = next(case for case in listed if case["code"] in case["body"])
    operation = plan(exchange).operation(case["operation"])
    wrong = {}
    for code, rule in errors.codes.items():
        found = operation.errors.check(case["status"], _with_code(case, code).encode(), operation.name)
        classes = {EXCHANGE_ERRORS[name] for name in (rule.error, *rule.messages.values())}
        if found is None or type(found) not in classes or found.code != code:
            wrong[code] = found
    assert wrong == {}


def _with_code(case: Case, code: str) -> str:
    """The body of a case with another code in the place of its own."""

    def swap(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swap(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [swap(inner) for inner in value]
        if str(value) != case["code"]:
            return value
        return int(code) if isinstance(value, int) and code.lstrip("-").isdecimal() else code

    return json.dumps(swap(json.loads(case["body"])))


@pytest.mark.parametrize("exchange", IDS)
def test_every_operation_and_channel_has_a_request(exchange: str) -> None:
    compiled = plan(exchange)
    told = samples(exchange, "requests")
    wanted = {("operation", name) for name in compiled.operation_names if not compiled.operation(name).joins} | {
        ("channel", name) for name in compiled.channel_names
    }
    assert wanted - {(kind, case[kind]) for case in told for kind in ("operation", "channel") if kind in case} == set()


@pytest.mark.parametrize("exchange", IDS)
def test_the_requests_exercise_every_choice(exchange: str) -> None:
    compiled, feed = plan(exchange), Feed(exchange)
    calls = [(case["operation"], feed.params(case["call"])) for case in samples(exchange, "requests") if "operation" in case]
    made = {line for name, params in calls for line in choices.exercised(compiled, name, params)}
    assert sorted(choices.wanted(compiled) - made) == []


@pytest.mark.parametrize("exchange", IDS)
def test_the_samples_exercise_all_of_the_spec(exchange: str) -> None:
    compiled = plan(exchange)
    covered = {line for case in samples(exchange, "messages") for line in coverage.exercised(compiled, case, prepared(exchange, case))}
    assert sorted(coverage.wanted(compiled) - covered) == []


def test_what_no_sample_exercises_is_named() -> None:
    exchange = next(one for one in IDS if plan(one).channel_names)
    compiled, name = plan(exchange), plan(exchange).channel_names[0]
    without = [case for case in samples(exchange, "messages") if case.get("channel") != name]
    covered = {line for case in without for line in coverage.exercised(compiled, case, prepared(exchange, case))}
    assert f"ws.channels.{name}: an event" in coverage.wanted(compiled) - covered


@pytest.mark.parametrize("exchange", IDS)
def test_every_case_names_the_page_it_follows(exchange: str) -> None:
    told = [case for name in ("requests", "messages") for case in samples(exchange, name) if "operation" in case or "channel" in case]
    assert [case.get("id") or case.get("operation") or case.get("channel") for case in told if "docs" not in case] == []


def test_documentation_stands_beside_every_operation_and_channel() -> None:
    compiled = [plan(exchange) for exchange in IDS]
    operations = [one.operation(name) for one in compiled for name in one.operation_names if not one.operation(name).joins]
    channels = [one.channel(name) for one in compiled for name in one.channel_names]
    assert [str(one.position) for one in operations if one.docs is None] + [str(one.position) for one in channels if one.docs is None] == []
