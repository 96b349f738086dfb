"""Check specs: everything is compiled, nothing is sent."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cexspec.cli._files import Specs, spec_files
from cexspec.compile.validate import validate
from cexspec.spec import fix, render
from cexspec.spec.problems import Problem
from cexspec.spec.sarif import sarif

_ROUNDS = 10


class Format(StrEnum):
    """How problems are printed."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def command(
    paths: Specs,
    form: Annotated[Format, typer.Option("--format", help="How to print the problems.")] = Format.text,
    repair: Annotated[bool, typer.Option("--fix", help="Repair what is safe to repair, and format the files.")] = False,
) -> None:
    """Check specs: keys, types, paths, templates, symbols, hooks, routing. No network is needed.

    Warnings do not fail the command.

    \b
    cexspec validate exchanges/
    cexspec validate my-exchange.yaml --fix
    cexspec validate exchanges/ --format sarif > cexspec.sarif
    """
    files = spec_files(paths)
    if repair:
        changed = sum(repaired(path) for path in files)
        typer.echo(f"repaired {changed} of {len(files)} files", err=True)
    problems = list(dict.fromkeys(problem for path in files for problem in validate(path)))  # one of a spec is its twins', too
    show(problems, form)
    counts = render.count(problems)
    typer.echo(f"{len(files)} files, {counts['errors']} errors, {counts['warnings']} warnings", err=True)
    if counts["errors"]:
        raise typer.Exit(1)


def repaired(path: Path) -> bool:
    """Make the safe edits of a file until none is left, then format it; whether the file has changed."""
    changed = False
    for _ in range(_ROUNDS):
        edits = fix.edits_of(validate(path), str(path))
        if not edits:
            break
        text = path.read_text(encoding="utf-8")
        path.write_text(fix.repaired(text, edits), encoding="utf-8", newline="\n")
        changed = True
    return fix.formatted(path) or changed


def show(problems: list[Problem], form: Format) -> None:
    """Print problems to stdout."""
    if form is Format.json:
        typer.echo(render.document(problems))
    elif form is Format.sarif:
        typer.echo(sarif(problems))
    elif form is Format.github:
        for problem in problems:
            typer.echo(render.github(problem))
    else:
        lines = render.Lines()
        for problem in problems:
            print_text(render.text(problem, lines.of(problem.position)), problem.severity)


def print_text(shown: str, severity: str) -> None:
    """Print one problem; on a terminal its first line and caret stand out."""
    if not sys.stdout.isatty():
        typer.echo(shown)
        return
    head, *rest = shown.split("\n")
    typer.secho(head, fg="red" if severity == "error" else "yellow", bold=True)
    typer.echo("\n".join(rest))
