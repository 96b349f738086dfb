"""Every value must be consumed: what nothing reads is named, the outermost of nested ones once."""

from __future__ import annotations

from cexspec.spec.load import load_text
from cexspec.spec.problems import Findings
from cexspec.spec.unread import note_unread, unread, watch

TEXT = """\
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com
environments:
  live: {rest: https://example.com}
symbols: {formats: {spot: "{base}{quote}"}, examples: {BTC/USDT: BTCUSDT}}
errors: {code: $.c, message: $.m, codes: {}}
rest:
  one: {get: /one, query: {a: b}, returns: ticker, fields: {last: {path: $.l, abs: true}, bid: $.b}}
  two: {get: /two, ignored: why}
"""
TOP = ("cexspec", "id", "name", "kind", "docs", "environments", "symbols", "errors", "rest")


def test_all_is_unread_until_it_is_read_and_defaults_never_are() -> None:
    spec = load_text(TEXT).spec
    watch(spec)
    assert unread(spec) == [(name,) for name in TOP]
    for name in TOP:
        getattr(spec, name)
    one = spec.rest["one"]
    assert unread(spec) == [
        ("environments", "live"),
        ("symbols",),
        ("errors",),
        ("rest", "one"),
        ("rest", "two"),
    ]
    for name in ("get", "query", "returns", "fields"):
        getattr(one, name)
    assert one.fields is not None
    assert one.fields["last"].path == "$.l"
    assert [where for where in unread(spec) if where[:2] == ("rest", "one")] == [
        ("rest", "one", "fields", "last", "abs"),
        ("rest", "one", "fields", "bid"),
    ]


def test_an_unread_key_is_a_problem_except_where_compiling_stopped() -> None:
    loaded = load_text(TEXT)
    watch(loaded.spec)
    for name in TOP:
        getattr(loaded.spec, name)
    findings = Findings(loaded.source.position)
    findings.error("CEX040", ("rest", "one", "returns"), "no such model")
    findings.warning("CEX045", ("errors",), "slow")
    note_unread(loaded.spec, findings)
    assert [(problem.rule, problem.where) for problem in findings.problems[2:]] == [
        ("CEX056", ("environments", "live")),
        ("CEX056", ("symbols",)),
        ("CEX056", ("errors",)),
        ("CEX056", ("rest", "two")),
    ]
    assert str(findings.problems[-1]) == "spec.yaml:12:3: error CEX056: nothing reads `two` here"
    assert [problem.rule for problem in findings.errors] == ["CEX040", *["CEX056"] * 4]
    assert findings.position(("name",)).line == 3
