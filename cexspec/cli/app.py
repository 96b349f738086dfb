"""The `cexspec` command. Each file beside this one is a command; its module is imported only when it runs.

A command module has a function `command`, written as typer wants it, or an `app` with commands of its own, and a docstring
whose first line is its help.
Modules whose name begins with `_` are shared by commands.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import cexspec

_FOLDER = Path(__file__).parent


class LazyCommands(TyperGroup):
    """Knows every command by its file's name and first line, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        names = sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER)]))
        self.commands = {name: TyperCommand(name, help=_help(name)) for name in names if name != "app" and not name.startswith("_")}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments call. Fails with the nearest name where there is none."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if command is not None and name is not None else None, rest


def _load(name: str) -> TyperCommand | TyperGroup:
    module = import_module(f"cexspec.cli.{name}")
    single = getattr(module, "app", None)
    if single is None:
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name, no_args_is_help=False)(module.command)
    command = get_command(single)
    assert isinstance(command, TyperCommand | TyperGroup)
    command.name = name
    return command


def _help(name: str) -> str:
    """The first line of a command's docstring, read without importing what the command needs."""
    with (_FOLDER / f"{name}.py").open(encoding="utf-8") as file:
        return file.readline().strip().strip('"')


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cexspec {cexspec.__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 problems were found, 2 wrong usage. `cexspec COMMAND --help` has examples.",
)


@app.callback()
def main(
    show_version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """An exchange is a YAML file: unified market data over REST and WebSocket."""
