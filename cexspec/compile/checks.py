"""What can be wrong with a mapping, found before it is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from cexspec.compile.paths import Path, PathError, parse
from cexspec.compile.targets import FieldTarget, Target, strict, targets
from cexspec.hooks import CHECKSUMS
from cexspec.models import MODELS
from cexspec.spec.model import Condition, FieldRule, Mapping
from cexspec.spec.model.mapping import Columns, Zip
from cexspec.spec.model.rest import Operation
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

INSTRUMENT_DERIVED = {"kind", "base", "quote"}
"""Fields of an instrument that follow from its id where no rule gives them."""
SIZES = {"size", "bid_size", "ask_size", "base_volume", "base_size"}
TIME_UNITS = {"s", "ms", "us", "ns", "iso"}
VALUES = "values"
"""`returns: values`: a list of texts for another operation's `each`, no unified model."""


def nearest(word: str, known: list[str]) -> str:
    """A hint that names the nearest legal word, or all of them."""
    close = get_close_matches(word, known, 1)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(sorted(known))}"


class MappingChecks:
    """Checks one mapping that returns `model`; `strict_paths`: it is on a stream, where unlowered paths cost every message."""

    def __init__(self, mapping: Mapping, findings: Findings, *, stream: bool) -> None:
        self.mapping, self.findings, self.stream = mapping, findings, stream
        self.unlowered: list[str] = []

    def run(self, model: str, where: Where) -> bool:
        """Whether the mapping can be compiled."""
        before = len(self.findings.errors)
        self._paths()
        if model == VALUES and not self.stream:
            return len(self.findings.errors) == before
        if model not in MODELS:
            self.findings.error("CEX040", where, f"no unified model is called '{model}'", nearest(model, list(MODELS)))
            return False
        self._fields(model)
        self._book(model)
        return len(self.findings.errors) == before

    def _error(self, rule: str, key: str, message: str, hint: str = "") -> None:
        self.findings.error(rule, (*self.mapping.where, key), message, hint)

    def _fields(self, model: str) -> None:
        known = targets(model)
        fields = self.mapping.fields or {}
        for name, rule in fields.items():
            if name not in known:
                where = (*self.mapping.where, "fields", name)
                self.findings.error("CEX041", where, f"a {model} has no field '{name}'", nearest(name, list(known)))
            else:
                self._rule(rule, known[name], (*self.mapping.where, "fields", name))
        given = set(fields) | ({"bids", "asks"} if self.mapping.levels or self.mapping.checksum else set())
        derived = INSTRUMENT_DERIVED if model == "instrument" else set()
        for name in (one for one, target in known.items() if target.required and one not in given | derived):
            self._error("CEX042", "fields", f"nothing says where '{name}' of a {model} comes from", f"add '{name}: $....' to fields")

    def _rule(self, rule: FieldRule, target: FieldTarget, where: Where) -> None:
        for reason, hint in misfits(rule, target):
            self.findings.error("CEX043", where, reason, hint)
        if rule.scale and target.name not in SIZES:
            hint = f"'scale' goes with {', '.join(sorted(SIZES))}"
            self.findings.error("CEX065", where, f"'{target.name}' is no size that contracts could be converted to", hint)
        for kind, branch in (rule.by_kind or {}).items():
            self._rule(branch, target, (*where, "by_kind", kind))

    def _book(self, model: str) -> None:
        mapping = self.mapping
        if model != "book":
            for key in ("levels", "snapshot_when", "sequence", "checksum"):
                if getattr(mapping, key) is not None:
                    self._error("CEX060", key, f"'{key}' is for books, and this returns a {model}", f"remove '{key}'")
            if mapping.fields is None:
                self._error("CEX060", "returns", "a mapping without fields", "add 'fields:'")
            return
        if mapping.snapshot_when is None and mapping.checksum is None:
            self._error("CEX060", "returns", "nothing says which messages hold the whole book", "add 'snapshot_when: always', 'never', or a condition")
        checksum, sequence = mapping.checksum, mapping.sequence
        if checksum is not None and checksum.hook not in CHECKSUMS:
            where = (*checksum.where, "hook")
            self.findings.error("CEX047", where, f"no checksum hook is registered as '{checksum.hook}'", nearest(checksum.hook, list(CHECKSUMS)))
        if sequence is not None:
            wanted = {"previous": "previous", "overlap": "first"}.get(sequence.rule)
            if wanted is not None and getattr(sequence, wanted) is None:
                self._error("CEX061", "sequence", f"the rule '{sequence.rule}' compares '{wanted}' as well", f"add '{wanted}: $....'")

    def _paths(self) -> None:
        for text, where, hot in self._all_paths():
            try:
                path = parse(text)
            except PathError as error:
                hint = "write '$', then .name, ['name'], [0] or [*]; quote it inside {...}"
                self.findings.error("CEX044", where, f"'{text}' is no path: {error}", hint)
                continue
            if not path.lowered:
                self._unlowered(path, where)
            if hot and path.many and path.rest is None:
                self.findings.error("CEX044", where, f"'{text}' finds many values where one is wanted", "name one element: [0] instead of [*]")

    def _unlowered(self, path: Path, where: Where) -> None:
        self.unlowered.append(path.text)
        cost = "for every message of the stream" if self.stream else "for every answer"
        self.findings.warning("CEX045", where, f"'{path.text}' can't be lowered to typed decoding: it is walked {cost}", "use names, indices and one [*]")

    def _all_paths(self) -> Iterator[tuple[str, Where, bool]]:
        mapping, at = self.mapping, self.mapping.where
        for key in ("item", "items"):
            value = getattr(mapping, key)
            if isinstance(value, str):
                yield value, (*at, key), False
        yield from self._joined_paths()
        for key in ("only", "snapshot_when", "match", "shape"):
            yield from condition_paths(getattr(mapping, key, None), (*at, key))
        for name, rule in (mapping.fields or {}).items():
            yield from rule_paths(rule, (*at, "fields", name))
        yield from self._book_paths()

    def _joined_paths(self) -> Iterator[tuple[str, Where, bool]]:
        items, at = self.mapping.items, (*self.mapping.where, "items")
        if isinstance(items, Zip):
            yield from ((text, (*at, "zip", index), True) for index, text in enumerate(items.zip))
        elif isinstance(items, Columns):
            yield from ((text, (*at, "columns", name), True) for name, text in items.columns.items())

    def _book_paths(self) -> Iterator[tuple[str, Where, bool]]:
        mapping, at = self.mapping, self.mapping.where
        if mapping.sequence is not None:
            for key in ("first", "last", "previous"):
                if (text := getattr(mapping.sequence, key)) is not None:
                    yield text, (*at, "sequence", key), True
        if mapping.checksum is not None:
            yield mapping.checksum.value, (*at, "checksum", "value"), True
        if mapping.levels is None:
            return
        for key in ("bids", "asks", "mixed"):
            if (text := getattr(mapping.levels, key)) is not None:
                yield text, (*at, "levels", key), False
        for key in ("price", "size", "side"):
            if (rule := getattr(mapping.levels, key)) is not None:
                yield from rule_paths(rule, (*at, "levels", key))
        yield from condition_paths(mapping.levels.remove_when, (*at, "levels", "remove_when"))


