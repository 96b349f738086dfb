"""Write specs in the one spelling; comments stay."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from cexspec.cli._files import Specs, spec_files
from cexspec.models import SpecError
from cexspec.spec.fmt import format_text


def command(
    paths: Specs,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 if a file is not in the one spelling.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; print what would change.")] = False,
) -> None:
    """Write specs in the one spelling: order of keys, short forms, quotes, layout. Comments stay, meaning too.

    \b
    cexspec fmt my-exchange.yaml
    cexspec fmt --check exchanges/
    cexspec fmt --diff exchanges/
    """
    files = spec_files(paths)
    changed, broken = list[Path](), 0
    for path in files:
        try:
            changed += [path] if _formatted(path, diff, write=not (check or diff)) else []
        except (SpecError, UnicodeDecodeError) as error:
            typer.echo(f"{path}: not formatted: {error}", err=True)
            broken += 1
    verb = "would change" if check or diff else "changed"
    for path in changed if check else ():
        typer.echo(str(path))
    typer.echo(f"{len(files)} files, {len(changed)} {verb}" + (f", {broken} not formatted" if broken else ""), err=True)
    if broken or (changed and check):
        raise typer.Exit(1)


def _formatted(path: Path, diff: bool, *, write: bool) -> bool:
    """Whether a file changes; print the difference, or write it."""
    text = path.read_bytes().decode("utf-8")
    written = format_text(text, str(path))
    if diff:
        lines = difflib.unified_diff(text.splitlines(True), written.splitlines(True), str(path), str(path))
        typer.echo("".join(lines), nl=False)
    if write and written != text:
        path.write_text(written, encoding="utf-8", newline="\n")
    return written != text
