"""What can be wrong with a mapping, found before it is compiled."""

from __future__ import annotations

from difflib import get_close_matches

from cexspec.compile.mapping_paths import mapping_paths
from cexspec.compile.merging import unmergeable
from cexspec.compile.misfits import misfits
from cexspec.compile.paths import HOW_TO_WRITE, Path, PathError, parse
from cexspec.compile.tables import lookups
from cexspec.compile.targets import PRICES_OF_SIZES, FieldTarget, targets
from cexspec.hooks import CHECKSUMS
from cexspec.models import MODELS
from cexspec.spec.model import Branching, Checksum, FieldRule, Levels, Mapping, Sequence
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

VALUES = "values"
"""`returns: values`: a list of texts for another operation's `each`, no unified model."""

_KINDLESS = {("instrument", "id"), ("instrument", "kind"), ("server_time", "timestamp")}
"""Fields that are read before the kind of a market is known, besides symbols."""
_COMPARED = {"previous": "previous", "overlap": "first"}
"""What a sequence rule compares besides `last`."""


def nearest(word: str, known: list[str]) -> str:
    """A hint that names the nearest legal word, or all of them."""
    close = get_close_matches(word, known, 1)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(sorted(known))}"


class MappingChecks:
    """Checks one mapping; on a `stream`, paths that can't be lowered cost every message."""

    def __init__(self, mapping: Mapping, findings: Findings, categories: frozenset[str], *, stream: bool) -> None:
        self.mapping, self.findings, self.categories, self.stream = mapping, findings, categories, stream
        self.unlowered: list[str] = []

    def run(self, model: str, where: Where) -> bool:
        """Whether the mapping can be compiled to give `model`, which is named at `where`."""
        before = len(self.findings.errors)
        self._paths()
        for where, reason, hint in unmergeable(self.mapping, model, stream=self.stream):
            self.findings.error("CEX072", where, reason, hint)
        if model in MODELS:
            self._fields(model)
            self._proofs() if model == "book" else self._no_book(model)
        elif model != VALUES or self.stream:
            self.findings.error("CEX040", where, f"no unified model is called '{model}'", nearest(model, list(MODELS)))
        return len(self.findings.errors) == before

    def _error(self, rule: str, key: str, message: str, hint: str) -> None:
        self.findings.error(rule, (*self.mapping.where, key), message, hint)

    def _paths(self) -> None:
        for text, where, single in mapping_paths(self.mapping):
            try:
                path = parse(text)
            except PathError as error:
                self.findings.error("CEX044", where, f"'{text}' is no path: {error}", HOW_TO_WRITE)
                continue
            if not path.lowered:
                self._unlowered(path, where)
            if single and path.many and path.rest is None:
                hint = "name one element: [0] instead of [*]"
                self.findings.error("CEX044", where, f"'{text}' finds many values where one is wanted", hint)

    def _unlowered(self, path: Path, where: Where) -> None:
        self.unlowered.append(path.text)
        cost = "for every message of the stream" if self.stream else "for every answer"
        text = f"'{path.text}' can't be lowered to typed decoding: it is walked {cost}"
        self.findings.warning("CEX045", where, text, "use names, indices and one [*]")

    def _fields(self, model: str) -> None:
        known, fields = targets(model), self.mapping.fields or {}
        for name, rule in fields.items():
            where = (*self.mapping.where, "fields", name)
            if name in known:
                self._rule(model, rule, known[name], where)
            else:
                self.findings.error("CEX041", where, f"a {model} has no field '{name}'", nearest(name, list(known)))
        given = fields.keys() | ({"bids", "asks"} if self.mapping.levels or self.mapping.checksum else set())
        for name in (one for one, target in known.items() if target.required and one not in given):
            self._error("CEX042", "fields", f"nothing says where '{name}' of a {model} comes from", f"add '{name}: $....' to fields")

    def _rule(self, model: str, rule: FieldRule, target: FieldTarget, where: Where) -> None:
        for reason, hint in misfits(rule, target):
            self.findings.error("CEX043", where, reason, hint)
        if rule.scale and target.name not in PRICES_OF_SIZES:
            hint = f"'scale' goes with {', '.join(sorted(PRICES_OF_SIZES))}"
            self.findings.error("CEX065", where, f"'{target.name}' is no size that contracts could be converted to", hint)
        if rule.branching is not None:
            self._branches(model, rule.branching, target, where)
        if rule.or_ is not None:
            self._inside(model, rule.or_, target, (*where, "or"), "or")

    def _branches(self, model: str, branching: Branching, target: FieldTarget, where: Where) -> None:
        on = branching.on
        early = _KINDLESS if on == "kind" else {*_KINDLESS, (model, target.name)} if model == "instrument" else _KINDLESS
        if target.name == "symbol" or (model, target.name) in early:
            self.findings.error("CEX043", where, f"'{target.name}' is read before a market's {on} is known", f"remove '{branching.key}'")
        for name, branch in branching.rules.items():
            inside = (*where, branching.key, name)
            if on == "category" and name not in {*self.categories, "other"}:
                self.findings.error("CEX043", inside, f"no category is called '{name}'", nearest(name, [*self.categories, "other"]))
            self._inside(model, branch, target, inside, branching.key)

    def _inside(self, model: str, rule: FieldRule, target: FieldTarget, where: Where, key: str) -> None:
        """A rule inside of another one, which names it under a key."""
        self._rule(model, rule, target, where)
        if rule.scale:
            self.findings.error("CEX043", where, "'scale' is for all markets", f"write it beside '{key}'")

    def _no_book(self, model: str) -> None:
        for key in ("levels", "snapshot_when", "sequence", "checksum"):
            if getattr(self.mapping, key) is not None:
                self._error("CEX060", key, f"'{key}' is for books, and this returns a {model}", f"remove '{key}'")
        if self.mapping.fields is None:
            self._error("CEX060", "returns", "a mapping without fields", "add 'fields:'")

    def _proofs(self) -> None:
        """What tells of a book whether it is whole, and whether anything was lost."""
        mapping = self.mapping
        if mapping.snapshot_when is None and mapping.checksum is None:
            hint = "add 'snapshot_when: always', 'never', or a condition"
            self._error("CEX060", "returns", "nothing says which messages hold the whole book", hint)
        if mapping.checksum is not None:
            self._checksum(mapping.checksum)
        if mapping.levels is not None:
            self._levels(mapping.levels)
        if mapping.sequence is not None:
            self._sequence(mapping.sequence)

    def _levels(self, levels: Levels) -> None:
        for key in ("price", "size", "side"):
            if (rule := getattr(levels, key)) is not None and any(lookups([rule])):
                self.findings.error("CEX043", rule.where, "a level looks nothing up", "remove 'lookup'")

    def _checksum(self, checksum: Checksum) -> None:
        if checksum.hook not in CHECKSUMS:
            text = f"no checksum hook is registered as '{checksum.hook}'"
            self.findings.error("CEX047", (*checksum.where, "hook"), text, nearest(checksum.hook, list(CHECKSUMS)))

    def _sequence(self, sequence: Sequence) -> None:
        compared = _COMPARED.get(sequence.rule)
        if compared is not None and getattr(sequence, compared) is None:
            self._error("CEX061", "sequence", f"the rule '{sequence.rule}' compares '{compared}' as well", f"add '{compared}: $....'")
