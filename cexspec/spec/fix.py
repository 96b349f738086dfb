"""Safe repairs: the edits that problems carry, applied to the text of a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cexspec.models import SpecError
from cexspec.spec.fmt import format_text
from cexspec.spec.problems import Edit, Problem


def edits_of(problems: Iterable[Problem], file: str) -> list[Edit]:
    """The edits that belong to one file."""
    return [problem.edit for problem in problems if problem.edit is not None and problem.edit.position.file == file]


def repaired(text: str, edits: Iterable[Edit]) -> str:
    """A text with the edits made, last one first so that places stay true; an edit whose text isn't there is left out."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda edit: (edit.position.line, edit.position.column), reverse=True):
        line, start = lines[edit.position.line - 1], edit.position.column - 1
        quoted = line[start : start + 1] in ('"', "'")
        start += quoted
        if line[start:].startswith(edit.old):
            lines[edit.position.line - 1] = line[:start] + edit.new + line[start + len(edit.old) :]
    return "\n".join(lines)


def formatted(path: Path) -> bool:
    """Write a file anew in the one spelling; whether that changed it. A file that is no YAML stays as it is."""
    text = path.read_text(encoding="utf-8")
    try:
        written = format_text(text, str(path))
    except SpecError:
        return False
    if written != text:
        path.write_text(written, encoding="utf-8", newline="\n")
    return written != text
