"""A configuration file to settings: read, filled with values of the environment, checked against the specs it names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from cexspec.configuration.interpolation import Interpolation
from cexspec.configuration.settings import PLAIN, Settings, Top, settings_with, top_with
from cexspec.configuration.showing import listed, without_values
from cexspec.models import ConfigError, SpecError
from cexspec.models.execution import PAPER
from cexspec.spec.causes import causes
from cexspec.spec.compose import compose
from cexspec.spec.extends import read
from cexspec.spec.load import find, load
from cexspec.spec.model.auth import Credential
from cexspec.spec.model.exchange import ExchangeSpec
from cexspec.spec.model.node import Node
from cexspec.spec.problems import Findings, Problem
from cexspec.spec.shape import NodeOf
from cexspec.spec.source import Entry, Position, Source, Where
from cexspec.spec.tidy import tidy

GLOBAL = "global"
"""The pool of every exchange that counts all its requests."""


@dataclass(frozen=True, slots=True)
class Configured:
    """One exchange: what is said of it, and its spec."""

    settings: Settings
    path: Path
    spec: ExchangeSpec

    @property
    def credentials(self) -> list[str]:
        """The names of the credentials that the exchange wants."""
        return list(declared(self.spec))

    @property
    def optional(self) -> set[str]:
        """Those that not every key has."""
        return {name for name, credential in declared(self.spec).items() if credential.optional}


def declared(spec: ExchangeSpec) -> Mapping[str, Credential]:
    """The credentials that a spec names."""
    return spec.auth.credentials if spec.auth is not None else {}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A file that has no problems: its exchanges by name, in its order, disabled ones included."""

    file: str
    exchanges: Mapping[str, Configured]
    limits_store: str | None


def read_configuration(path: Path, environ: Mapping[str, str]) -> Configuration:
    """Read a file. Raises `ConfigError` with all that is wrong, each problem with its place, and without any value."""
    text, problems = read(path)
    found, root = None, None
    if not problems:
        composed = compose(text, str(path))
        root, problems = composed.root, [_fitting(problem, text) for problem in composed.problems]
        if root is not None:
            found, more = _Check(Source(root, {str(path): text}), path.parent, environ).configuration()
            problems += [problem for problem in more if problem.where not in {known.where for known in problems}]
    if found is not None and not problems:
        return found
    hidden = [without_values(problem, root) for problem in sorted(problems, key=lambda problem: problem.order)]
    raise ConfigError(listed(hidden, {str(path): text}), hidden)


def _fitting(problem: Problem, text: str) -> Problem:
    """A problem of YAML in the words of a configuration."""
    line = text.split("\n")[problem.position.line - 1]
    if problem.rule == "CEX002" and "${" in line:
        return replace(problem, hint='inside {...} quote a reference: "${NAME}"')
    if problem.rule == "CEX011":
        return replace(problem, hint="`exchanges:` and the exchanges below it")
    if problem.rule == "CEX005":
        return replace(problem, hint="write the value out")
    return problem


