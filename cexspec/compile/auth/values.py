"""The values of a recipe: `of` something the digest, written in an encoding, by the kind of the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from cexspec.compile.auth.digests import key_kind
from cexspec.compile.auth.keys import KINDS, Decoding
from cexspec.compile.code import Tree
from cexspec.compile.holes import Text, parse_text
from cexspec.compile.templates import compile_tree
from cexspec.spec.model.auth import DigestName, Encoding, KeyKind, Step, Value
from cexspec.spec.model.node import TreeNode
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Source = Text | list[Text] | dict[str, Tree]
"""What is digested: a text, parts whose bytes are joined, or a mapping, which is its JSON."""


@dataclass(frozen=True, slots=True)
class Holes:
    """What a value may hold: all that there is, the values among them that come only later, and those that are bytes."""

    all: frozenset[str]
    later: frozenset[str]
    raw: frozenset[str]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One way to make a value. `digest` and `encode` are None where nothing is digested or encoded."""

    source: Source
    digest: DigestName | None
    encode: Encoding | None
    holes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ValuePlan:
    """One value. `key` is the credential and how it writes its bytes; `steps` go by the kind of it (None: by no key)."""

    name: str
    key: tuple[str, Decoding] | None
    steps: Mapping[KeyKind | None, StepPlan]
    holes: frozenset[str]
    raw: bool

    @property
    def kinds(self) -> frozenset[KeyKind]:
        """The kinds of key that it has a way for."""
        return frozenset(kind for kind in self.steps if kind is not None)


def compile_value(name: str, value: Value, credentials: frozenset[str], holes: Holes, findings: Findings) -> ValuePlan:
    """Compile one value; what is wrong goes to `findings`."""
    where = value.where
    key = (value.key_.of, value.key_.decode) if value.key_ is not None else None
    if key is not None and key[0] not in credentials:
        hint = f"one of: {', '.join(sorted(credentials))}"
        findings.error("CEX101", (*where, "key"), f"no credential is called '{key[0]}'", hint)
    found: set[str] = set()
    steps: dict[KeyKind | None, StepPlan] = {}
    for kind, way in _ways(value):
        source, used = _source(way.of, holes, findings, (*way.where, "of"))
        found |= used
        steps[_checked(way, kind, value, findings)] = StepPlan(source, way.digest, way.encode, used)
    return ValuePlan(name, key, steps, frozenset(found), any(step.encode == "raw" for step in steps.values()))


@dataclass(frozen=True, slots=True)
class _Way:
    """A step with what it leaves to the value it belongs to."""

    of: TreeNode
    digest: DigestName | None
    encode: Encoding | None
    where: Where


def _ways(value: Value) -> Iterator[tuple[KeyKind | None, _Way]]:
    """Each way to make a value, with the kind of key that `by_key` says it is for."""
    for kind, step in (value.by_key or {}).items():
        yield kind, _laid(step, value)
    if value.by_key is None:
        yield None, _Way(value.of, value.digest, value.encode, value.where)


def _laid(step: Step, value: Value) -> _Way:
    """The step laid over its value."""
    of = step.of if step.of is not None else value.of
    where = step.where if step.of is not None else value.where
    return _Way(of, step.digest or value.digest, step.encode or value.encode, where)


def _checked(way: _Way, kind: KeyKind | None, value: Value, findings: Findings) -> KeyKind | None:
    """The kind of key of a way; one that its digest doesn't take goes to `findings`."""
    wanted = key_kind(way.digest) if way.digest is not None else None
    at = value.where if kind is None else (*value.where, "by_key", kind)
    if kind is not None and wanted is not None and wanted != kind:
        findings.error("CEX102", at, f"'{way.digest}' takes {KINDS[wanted]}, and this is for {KINDS[kind]}", _digests(kind))
    if kind is None and wanted is not None and value.key_ is None:
        findings.error("CEX102", at, f"'{way.digest}' takes a key", "key: api_secret")
    if kind is None and wanted is None and value.key_ is not None:
        text = f"'{way.digest}' takes no key" if way.digest is not None else "a key without a digest does nothing"
        findings.error("CEX102", (*value.where, "key"), text, "digest: hmac-sha256, or leave the key out")
    if value.key_ is not None and value.key_.decode != "text" and (kind or wanted) not in (None, "text"):
        findings.error("CEX102", (*value.key_.where, "decode"), "a private key says itself how it is written", "leave `decode` out")
    return kind or wanted


def _digests(kind: KeyKind) -> str:
    fitting = {"text": "hmac-sha256", "rsa": "rsa-sha256", "ec": "ecdsa-sha256", "ed25519": "ed25519"}
    return f"digest: {fitting[kind]}"


def _source(of: TreeNode, holes: Holes, findings: Findings, where: Where) -> tuple[Source, frozenset[str]]:
    """What is digested, as a function of the holes' values, and the holes."""
    if isinstance(of, str):
        return _text(of, holes, findings, where)
    if isinstance(of, list):
        parts = [_part(part, holes, findings, (*where, at)) for at, part in enumerate(of)]
        return [text for text, _ in parts], frozenset().union(*(used for _, used in parts))
    template = compile_tree(of, holes.all, findings, where)
    _check_holes(template.holes, holes, findings, where)
    _check_raw(_texts(template.tree), holes, findings, where)
    return cast(Source, template.tree), template.holes


def _part(part: TreeNode, holes: Holes, findings: Findings, where: Where) -> tuple[Text, frozenset[str]]:
    """One of the parts whose bytes are joined."""
    if not isinstance(part, str):
        findings.error("CEX048", where, "the parts of a list are texts", '["{{ path }}", "{{ body_hash }}"]')
        return Text(()), frozenset()
    text = parse_text(part, holes.all, findings, where)
    used = frozenset(hole.name for hole in text.holes)
    _check_holes(used, holes, findings, where)
    if text.whole is None or text.whole.name not in holes.raw:
        _check_raw([text], holes, findings, where)
    return text, used


def _text(text: str, holes: Holes, findings: Findings, where: Where) -> tuple[Text, frozenset[str]]:
    parsed = parse_text(text, holes.all, findings, where)
    used = frozenset(hole.name for hole in parsed.holes)
    _check_holes(used, holes, findings, where)
    _check_raw([parsed], holes, findings, where)
    return parsed, used


def _texts(tree: Tree) -> Iterator[Text]:
    if isinstance(tree, Text):
        yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _texts(inner)


def _check_holes(used: frozenset[str], holes: Holes, findings: Findings, where: Where) -> None:
    for name in sorted(used & holes.later):
        text = f"'{name}' isn't made yet where this needs it"
        findings.error("CEX103", where, text, "values are made from top to bottom, the signature last: write it above")


def _check_raw(texts: Iterator[Text] | list[Text], holes: Holes, findings: Findings, where: Where) -> None:
    for name in sorted({hole.name for text in texts for hole in text.holes} & holes.raw):
        findings.error(
            "CEX104", where, f"'{name}' is bytes, which no text can hold", 'a part of its own in a list: ["{{ path }}", "{{ hash }}"]'
        )
