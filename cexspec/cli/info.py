"""Show what an exchange offers: environments, capabilities, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cexspec.cli._capabilities import describe
from cexspec.cli._exchange import AsJson, ExchangeName, examples, exchange_of
from cexspec.cli._output import print_json, print_tables, table
from cexspec.cli._run import errors

if TYPE_CHECKING:
    from rich.table import Table


@examples
def command(exchange: ExchangeName, as_json: AsJson = False) -> None:
    """Show what an exchange offers: environments, REST calls and streams, limits, the size of its spec.

    \b
    cexspec info EXCHANGE
    cexspec info EXCHANGE --json
    """
    with errors():
        found = describe(exchange_of(exchange))
    if as_json:
        print_json(found)
    else:
        print_tables(*_tables(found))


def _tables(found: dict[str, Any]) -> list[Table]:
    lines = ", ".join(f"{count} lines of {file}" for file, count in found["lines"].items())
    head = [("kind", found["kind"]), ("docs", found["docs"]), ("instruments", ", ".join(found["kinds"])), ("spec", lines)]
    head.append(("intervals", " ".join(found["intervals"]) or None))
    hosts = [
        (name, what, url)
        for name, environment in found["environments"].items()
        for what, url in [("rest", environment["rest"]), *environment["ws"].items()]
        if url is not None
    ]
    names = list(dict.fromkeys([*found["rest"], *found["streams"]]))
    offered = [(name, found["rest"].get(name), _stream(found, name)) for name in names]
    trade = [name for name, offered in found["trade"].items() if offered]
    head.append(("trade", ", ".join(trade) or None))
    head.append(("credentials", ", ".join(found["credentials"]) or None))
    limits = [(name, _windows(one), one["by"], one["scope"]) for name, one in found["limits"].items()]
    more = [(what, ", ".join(found[key])) for what, key in (("REST", "more_operations"), ("streams", "more_channels")) if found[key]]
    return [
        table(f"{found['name']} ({found['id']})", ("", ""), head),
        table("Environments", ("name", "for", "URL"), hosts),
        table("Offered", ("", "REST", "stream"), offered),
        *([table("Its own", ("", "names"), more)] if more else []),
        *([table("Limits", ("pool", "budget", "for each", "counted by"), limits)] if limits else []),
    ]


def _stream(found: dict[str, Any], name: str) -> bool | str | None:
    """Whether there is such a stream; of one that is polled how often."""
    seconds = found["polled"].get(name)
    return found["streams"].get(name) if seconds is None else f"polled every {seconds:g}s"


def _windows(limit: dict[str, Any]) -> str:
    return " and ".join(f"{window['rate']} per {window['per_seconds']:g}s" for window in limit["windows"])
