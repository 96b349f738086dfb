"""Print a request or login as it would be signed, and send nothing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cexspec.cli._exchange import Environment, ExchangeName, examples, exchange_of
from cexspec.cli._run import errors

_MILLISECOND = 1_000_000


@examples
def command(
    exchange: ExchangeName,
    operation: Annotated[
        str,
        typer.Argument(
            help="What a client asks (`place_order`, `open_orders`, `balances`), an operation of the spec, `login`, or a connection.",
            show_default=False,
        ),
    ],
    credentials_env: Annotated[
        str, typer.Option(help="Credentials are read from the variables PREFIX_API_KEY, PREFIX_API_SECRET and so on.", metavar="PREFIX")
    ],
    time: Annotated[int, typer.Option(help="When it is signed, in milliseconds.", metavar="MS")],
    params: Annotated[str, typer.Option(help="Unified parameters; numbers as JSON numbers or texts, both exact.", metavar="JSON")] = "{}",
    nonce: Annotated[int | None, typer.Option(help="The nonce (default: the time).", metavar="N")] = None,
    recv_window: Annotated[int | None, typer.Option(help="The receive window in milliseconds (default: the spec's).", metavar="MS")] = None,
    environment: Environment = None,
    curl: Annotated[bool, typer.Option("--curl", help="Print a command line for curl.")] = False,
) -> None:
    """Print a request or login as it would be signed, as JSON: method, url, headers, body, the text that was signed, the signature.

    Nothing is masked and nothing is sent: it is for finding out why a signature is refused.

    \b
    cexspec sign EXCHANGE balances --credentials-env EXAMPLE --time 1700000000000
    cexspec sign EXCHANGE login --credentials-env EXAMPLE --time 1700000000000 --nonce 1
    """
    from cexspec.cli._signing import LOGIN, Signing, as_curl, read_params
    from cexspec.compile.recipe import Moment
    from cexspec.credentials import credentials_from_env
    from cexspec.engine.environments import environment_of

    with errors():
        plan = exchange_of(exchange)
        place = environment_of(plan, environment)
        optional = [name for name, one in plan.credentials.items() if one.optional]
        credentials = credentials_from_env(credentials_env, plan.credentials, optional=optional)
        window = plan.recv_window if recv_window is None else recv_window
        moment = Moment(time * _MILLISECOND, time if nonce is None else nonce, window, place.name)
        signing = Signing(plan, place, credentials, moment)
        is_login = operation == LOGIN or (operation in plan.connection_names and operation not in plan.operation_names)
        shown = signing.login(operation, read_params(params)) if is_login else signing.request(operation, read_params(params))
        typer.echo(as_curl(shown) if curl and shown["method"] != "WS" else json.dumps(shown, ensure_ascii=False))