def condition_paths(conditions: object, where: Where) -> Iterator[tuple[str, Where, bool]]:
    """The paths of conditions."""
    if isinstance(conditions, dict):
        yield from ((path, (*where, path), True) for path, condition in conditions.items() if isinstance(condition, Condition))


def rule_paths(rule: FieldRule, where: Where) -> Iterator[tuple[str, Where, bool]]:
    """The paths of a field rule."""
    if rule.path is not None:
        yield rule.path, where, True
    for index, text in enumerate(rule.first_of or []):
        yield text, (*where, "first_of", index), True
    if rule.times is not None:
        yield rule.times, (*where, "times"), True
    for kind, branch in (rule.by_kind or {}).items():
        yield from rule_paths(branch, (*where, "by_kind", kind))


def misfits(rule: FieldRule, target: FieldTarget) -> Iterator[tuple[str, str]]:
    """Why a rule can't give what the field holds, each with what to write instead."""
    kind = target.target
    if rule.unit in TIME_UNITS and kind is not Target.TIME:
        yield f"'{target.name}' is {kind.value}, 'unit: {rule.unit}' is for times", "remove 'unit'"
    if kind is Target.TIME and rule.unit is None and rule.const is None and rule.by_kind is None:
        yield f"'{target.name}' is a time, and nothing says in what unit", "add 'unit: ms' (or s, us, ns, iso)"
    if kind is Target.TIME and rule.unit == "fraction":
        yield f"'{target.name}' is a time, 'unit: fraction' is for ratios", "write 'unit: ms' (or s, us, ns, iso)"
    for key in ("abs", "times", "scale"):
        if getattr(rule, key) and kind is not Target.NUMBER:
            yield f"'{target.name}' is {kind.value}, '{key}' is for numbers", f"remove '{key}'"
    if (rule.sign or rule.flag) and kind not in (Target.WORD, Target.BOOLEAN):
        yield f"'{target.name}' is {kind.value}, 'sign' and 'flag' give words", "remove it"
    if rule.unknown is not None and strict(target.name):
        yield f"'{target.name}' decides what happens: an unlisted word must be an error", "remove 'unknown'"
    yield from _words(rule, target)


def _words(rule: FieldRule, target: FieldTarget) -> Iterator[tuple[str, str]]:
    legal = {Target.WORD: target.words, Target.BOOLEAN: ("true", "false")}.get(target.target)
    given = [*(rule.map or {}).values(), *([rule.const] if rule.const is not None else []), *([rule.unknown] if rule.unknown else [])]
    if rule.flag:
        given += [rule.flag.true, rule.flag.false]
    if rule.sign:
        given += [rule.sign.positive, rule.sign.negative]
    for word in given:
        if legal is not None and word not in legal:
            yield f"'{word}' is no {target.name}", f"one of: {', '.join(legal)}"
        elif target.target in (Target.NUMBER, Target.INTEGER, Target.TIME) and not _numeric(word):
            yield f"'{word}' is not {target.target.value}", "write a number"


def _numeric(word: str) -> bool:
    return word.lstrip("+-").replace(".", "", 1).isdigit()


def returns_values(operation: Operation) -> bool:
    """Whether an operation only lists values for another one."""
    return operation.returns == VALUES
