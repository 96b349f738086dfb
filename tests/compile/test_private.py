"""What private connections fill in: URLs, what REST gives before connecting, logins and their refusals."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.compile.private import fill_url
from cexspec.compile.socket_plan import BootstrapPlan, GreetPlan
from cexspec.models import AuthenticationError, DecodeError, NotSupported, TimestampError
from cexspec.spec.load import load_text
from tests.engine.private.vault import VAULT


@cache
def vault() -> Exchange:
    return Exchange(load_text(VAULT, "vault.yaml"))


def bootstrap(connection: str) -> BootstrapPlan:
    plan = vault().connection(connection).bootstrap
    assert plan is not None
    return plan


def greet() -> GreetPlan:
    plan = vault().connection("login").greet
    assert plan is not None
    return plan


URLS = [
    ("wss://a.test/ws?k={{ key }}", {"key": "a/b=="}, "wss://a.test/ws?k=a%2Fb%3D%3D"),
    ("wss://a.test/ws/{{ key }}", {"key": "ab"}, "wss://a.test/ws/ab"),
    ("{{ endpoint }}?token={{ token }}", {"endpoint": "wss://b.test/x", "token": "t&"}, "wss://b.test/x?token=t%26"),
    ("wss://a.test/ws", {}, "wss://a.test/ws"),
]


@pytest.mark.parametrize(("url", "values", "expected"), URLS, ids=[row[0] for row in URLS])
def test_a_url_is_filled_and_no_value_leaves_its_place(url: str, values: dict[str, str], expected: str) -> None:
    assert fill_url(url, values) == expected


def test_a_url_with_a_hole_that_nothing_fills_is_refused() -> None:
    with pytest.raises(NotSupported, match="nothing fills"):
        fill_url("wss://a.test/{{ key }}", {"token": "x"})


def test_what_rest_gives_is_taken_as_text() -> None:
    assert bootstrap("token").take(b'{"result":{"token":12}}') == {"token": "12"}
    assert (bootstrap("token").operation, bootstrap("token").keep, bootstrap("token").every) == ("ws_token", None, None)
    assert (bootstrap("listen").keep, bootstrap("listen").every) == ("keep_listen_key", 1800.0)


@pytest.mark.parametrize(
    ("body", "message"), [(b"<html>", "no JSON"), (b'{"result":{}}', "the answer holds no token"), (b"[]", "no token")]
)
def test_an_answer_that_gives_nothing_is_an_error(body: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        bootstrap("token").take(body)


REFUSALS: list[tuple[bytes, type[Exception], str | None]] = [
    (b'{"event":"error","code":"408","msg":"late"}', TimestampError, "408"),
    (b'{"event":"error","code":"999","msg":"no"}', AuthenticationError, "999"),
    (b"go away", AuthenticationError, None),
]


@pytest.mark.parametrize(("frame", "error", "code"), REFUSALS, ids=[str(row[2]) for row in REFUSALS])
def test_a_refused_login_is_an_authentication_error_unless_the_code_says_else(
    frame: bytes, error: type[Exception], code: str | None
) -> None:
    found = greet().error(frame)
    assert (type(found), found.code, found.exchange) == (error, code, "vault")


PLANS: list[tuple[str, set[str], set[str]]] = [
    ("login", {"message"}, {"api_key"}),
    ("token", {"rest"}, set()),
    ("listen", {"rest"}, set()),
    ("signed", {"message"}, {"api_key"}),
    ("open", set(), set()),
]


@pytest.mark.parametrize(("connection", "recipes", "credentials"), PLANS, ids=[row[0] for row in PLANS])
def test_a_connection_knows_what_it_needs(connection: str, recipes: set[str], credentials: set[str]) -> None:
    plan = vault().connection(connection)
    held = [one.credentials for one in (plan.greet, plan.subscribe, plan.unsubscribe) if one is not None]
    assert set(plan.recipes) == recipes and set().union(*held) == credentials


@pytest.mark.parametrize("channel", ["orders", "token_orders", "listened_orders", "reports", "executions", "wallet", "addressed_orders"])
def test_private_channels_are_known_as_such(channel: str) -> None:
    plan = vault().channel(channel)
    assert plan.private and plan.credentials == ({"address"} if channel == "addressed_orders" else set())


EXPLAINED: list[tuple[str, Any]] = [
    ("orders", '{"op":"subscribe","args":[{"ch":"orders"}]}'),
    ("token_orders", "{{ token }}"),
    ("listened_orders", "nothing: it is implied"),
    ("reports", "signed by message"),
    ("addressed_orders", '"user":"<address>"'),
]


@pytest.mark.parametrize(("channel", "text"), EXPLAINED, ids=[row[0] for row in EXPLAINED])
def test_what_only_a_connection_knows_is_explained_as_the_spec_has_it(channel: str, text: str) -> None:
    assert text in explain(vault(), channel)