class _Check:
    """The way from a source to a configuration."""

    def __init__(self, source: Source, folder: Path, environ: Mapping[str, str]) -> None:
        self._source, self._folder, self._environ = source, folder, environ
        self._findings = Findings(source.position)
        self._specs: dict[str, tuple[Path, ExchangeSpec]] = {}

    def configuration(self) -> tuple[Configuration | None, list[Problem]]:
        """What is configured, or what keeps it from that."""
        names = _names(self._source.root)
        model = top_with({name: self._model(name) for name in names})
        filling = Interpolation(self._environ)
        root = filling.filled(self._source.root)
        off = {("exchanges", name) for name in names if _is_off(root, name)}
        unset = {problem.where[:3] for problem in filling.problems}
        root = _without(root, {where for where in unset if where[:2] in off})
        top, wrong = _validated(model, tidy(NodeOf(model), root, self._findings), self._source)
        unknown = {problem.where for problem in wrong if problem.rule == "CEX012"}
        for name in self._specs:
            self._compare(name, root, unset)
        problems = [one for one in filling.problems if one.where[:2] not in off and one.where not in unknown]
        problems += [one for one in wrong if one.rule == "CEX012" or one.where[:3] not in unset]
        if top is None or problems or self._findings.problems:
            return None, self._findings.problems + problems
        return self._configured(top), []

    def _model(self, name: str) -> type[Settings]:
        """The settings of an exchange, with the credentials that its spec names."""
        where: Where = ("exchanges", name)
        entry = self._source.entry(where).child("spec")
        try:
            path = self._path(name, entry)
            spec = load(path).spec
        except SpecError as error:
            place = where if entry is None else (*where, "spec")
            self._findings.error("spec", place, str(error))
            return settings_with(_said(self._source.entry(where)))
        self._specs[name] = path, spec
        return settings_with(declared(spec))

    def _path(self, name: str, entry: Entry | None) -> Path:
        wanted = str(entry.value) if entry is not None else name
        return find(str(self._folder / wanted) if wanted.endswith((".yaml", ".yml")) else wanted)

    def _configured(self, top: Top) -> Configuration:
        inner: Node = getattr(top, "exchanges")  # noqa: B009  # the model is made for this file
        settings: dict[str, Settings] = {info.alias or name: getattr(inner, name) for name, info in type(inner).model_fields.items()}
        exchanges = {name: Configured(one, *self._specs[name]) for name, one in settings.items()}
        return Configuration(self._source.root.file, exchanges, top.limits_store)

    def _compare(self, name: str, root: Entry, unset: Collection[Where]) -> None:
        """What the settings of an exchange name must be in its spec."""
        where: Where = ("exchanges", name)
        spec = self._specs[name][1]
        here = Source(root, {}).entry(where)
        environment, limits = here.child("environment"), here.child("rate_limits")
        sockets = environment.child("ws") if environment is not None else None
        if environment is not None and isinstance(environment.value, str) and (*where, "environment") not in unset:
            self._known((*where, "environment"), environment.value, [*spec.environments, PAPER], "environment")
        for connection in _keys(sockets):
            self._known((*where, "environment", "ws", connection), connection, spec.ws.connections if spec.ws else (), "connection")
        for pool in _keys(limits):
            self._known((*where, "rate_limits", pool), pool, [*spec.limits, GLOBAL], "pool")
        if not _is_off(root, name):
            self._complete(name, here)

    def _known(self, where: Where, word: str, legal: Iterable[str], noun: str) -> None:
        legal = list(legal)
        if word in legal:
            return
        entry = self._source.entry(where)
        at, told = (entry.key, word) if where[-1] == word else (entry.at, entry.value)
        near = difflib.get_close_matches(word, legal, 1)
        message = f"there is no {noun} `{told}`" + (f"; did you mean `{near[0]}`?" if near else "")
        self._findings.problems.append(Problem("word", "error", Position(entry.file, *at), where, message, f"one of: {', '.join(legal)}"))

    def _complete(self, name: str, here: Entry) -> None:
        """Credentials are all there, or none is."""
        known = declared(self._specs[name][1])
        given = [credential for credential in known if here.child(credential) is not None]
        needed = [credential for credential, one in known.items() if not one.optional and credential not in given]
        keyring = here.child("keyring")
        if given and needed and (keyring is None or keyring.value != "true"):
            message = f"credentials of `{name}` are missing: {', '.join(needed)}"
            self._findings.error("credentials", ("exchanges", name), message, f'{needed[0]}: "${{NAME}}"')


def _validated(model: type[Top], data: object, source: Source) -> tuple[Top | None, list[Problem]]:
    """The model, or why there is none. What pydantic raises holds values, so it does not leave this function."""
    try:
        return model.model_validate(data, by_alias=True, by_name=False), []
    except ValidationError as error:
        return None, causes(error, NodeOf(model), source)


def _names(root: Entry) -> list[str]:
    return [name for name in _keys(root.child("exchanges")) if not name.startswith("x-")]


def _keys(entry: Entry | None) -> list[str]:
    return list(entry.value) if entry is not None and isinstance(entry.value, dict) else []


def _is_off(root: Entry, name: str) -> bool:
    enabled = Source(root, {}).entry(("exchanges", name, "enabled"))
    return enabled.value == "false"


def _without(entry: Entry, places: Collection[Where], where: Where = ()) -> Entry:
    """The entry without what stands at these places."""
    if not isinstance(entry.value, dict) or not places:
        return entry
    kept = {key: _without(inner, places, (*where, key)) for key, inner in entry.value.items() if (*where, key) not in places}
    return entry._replace(value=kept)


def _said(entry: Entry) -> list[str]:
    """The keys that may be credentials of a spec that can't be read."""
    return [key for key in _keys(entry) if key not in PLAIN and key.isidentifier()]
