"""The catalogue of rules: the same ids as in the code, and examples that break and keep each rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cexspec.compile.validate import validate
from cexspec.spec.compose import compose
from cexspec.spec.extends import merge
from cexspec.spec.fmt import written
from cexspec.spec.problems import Problem
from cexspec.spec.rules import Rule, catalogue, rule

PACKAGE = Path(__file__).parents[2] / "cexspec"
# Examples in words: what breaks them is the whole file, or several files.
IN_WORDS = {"CEX001", "CEX007", "CEX009", "CEX032"}
BASE = """
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com/docs
environments:
  live: {rest: https://example.com, ws: {public: wss://example.com/ws}}
symbols:
  formats: {spot: "{base}-{quote}"}
  examples: {BTC/USDT: BTC-USDT}
errors: {code: [$.code], message: [$.msg], codes: {51001: InvalidSymbol}}
rest:
  ticker:
    get: /ticker
    query: {instId: "{{ id }}"}
    returns: ticker
    fields: {symbol: {of: request}, last: $.last}
ws:
  connections:
    public:
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}, ack: {$.event: subscribe}, topic: $.arg}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}, ack: {$.event: unsubscribe}, topic: $.arg}
  channels:
    trades:
      on: public
      topic: {channel: trades, instId: "{{ id }}"}
      match: {$.arg.channel: trades}
      returns: trade
      fields: {symbol: $.s, id: $.i, price: $.p, size: $.q, side: $.d}
    order_book:
      on: public
      topic: {channel: books, instId: "{{ id }}"}
      match: {$.arg.channel: books}
      returns: book
      snapshot_when: {$.action: snapshot}
      fields: {symbol: $.s, bids: $.b, asks: $.a}
"""


def found(part: str, path: Path) -> list[Problem]:
    """The problems of the base spec with a part laid over it; of the part alone, where it can't even be read."""
    base, over = compose(BASE, "base").root, compose(part, "part")
    if over.root is None or over.problems or base is None:
        return over.problems
    path.write_text(written(merge(base, over.root)), encoding="utf-8")
    return validate(path)


def test_the_catalogue_holds_the_ids_that_the_code_uses() -> None:
    used = {
        identifier
        for path in PACKAGE.rglob("*.py")
        for identifier in re.findall(r'"(CEX\d{3})"', path.read_text(encoding="utf-8"))
        if path.parent.name != "cli"
    }
    assert used == set(catalogue())


def test_rules_are_sorted_and_complete() -> None:
    assert list(catalogue()) == sorted(catalogue())
    assert all(all((one.title, one.why, one.bad, one.good)) for one in catalogue().values())
    assert rule("CEX012").title == "an unknown key"


def test_the_base_of_the_examples_is_fine(tmp_path: Path) -> None:
    assert found("cexspec: 1", tmp_path / "demo.yaml") == []


@pytest.mark.parametrize("one", [one for one in catalogue().values() if one.id not in IN_WORDS], ids=lambda one: one.id)
def test_an_example_breaks_its_rule_and_the_other_keeps_all(one: Rule, tmp_path: Path) -> None:
    broken = found(one.bad, tmp_path / "demo.yaml")
    assert one.id in {problem.rule for problem in broken}
    assert {problem.severity for problem in broken if problem.rule == one.id} == {one.severity}
    assert found(one.good, tmp_path / "demo.yaml") == []
