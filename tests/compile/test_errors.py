"""Errors: which answers are errors, and of which class."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.errors import compile_errors
from cexspec.compile.plan import ErrorPlan
from cexspec.models import ExchangeError
from cexspec.spec.model import Errors
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position

ENVELOPE: dict[str, Any] = {
    "failed": {"$.code": {"not": "0"}},
    "code": ["$.data[0].sCode", "$.code"],
    "message": ["$.data[0].sMsg", "$.msg"],
    "codes": {
        "50011": "RateLimitExceeded",
        "51001": "InvalidSymbol",
        "50001": "ExchangeUnavailable",
        "1": {"class": "InvalidRequest", "messages": {"not enough": "InsufficientFunds", "Not Found": "OrderNotFound"}},
    },
    "statuses": {"403": "PermissionDenied", "404": "InvalidRequest"},
}
ARRAY: dict[str, Any] = {
    "failed": {"$[0]": "error"},
    "code": ["$[1]"],
    "message": ["$[2]"],
    "codes": {"10020": {"class": "InvalidRequest", "messages": {"symbol: invalid": "InvalidSymbol"}}},
    "default": "InvalidRequest",
}
TEXTS: dict[str, Any] = {
    "failed": {"$.error[0]": {"is": "text"}},
    "message": ["$.error[0]"],
    "messages": {"EQuery:Unknown asset": "InvalidSymbol", "rate limit": "RateLimitExceeded", "EQuery": "InvalidRequest"},
    "statuses": {"422": "InvalidOrder"},
}
MIXED: dict[str, Any] = {**ENVELOPE, "messages": {"no such": "OrderNotFound", "margin": "InvalidOrder"}}
BARE: dict[str, Any] = {"code": ["$.code"], "message": ["$.msg"], "codes": {"-1121": "InvalidSymbol"}}


def plan(errors: dict[str, Any]) -> ErrorPlan:
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    compiled = compile_errors(Errors.model_validate(errors), "venue", findings)
    assert findings.problems == []
    return compiled


ANSWERS: list[tuple[dict[str, Any], int, bytes, tuple[str, str | None, str] | None]] = [
    (ENVELOPE, 200, b'{"code":"0","data":[]}', None),
    (ENVELOPE, 200, b'{"data":[]}', None),
    (ENVELOPE, 200, b"<html>fine</html>", None),
    (ENVELOPE, 200, b"", None),
    (ENVELOPE, 200, b'{"code":"51001","msg":"no such"}', ("InvalidSymbol", "51001", "no such")),
    (ENVELOPE, 200, b'{"code":51001,"msg":7}', ("InvalidSymbol", "51001", "7")),
    (ENVELOPE, 200, b'{"code":"77777","msg":"new"}', ("ExchangeError", "77777", "new")),
    (ENVELOPE, 200, b'{"code":"1","msg":"","data":[{"sCode":"51001","sMsg":"deep"}]}', ("InvalidSymbol", "51001", "deep")),
    (ENVELOPE, 200, b'{"code":"1","msg":"NOT ENOUGH margin"}', ("InsufficientFunds", "1", "NOT ENOUGH margin")),
    (ENVELOPE, 200, b'{"code":"1","msg":"order not found"}', ("OrderNotFound", "1", "order not found")),
    (ENVELOPE, 200, b'{"code":"1","msg":{"a":[1]}}', ("InvalidRequest", "1", '{"a":[1]}')),
    (ENVELOPE, 200, b'{"code":"1"}', ("InvalidRequest", "1", "OK")),
    (ENVELOPE, 400, b'{"code":"51001","msg":"m"}', ("InvalidSymbol", "51001", "m")),
    (ENVELOPE, 429, b'{"code":"51001","msg":"m"}', ("InvalidSymbol", "51001", "m")),
    (ENVELOPE, 429, b'{"msg":"m"}', ("RateLimitExceeded", None, "m")),
    (ENVELOPE, 418, b"[]", ("RateLimitExceeded", None, "I'm a Teapot")),
    (ENVELOPE, 404, b'{"code":"9","msg":"m"}', ("InvalidRequest", "9", "m")),
    (ENVELOPE, 500, b'{"code":"9","msg":"m"}', ("ExchangeError", "9", "m")),
    (ENVELOPE, 500, b'{"msg":"m"}', ("ExchangeUnavailable", None, "m")),
    (ENVELOPE, 400, b"{}", ("ExchangeError", None, "Bad Request")),
    (ENVELOPE, 599, b"{}", ("ExchangeUnavailable", None, "no message")),
    (ENVELOPE, 502, b"<html>\n <b>Bad\tGateway</b>", ("ExchangeUnavailable", None, "<html> <b>Bad Gateway</b>")),
    (ENVELOPE, 400, b"\xff\xfe", ("ExchangeUnavailable", None, "\ufffd\ufffd")),
    (ENVELOPE, 503, b"", ("ExchangeUnavailable", None, "Service Unavailable")),
    (ENVELOPE, 429, b"slow down", ("RateLimitExceeded", None, "slow down")),
    (ENVELOPE, 403, b"blocked", ("PermissionDenied", None, "blocked")),
    (ENVELOPE, 500, b"[" * 100_000, ("ExchangeUnavailable", None, "[" * 197 + "...")),
    (ARRAY, 200, b'["error",10020,"limit: invalid"]', ("InvalidRequest", "10020", "limit: invalid")),
    (ARRAY, 500, b'["error",10020,"symbol: invalid"]', ("InvalidSymbol", "10020", "symbol: invalid")),
    (ARRAY, 200, b"[[1,2,3]]", None),
    (ARRAY, 500, b'["error",5,"?"]', ("InvalidRequest", "5", "?")),
    (TEXTS, 200, b'{"error":[],"result":{}}', None),
    (TEXTS, 200, b'{"error":["EQuery:Unknown asset pair"]}', ("InvalidSymbol", None, "EQuery:Unknown asset pair")),
    (TEXTS, 200, b'{"error":["EAPI:RATE LIMIT exceeded"]}', ("RateLimitExceeded", None, "EAPI:RATE LIMIT exceeded")),
    (TEXTS, 200, b'{"error":["EQuery:Other"]}', ("InvalidRequest", None, "EQuery:Other")),
    (TEXTS, 200, b'{"error":["What"]}', ("ExchangeError", None, "What")),
    (TEXTS, 422, b"equery is not one", ("InvalidRequest", None, "equery is not one")),
    (TEXTS, 422, b"Failed", ("InvalidOrder", None, "Failed")),
    (TEXTS, 422, b'{"error":["EQuery"]}', ("InvalidRequest", None, "EQuery")),
    (MIXED, 200, b'{"code":"51001","msg":"no such"}', ("InvalidSymbol", "51001", "no such")),
    (MIXED, 200, b'{"code":"1","msg":"margin"}', ("InvalidRequest", "1", "margin")),
    (MIXED, 200, b'{"code":"7","msg":"no such order"}', ("OrderNotFound", "7", "no such order")),
    (BARE, 200, b'{"code":-1121,"msg":"m"}', None),
    (BARE, 400, b'{"code":-1121,"msg":"m"}', ("InvalidSymbol", "-1121", "m")),
]


@pytest.mark.parametrize(("errors", "status", "body", "expected"), ANSWERS, ids=[f"{row[1]} {row[2][:40]!r}" for row in ANSWERS])
def test_an_answer_is_an_error_of_its_class_or_none(
    errors: dict[str, Any], status: int, body: bytes, expected: tuple[str, str | None, str] | None
) -> None:
    error = plan(errors).check(status, body, "ticker")
    assert (None if error is None else (type(error).__name__, error.code, error.message)) == expected
    if error is not None:
        assert (error.exchange, error.endpoint, error.http_status) == ("venue", "ticker", status)
        assert error.raw == body.decode(errors="replace")[:2000]


FRAMES = [
    (b'{"event":"error","code":"51001","msg":"no"}', ("InvalidSymbol", "51001", "no")),
    (b'{"event":"error"}', ("ExchangeError", None, "no message")),
    (b"not json", ("ExchangeError", None, "not json")),
    (b"", ("ExchangeError", None, "unreadable")),
]


def test_a_plain_text_known_to_be_an_error_is_told_by_its_text() -> None:
    error = plan(TEXTS).message(b"Rate limit reached")
    assert isinstance(error, ExchangeError)
    assert (type(error).__name__, error.message) == ("RateLimitExceeded", "Rate limit reached")


@pytest.mark.parametrize(("frame", "expected"), FRAMES, ids=[repr(row[0]) for row in FRAMES])
def test_a_message_known_to_be_an_error_is_one(frame: bytes, expected: tuple[str, str | None, str]) -> None:
    error = plan(ENVELOPE).message(frame)
    assert isinstance(error, ExchangeError)
    assert (type(error).__name__, error.code, error.message) == expected
    assert (error.http_status, error.raw) == (None, frame.decode())


def test_codes_are_listed_with_their_class() -> None:
    assert plan(ENVELOPE).codes == {
        "50011": "RateLimitExceeded",
        "51001": "InvalidSymbol",
        "50001": "ExchangeUnavailable",
        "1": "InvalidRequest",
    }


PROBLEMS: list[tuple[dict[str, Any], list[tuple[str, tuple[str | int, ...], str]]]] = [
    ({"codes": {"1": "InvalidSymbl"}}, [("CEX046", ("codes", "1"), "did you mean InvalidSymbol?")]),
    ({"messages": {"x": "Nope"}}, [("CEX046", ("messages", "x"), "one of")]),
    ({"default": "Oops"}, [("CEX046", ("default",), "one of ExchangeError")]),
    ({"statuses": {"429": "Nope"}}, [("CEX046", ("statuses", "429"), "one of")]),
    ({"codes": {"1": {"class": "InvalidOrder", "messages": {"x": "No"}}}}, [("CEX046", ("codes", "1", "messages", "x"), "one of")]),
    (
        {"statuses": {"4xx": "InvalidOrder", "200": "InvalidOrder"}},
        [("CEX067", ("statuses", "4xx"), "three digits"), ("CEX067", ("statuses", "200"), "three digits")],
    ),
    ({"code": ["$.a", "$.["]}, [("CEX044", ("code", 1), "write '$'")]),
    ({"message": ["$.["]}, [("CEX044", ("message",), "write '$'")]),
    ({"failed": {"$.[": "1", "$.a": "1"}}, [("CEX044", ("failed", "$.["), "write '$'")]),
]


@pytest.mark.parametrize(("change", "expected"), PROBLEMS, ids=[str(row[0]) for row in PROBLEMS])
def test_a_problem_stands_at_its_node(change: dict[str, Any], expected: list[tuple[str, tuple[str | int, ...], str]]) -> None:
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    compiled = compile_errors(Errors.model_validate({**BARE, **change}), "venue", findings)
    assert [(problem.rule, problem.where) for problem in findings.problems] == [(rule, where) for rule, where, _ in expected]
    assert all(hint in problem.hint for problem, (_, _, hint) in zip(findings.problems, expected, strict=True))
    assert compiled.check(200, b'{"a":1}', "") is None


@given(st.integers(100, 599), st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_body_is_an_error_or_an_answer(status: int, body: bytes) -> None:
    for errors in (ENVELOPE, ARRAY, BARE):
        error = plan(errors).check(status, body, "ticker")
        assert (error is not None) or status < 400
        assert error is None or len(error.message) <= 200


UNKNOWN: dict[str, Any] = {**ENVELOPE, "unknown": ["50004", "51001"]}
OUTCOMES: list[tuple[int, bytes, bool]] = [
    (200, b'{"code":"50004"}', True),
    (200, b'{"code":"51001"}', True),
    (400, b'{"code":"50004"}', True),
    (200, b'{"code":"50011"}', False),
    (400, b'{"code":"77"}', False),
    (500, b'{"code":"77"}', True),
    (500, b'{"code":"50001"}', False),  # a code that is known says what it is
    (503, b"{}", True),
    (502, b"<html>bad gateway</html>", True),
    (404, b"<html>not here</html>", False),
    (429, b"{}", False),
]


@pytest.mark.parametrize(("status", "body", "unknown"), OUTCOMES)
def test_an_error_tells_whether_the_request_may_have_taken_effect(status: int, body: bytes, unknown: bool) -> None:
    error = plan(UNKNOWN).check(status, body, "place_order")
    assert error is not None
    assert error.outcome_unknown is unknown


def test_codes_of_unknown_outcomes_need_a_place() -> None:
    with pytest.raises(ValueError, match="need 'code'"):
        Errors.model_validate({"message": ["$.msg"], "unknown": ["1"]})
