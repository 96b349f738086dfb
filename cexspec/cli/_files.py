"""The spec files that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cexspec.models import SpecError
from cexspec.spec.load import find, shipped


def complete(incomplete: str) -> list[str]:
    """Shipped ids for shell completion."""
    return [name for name in shipped() if name.startswith(incomplete)]


Specs = Annotated[
    list[str],
    typer.Argument(help="Spec files, folders that hold some, or ids of shipped specs.", metavar="PATH...", autocompletion=complete),
]


def spec_files(paths: list[str]) -> list[Path]:
    """The files: of a folder those directly in it. Ends the command with a usage error where a path leads nowhere."""
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = sorted(path.glob("*.yaml"))
            if not inside:
                raise typer.BadParameter(f"no .yaml file in {given}")
            found += inside
            continue
        try:
            found.append(path if path.is_file() else find(given))
        except SpecError as error:
            raise typer.BadParameter(str(error)) from None
    return list(dict.fromkeys(found))
