"""Runs a command's coroutine: Ctrl-C ends it cleanly, errors become messages on stderr and exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import TypeVar

import typer

from cexspec.models import CexspecError, NotSupported, SpecError

T = TypeVar("T")
MOST = 20
"""Problems of a spec shown."""


def run(work: Coroutine[object, object, T]) -> T | None:
    """The result; None where Ctrl-C (or SIGTERM) ended it. Exits as `errors` says."""
    with errors(), contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(_terminable(work))
    return None


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Exit code 2 for what the exchange or its spec doesn't offer, 1 for everything that went wrong on the way."""
    try:
        yield
    except SpecError as error:
        for line in [str(problem) for problem in error.problems[:MOST]] or [str(error)]:
            typer.echo(line, err=True)
        raise typer.Exit(1) from None
    except (NotSupported, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except CexspecError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None


async def _terminable(work: Coroutine[object, object, T]) -> T:
    """Ctrl-C and SIGTERM cancel the work, which then closes what it has open."""
    task = asyncio.ensure_future(work)
    with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C comes as KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task
