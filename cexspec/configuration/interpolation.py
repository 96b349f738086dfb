"""`${NAME}` in a configuration: the value of an environment variable, put in after the file has been read.

So a value is text whatever it holds, and can't become a key, a list or another reference. `$${NAME}` is the text `${NAME}`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cexspec.credentials import unfolded
from cexspec.spec.problems import Problem
from cexspec.spec.source import Entry, Position, Where

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
_ESCAPED = re.compile(r"\$(\$\{)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Interpolation:
    """Puts values in; `problems` are the references that have none, each at its place."""

    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def filled(self, entry: Entry, where: Where = ()) -> Entry:
        """The entry with a value in place of every reference; keys are left alone."""
        value = entry.value
        if isinstance(value, dict):
            return entry._replace(value={key: self.filled(inner, (*where, key)) for key, inner in value.items()})
        if isinstance(value, list):
            return entry._replace(value=[self.filled(inner, (*where, at)) for at, inner in enumerate(value)])
        return entry._replace(value=self._text(value, entry, where)) if "${" in value else entry

    def _text(self, text: str, entry: Entry, where: Where) -> str:
        return "${".join(REFERENCE.sub(lambda found: self._value(found, entry, where), part) for part in _parts(text))

    def _value(self, found: re.Match[str], entry: Entry, where: Where) -> str:
        name, end = found.groups()
        if not end or not _NAME.fullmatch(name):
            self._note(entry, where, "this is no reference to an environment variable", "`${NAME}`; `$${` for the text `${`")
        elif not self.environ.get(name):
            what = "is empty" if name in self.environ else "is not set"
            self._note(entry, where, f"the environment variable `{name}` {what}", self._nearest(name))
        return unfolded(self.environ.get(name) or found.group())

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, [known for known in self.environ if self.environ[known]], 1, 0.8)
        return f"`${{{near[0]}}}`, which is set" if near else f"export {name}=..., before this is run"

    def _note(self, entry: Entry, where: Where, message: str, hint: str) -> None:
        self.problems.append(Problem(MISSING, "error", Position(entry.file, *entry.at), where, message, hint))


MISSING = "variable"
"""The rule of a reference without value."""


def _parts(text: str) -> list[str]:
    """The text between escaped references."""
    return _ESCAPED.sub("\0", text).split("\0")
