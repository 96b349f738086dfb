"""From a mapping to its readers: checked once, compiled for each form of frame."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from cexspec.compile.beginning import Teller
from cexspec.compile.body import Surroundings
from cexspec.compile.checks import MappingChecks
from cexspec.compile.conditions import Conditions
from cexspec.compile.extract import Extractor, compile_extractor
from cexspec.compile.hole import NO_JSON
from cexspec.compile.merging import Sharing
from cexspec.compile.parts import Form, Twin
from cexspec.compile.paths import PathError
from cexspec.compile.plan import ReaderPlan, Twins, no_twins
from cexspec.compile.reader import Reader, decodes
from cexspec.spec.model import Mapping
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

_SNAPSHOT = {"always": True, "never": False}


class ReaderCompiler:
    """Compiles the readers of one mapping. What is wrong with it goes to `findings`. `sharing`: its items are partial updates."""

    def __init__(
        self, name: str, mapping: Mapping, around: Surroundings, findings: Findings, *, stream: bool, sharing: Sharing | None = None
    ) -> None:
        self.name, self.mapping, self.around, self.findings, self.sharing = name, mapping, around, findings, sharing
        self._checks = MappingChecks(mapping, findings, around.categories, stream=stream)

    def check(self, model: str, where: Where) -> bool:
        """Whether the mapping can be compiled to give `model`."""
        return self._checks.run(model, where)

    def reader(self, model: str, form: Form, match: Conditions | None = None) -> ReaderPlan | None:
        """The reader of a mapping that passed `check`; None (and a finding) where its items can't be reached.

        `match` are the conditions that its messages meet, for the wire type to check them.
        """

        def compiled(match: Conditions | None, twin: Twin | None, sample: object) -> Extractor:
            return compile_extractor(self.mapping, model, form, self.around, match, twin, sample, self.sharing)

        def twins(frame: bytes, shared: int = 0) -> tuple[ReaderPlan, ...]:
            known = teller.told(frame[:shared])
            if known not in made:
                kinds = [twin for twin in Twin if extractor.can_pair or twin is not Twin.PAIRS]
                rest = {path: condition for path, condition in asked.items() if path not in known}
                sample = _document(frame)
                made[known] = tuple(self._twin(compiled(rest, twin, sample), frame) for twin in kinds)
            return made[known]

        asked = match or {}
        teller = Teller(asked, form.message)
        made: dict[frozenset[str], tuple[ReaderPlan, ...]] = {}
        try:
            extractor = compiled(match, None, None)
        except PathError as error:
            key = "items" if self.mapping.items else "item"
            self.findings.error("CEX044", (*self.mapping.where, key), str(error), "see the paths of items and levels")
            return None
        return self._plan(extractor, twins)

    def _twin(self, extractor: Extractor, frame: bytes) -> ReaderPlan:
        """For frames like this one: where it has no number in text, one that takes none, which is faster."""
        strict = self._plan(replace(extractor, strict=True), no_twins)
        return strict if decodes(strict, frame) else self._plan(extractor, no_twins)

    def _plan(self, extractor: Extractor, twins: Twins) -> ReaderPlan:
        when = self.mapping.snapshot_when
        snapshot = _SNAPSHOT.get(when) if isinstance(when, str) else None
        reader = Reader(self.name, self.around.exchange, extractor, self.mapping.where, self.findings.position)
        return reader.plan(tuple(self._checks.unlowered), snapshot, twins)


def _document(frame: bytes) -> object:
    """A frame as plain JSON; None where a member that no mapping reads can't be decoded."""
    try:
        return msgspec.json.decode(frame)
    except NO_JSON:
        return None
