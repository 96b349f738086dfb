"""What commands on one's own account share: whose it is, what an order is in words, and who must agree to it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cexspec.cli._output import event_tables, for_people, print_event, print_tables, shown
from cexspec.models import AuthenticationError, Credentials, NotSupported
from cexspec.spec.load import find

if TYPE_CHECKING:
    from cexspec.client import Client
    from cexspec.models import Event
    from cexspec.models.order_request import OrderRequest

Prefix = Annotated[
    str | None,
    typer.Option(
        "--credentials-env",
        help="Credentials are read from the environment variables PREFIX_API_KEY and so on; by default the exchange's id in upper case.",
        metavar="PREFIX",
        show_default=False,
    ),
]
Keyring = Annotated[
    bool,
    typer.Option("--keyring", help="Read credentials from the system's keyring instead: service cexspec, user EXCHANGE.api_key and so on."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the signed request, its secrets masked, and send nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before something is sent to the live exchange.")]


def credentials_of(exchange: str, prefix: str | None, keyring: bool) -> Credentials:
    """The credentials that the exchange's spec names. Ends the command with a usage error that names what is missing."""
    from cexspec.credentials import credentials_from_env, credentials_from_keyring, default_prefix
    from cexspec.spec.load import load

    spec = load(find(exchange)).spec
    if spec.auth is None:
        raise NotSupported(f"the spec of {spec.id} has market data only: it names no credentials")
    declared = spec.auth.credentials
    optional = [name for name, credential in declared.items() if credential.optional]
    try:
        if keyring:
            return credentials_from_keyring(spec.id, declared, optional=optional)
        return credentials_from_env(prefix or default_prefix(spec.id), declared, optional=optional)
    except (AuthenticationError, ImportError) as error:
        raise typer.BadParameter(str(error), param_hint="--keyring" if keyring else "--credentials-env") from None


def account(exchange: str, environment: Any, prefix: str | None, keyring: bool, **arguments: Any) -> Client:
    """A client with the account's credentials; on paper it needs none. That it may trade is asked for each command (see `agree`)."""
    from cexspec.client import Client
    from cexspec.engine.environments import is_paper

    credentials = None if is_paper(environment) else credentials_of(exchange, prefix, keyring)
    if arguments.get("dry_run"):
        logging.getLogger("cexspec.trade").addHandler(logging.NullHandler())  # what it would say is shown by `show_requests`
    return Client(exchange, environment=environment, credentials=credentials, **arguments)


def agree(client: Client, words: str, *, yes: bool) -> None:
    """Say what is about to be done, and ask where it is done with real money. Ends the command where nobody agrees."""
    from cexspec.engine.trading.permission import live

    where = f"{client.id}, environment {client.environment.name}"
    if not live(client.environment):
        typer.echo(f"{words} ({where})", err=True)
        return
    typer.echo(f"{words} ({where}: LIVE, with real money)", err=True)
    if yes:
        return
    if not somebody_there():
        typer.echo("error: this is the live exchange, and there is nobody to ask: add --yes, or --dry-run to send nothing", err=True)
        raise typer.Exit(2)
    if not typer.confirm("Send it?", err=True):
        typer.echo("nothing was sent", err=True)
        raise typer.Exit(1)


def somebody_there() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin.isatty()


def show_requests(requests: Sequence[str]) -> None:
    """What a dry run would have sent: on stderr, beside the order that stdout shows."""
    for text in requests:
        typer.echo(f"not sent: {text}", err=True)


def in_words(request: OrderRequest, notional: Decimal | None, *, estimated: bool) -> str:
    """An order as one would say it: `buy 0.001 BTC/USDT, limit 50000, worth 50 USDT`."""
    quote = request.symbol.partition(":")[0].rpartition("/")[2]
    amount = shown(request.quantity) if request.quantity is not None else f"{shown(request.quote_quantity)} {quote} of"
    said = [f"{request.side} {amount} {request.symbol}", f"{request.type.replace('_', ' ')}{_at(request.price)}"]
    said += [f"once the price is {shown(request.stop_price)}"] if request.stop_price is not None else []
    said += [request.time_in_force] if request.time_in_force not in (None, "gtc") else []
    said += [word for word, holds in (("post only", request.post_only), ("reduce only", request.reduce_only)) if holds]
    said += [f"leverage {shown(request.leverage)}"] if request.leverage is not None else []
    worth = "worth an unknown amount" if notional is None else f"worth {'about ' if estimated else ''}{plain(notional)} {quote}"
    return ", ".join([*said, worth])


def _at(price: Decimal | None) -> str:
    return f" {shown(price)}" if price is not None else ""


def plain(value: Decimal) -> str:
    """An amount of money: no exponent, no zeros behind, at most eight decimals."""
    text = f"{value:.8f}"
    return text.rstrip("0").rstrip(".")


def show(events: Sequence[Event], as_json: bool) -> None:
    """Events as the other commands print them: tables on a terminal, else a line each."""
    if not for_people(as_json):
        for event in events:
            print_event(event)
    elif events:
        print_tables(*event_tables(events))
    else:
        typer.echo("none")
