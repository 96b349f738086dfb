"""Spec files from strangers: whatever they hold, `validate` names problems with places, and what it accepts runs."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from cexspec.compile.exchange import Exchange
from cexspec.compile.validate import sorted_problems
from cexspec.engine.frames import FrameReader
from cexspec.engine.markets import Markets
from cexspec.models import CexspecError, SpecError
from cexspec.spec import render
from cexspec.spec.fmt import format_text
from cexspec.spec.load import Loaded, load_text
from cexspec.spec.problems import Problem
from tests.exchanges.venue import EXCHANGES, IDS
from tests.fuzz import seeds
from tests.fuzz.mutations import SCALARS, Cut, Edit, at, cuts, places, replaced
from tests.fuzz.oracle import check
from tests.fuzz.run import Target

Tree = Any
NAME = "spec.yaml"

ODD = (
    "$", "$.", "$..", "$..a", "$[*]", "$[*][*][*][*]", "$[0:1]", "$[-1]", "$[99999999999999999999]", "$.a" * 3_000, "$" + "[*]" * 3_000,
    "$[?(@.a == 1)]", "$[?(@.a =~ '(a+)+$')]", "$.`len`", "$.`sub(/(a+)+$/, x)`", "$.a|$.b", "$['a']", "$.a[", "$.'x", "@.a", "$.__class__",
    "{{ id }}", "{{ id }}{{ id }}", "{{ id | lower | upper | text }}", "{{ nothing }}", "{{ id", "{% for x in y %}", "{{ ''.__class__ }}",
    "{{ id }}" * 2_000, "{{ " + "(" * 2_000, "{{ 9**9**9 }}", "{base}", "{base}{quote}", "{base}-{quote}" * 50, "{base:99999999}{quote:0}",
    "{expiry:%Y%Y%Y}", "{expiry:%}", "{strike}{right}{expiry}", "{", "{base", "{base!r}", "{0}", "9" * 5_000 + "s", "1e999s", "0s", "-1s",
    "NaN", "1_0", "0x10", "\u0661", "http://", "wss://[", "https://" + "a" * 5_000, "file:///etc/passwd", "../../x", "a\0b", "\u2028",
    "always", "never", "absent", "other", "BTC/USDT", "BTC/USDT:PERP", "(a+)+$", "rest.ticker", "ws.trades", "null", "true", "~",
    "x" * 100_000,
)  # fmt: skip
"""Texts that mean something in a spec, put where they may not belong."""


def _scalars(value: Tree) -> set[str]:
    if isinstance(value, dict):
        return {key for key in value if len(key) < 40}.union(*(_scalars(inner) for inner in value.values()))
    return set().union(*(_scalars(inner) for inner in value)) if isinstance(value, list) else {value}


@cache
def tree(exchange: str) -> Tree:
    """A shipped spec, all its scalars as text."""
    return yaml.load((EXCHANGES / f"{exchange}.yaml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))


@cache
def words() -> tuple[str, ...]:
    """Every key and value of the shipped specs."""
    return tuple(sorted(set().union(*(_scalars(tree(exchange)) for exchange in IDS))))


FEW = 5
"""Error codes kept of a spec."""


@cache
def cut_down(exchange: str, number: int) -> Tree:
    """A spec with a few of its operations and channels, and what these are like."""
    whole, choice = tree(exchange), random.Random(number)
    sections = {"rest": whole.get("rest", {}), "ws": whole.get("ws", {}).get("channels", {})}
    wanted = [f"rest.{choice.choice(sorted(sections['rest']))}", *(f"ws.{name}" for name in choice.sample(sorted(sections["ws"]), 2))]
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        section, _, key = name.partition(".")
        kept.add(name)
        text = str(sections[section][key])
        wanted += [other for other in _named(sections) if other not in kept and (f"'{other}'" in text or _uses(other, text))]
    errors = {**whole["errors"], "codes": dict(list(whole["errors"].get("codes", {}).items())[:FEW])}
    made = {**whole, "errors": errors, "rest": {key: value for key, value in sections["rest"].items() if f"rest.{key}" in kept}}
    channels = {key: value for key, value in sections["ws"].items() if f"ws.{key}" in kept}
    return {**made, "ws": {**whole["ws"], "channels": channels}}


def _named(sections: dict[str, Tree]) -> list[str]:
    return [f"{section}.{key}" for section, inner in sections.items() for key in inner]


def _uses(name: str, text: str) -> bool:
    section, _, key = name.partition(".")
    return section == "rest" and any(f"'{word}': '{key}'" in text for word in ("snapshot", "rest", "operation"))


def written(value: Tree) -> str:
    """YAML of a tree."""
    return str(yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, allow_unicode=True, width=10_000))


def read(text: str) -> None:
    """Load, compile, explain what is wrong; run what is right; and write it anew."""
    lines = text.split("\n")
    try:
        loaded = load_text(text, NAME, EXCHANGES)
    except SpecError as error:
        problems = [problem for problem in error.problems if isinstance(problem, Problem)]
        assert problems and len(problems) == len(error.problems), "an error without a place"
    else:
        problems = _compiled(loaded)
        if not [problem for problem in problems if problem.severity == "error"]:
            run(Exchange(loaded))
    for problem in problems:
        line = problem.position.line
        assert line >= 1 and problem.position.column >= 1, f"no place: {problem}"
        if problem.position.file == NAME:
            assert line <= len(lines) + 1, f"a line that isn't there: {problem}"
        render.text(problem, lines[line - 1] if line <= len(lines) else "")
    render.document(problems)


def _compiled(loaded: Loaded) -> list[Problem]:
    exchange = Exchange(loaded)
    findings = exchange.findings()
    exchange.check(findings)
    return sorted_problems(findings.problems)


def formatted(text: str) -> None:
    """`fmt` has one spelling, or says why it leaves a text alone."""
    try:
        once = format_text(text, NAME)
    except SpecError:
        return
    assert format_text(once, NAME) == once, "formatting it twice makes another text"


def run(exchange: Exchange) -> None:
    """Frames and answers of the venue it was made from: events or typed errors."""
    markets = Markets(exchange)
    channels = {name: exchange.channel(name) for name in exchange.channel_names}
    for name in exchange.operation_names:
        exchange.operation(name)
    if exchange.id not in IDS:
        return
    for name in exchange.connection_names:
        reader = FrameReader(exchange.id, exchange.connection(name), channels, markets)
        for frame in seeds.frames(exchange.id)[:40]:
            reader.read(frame.encode())
    for operation, params, body in seeds.bodies(exchange.id)[:40]:
        if operation in exchange.operation_names and (plan := exchange.operation(operation).reader) is not None:
            try:
                check(plan.read(body.encode(), Answer(markets, params)))
            except CexspecError:
                continue


class Answer:
    """The `Context` of a body of which records may be left out."""

    def __init__(self, markets: Markets, request: dict[str, Any]) -> None:
        self.received, self.category, self.request = None, None, request
        self.market, self.within = markets.within(None), markets.within

    def quarantine(self, _error: Exception) -> None:
        """Left out."""

    def state(self, _name: str) -> dict[str, Any]:
        """Nothing comes after."""
        return {}


def _renamed(value: Tree, place: tuple[str | int, ...], key: str) -> Tree:
    """The tree with another key at a place."""
    if not place or not isinstance(place[-1], str):
        return value
    inner = at(value, place[:-1])
    return replaced(value, place[:-1], {key if one == place[-1] else one: old for one, old in inner.items()})


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A spec near a shipped one."""
    exchange = draw(st.sampled_from(IDS))
    value = cut_down(exchange, draw(st.integers(0, 30)))
    way = draw(st.integers(0, 9))
    if way > 0:
        for _ in range(draw(st.integers(1, 2))):
            value = _changed(draw, value)
    text = written(value)
    if way <= 1:
        for cut in draw(cuts()):
            text = _cut(text, cut)
    return text


def _cut(text: str, cut: Cut) -> str:
    return cut.of(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _changed(draw: st.DrawFn, value: Tree) -> Tree:
    known = list(places(value))
    place = known[int(draw(st.floats(0, 1, exclude_max=True, width=32)) * len(known))]
    scalar = st.sampled_from(words()) | st.sampled_from(ODD) | st.sampled_from([str(one) for one in SCALARS])
    match draw(st.integers(0, 4)):
        case 0:
            return replaced(value, place, draw(scalar))
        case 1:
            return _renamed(value, place, draw(scalar)[:200])
        case 2:
            other = draw(st.sampled_from(known))
            return replaced(value, place, at(value, other))
        case 3:
            return Edit("remove", draw(st.floats(0, 1, exclude_max=True, width=32)), draw(st.integers(0, 20))).of(value)
        case _:
            inner = at(value, place)
            more = draw(scalar)
            return replaced(value, place, {**inner, more[:200]: draw(scalar)} if isinstance(inner, dict) else [inner, more])


SPECS = Target("specs", texts(), read, slice=60)
SPELLINGS = Target("spellings", texts(), formatted, slice=60)
TARGETS = (SPECS, SPELLINGS)
