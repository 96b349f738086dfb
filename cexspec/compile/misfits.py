"""Field rules that can't give what their field holds, and words of them that would do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from cexspec.compile.targets import CURRENCIES, FieldTarget, Target, strict
from cexspec.spec.model import FieldRule

Misfit = tuple[str, str]
"""Why a rule doesn't fit, and what to write instead."""

TIME_UNITS = frozenset({"s", "ms", "us", "ns", "iso"})
NUMBER_UNITS = {"fraction": "ratios", "decimals": "steps"}
"""Units of numbers, and what they are units of."""

_COUNTABLE = (Target.NUMBER, Target.INTEGER, Target.TIME)
_ALONE = {
    "const": frozenset({"unless"}),
    "market": frozenset({"unless", "or_"}),
    "place": frozenset({"plus", "unless"}),
    "by_kind": frozenset({"scale", "unless"}),
    "by_category": frozenset({"scale", "unless"}),
}
"""What may stand beside a source that needs nothing else."""
_LEGAL = {Target.BOOLEAN: ("true", "false")}
_TABLES = ("map", "flag", "sign")
_AFTER_A_TABLE = ("abs", "negate", "plus", "minus", "times", "over", "unit", "zero", "scale")
"""Words about numbers, of which none is left once a table has made a word of it."""


def misfits(rule: FieldRule, target: FieldTarget) -> Iterator[Misfit]:
    """Why a rule can't give what the field holds."""
    if target.target is Target.LEVELS:
        yield from _levels(rule, target)
        return
    yield from _units(rule, target)
    yield from _numbers(rule, target)
    yield from _idle(rule)
    if rule.place is not None and target.target is not Target.TEXT:
        yield f"'{target.name}' is {target.target.value}, 'place' gives ids", "remove 'place'"
    if rule.market is not None and not (target.name in CURRENCIES and target.nullable):
        yield f"'{target.name}' is no currency of a market, 'market' gives one", "remove 'market'"
    if rule.plus is not None and target.target not in (Target.TEXT, Target.NUMBER):
        yield f"'{target.name}' is {target.target.value}, 'plus' is for numbers and ids", "remove 'plus'"
    if rule.unknown is not None and strict(target.name):
        yield f"'{target.name}' decides what happens: an unlisted word must be an error", "remove 'unknown'"
    yield from _words(rule, target)


def _levels(rule: FieldRule, target: FieldTarget) -> Iterator[Misfit]:
    if rule.path is None or rule.model_fields_set != {"path"}:
        yield f"'{target.name}' is a list of levels: a path to it, and nothing else", "write 'levels:' for another shape"


def _units(rule: FieldRule, target: FieldTarget) -> Iterator[Misfit]:
    kind, unit = target.target, rule.unit
    if unit in TIME_UNITS and kind is not Target.TIME:
        yield f"'{target.name}' is {kind.value}, 'unit: {unit}' is for times", "remove 'unit'"
    if unit in NUMBER_UNITS and kind not in (Target.TIME, Target.NUMBER):
        yield f"'{target.name}' is {kind.value}, 'unit: {unit}' is for numbers", "remove 'unit'"
    if kind is not Target.TIME:
        return
    if unit is None and rule.const is None and rule.branching is None:
        yield f"'{target.name}' is a time, and nothing says in what unit", "add 'unit: ms' (or s, us, ns, iso)"
    if unit in NUMBER_UNITS:
        yield f"'{target.name}' is a time, 'unit: {unit}' is for {NUMBER_UNITS[unit]}", "write 'unit: ms' (or s, us, ns, iso)"


def _numbers(rule: FieldRule, target: FieldTarget) -> Iterator[Misfit]:
    kind = target.target
    for key in ("abs", "negate", "minus", "times", "over", "scale"):
        if getattr(rule, key) and kind is not Target.NUMBER:
            yield f"'{target.name}' is {kind.value}, '{key}' is for numbers", f"remove '{key}'"
    if rule.zero is not None and rule.sign is None and kind not in _COUNTABLE:
        yield f"'{target.name}' is {kind.value}, 'zero' is for numbers", "remove 'zero'"
    if (rule.sign or rule.flag) and kind not in (Target.WORD, Target.BOOLEAN):
        yield f"'{target.name}' is {kind.value}, 'sign' and 'flag' give words", "remove it"


def _idle(rule: FieldRule) -> Iterator[Misfit]:
    """Words that another one leaves nothing to do."""
    given = rule.model_fields_set
    for source, allowed in _ALONE.items():
        if source in given:
            yield from ((f"'{key}' does nothing beside '{source}'", f"remove '{key}'") for key in sorted(given - allowed - {source}))
            return
    tables = [key for key in _TABLES if key in given]
    if len(tables) > 1:
        yield f"{' and '.join(repr(key) for key in tables)} each give the word", "keep one of them"
    elif tables:
        yield from (
            (f"'{key}' does nothing beside '{tables[0]}'", f"remove '{key}'")
            for key in _AFTER_A_TABLE
            if getattr(rule, key) and (tables[0], key) != ("sign", "zero")
        )
    if rule.or_ is not None and not rule.may_be_none:
        yield "'or' does nothing beside a rule that always gives something", "mark it 'optional', 'zero', 'empty', 'absent' or 'unless'"
    if rule.over is not None and rule.unit is not None:
        yield "'unit' does nothing beside 'over'", "remove 'unit'"
    if "unknown" in given and "map" not in given:
        yield "'unknown' is for words that 'map' doesn't list, and there is no 'map'", "add 'map', or remove 'unknown'"


def _words(rule: FieldRule, target: FieldTarget) -> Iterator[Misfit]:
    legal = target.words or _LEGAL.get(target.target, ())
    for word in _given_words(rule):
        if legal and word not in legal:
            yield f"'{word}' is no {target.name}", f"one of: {', '.join(legal)}"
        elif target.target in _COUNTABLE and not _numeric(word, whole=target.target is not Target.NUMBER):
            yield f"'{word}' is not {target.target.value}", "write a number"


def _given_words(rule: FieldRule) -> Iterator[str]:
    """The unified words that a rule may give."""
    yield from (rule.map or {}).values()
    yield from (word for word in (rule.const, rule.unknown) if word is not None)
    if rule.flag is not None:
        yield from (rule.flag.true, rule.flag.false)
    if rule.sign is not None:
        yield from (rule.sign.positive, rule.sign.negative)


def _numeric(word: str, *, whole: bool) -> bool:
    digits = word.removeprefix("-") if whole else word.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
