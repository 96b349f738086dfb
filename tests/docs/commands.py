"""Command lines of documents: the commands are there, and take the options that are shown."""

from __future__ import annotations

from collections.abc import Sequence

from typer.main import get_command

from cexspec.cli.app import _load, app


def check(words: Sequence[str]) -> None:
    """One line, in words, from the name of the command on."""
    name, *words = words
    assert name in get_command(app).commands  # type: ignore[attr-defined]
    command = _load(name)
    if below := getattr(command, "commands", None):
        command = below[words[0]]
    known = {text for parameter in command.params for text in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
