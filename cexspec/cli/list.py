"""List the exchanges that come with cexspec."""

from __future__ import annotations

from cexspec.cli._capabilities import CALLS, STREAMS, describe
from cexspec.cli._exchange import AsJson, exchange_of
from cexspec.cli._output import print_json, print_tables, table
from cexspec.cli._run import errors
from cexspec.spec.load import shipped


def command(as_json: AsJson = False) -> None:
    """List the exchanges that come with cexspec, and how much of the unified interface each offers.

    \b
    cexspec list
    cexspec list --json
    """
    with errors():
        found = [describe(exchange_of(name)) for name in shipped()]
    if as_json:
        print_json([{key: one[key] for key in ("id", "name", "kind", "docs", "kinds", "rest", "streams")} for one in found])
        return
    columns = ("id", "name", "kind", f"REST of {len(CALLS)}", f"streams of {len(STREAMS)}", "instruments", "environments")
    rows = [
        (one["id"], one["name"], one["kind"], sum(one["rest"].values()), sum(one["streams"].values()), ", ".join(one["kinds"]),
         ", ".join(one["environments"]))
        for one in found
    ]  # fmt: skip
    print_tables(table(None, columns, rows))
