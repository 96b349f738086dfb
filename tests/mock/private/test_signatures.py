"""The mock venue checks signatures as venues do: whatever the recipe, every shipped one."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from cexspec.compile.exchange import Exchange, compile_exchange
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.recipe import Moment
from cexspec.mock.bodies import Refused
from cexspec.mock.signatures import Signatures, credentials_of
from cexspec.models import Credentials
from cexspec.spec.load import shipped

NOW = 1_785_571_200_123_000_000
BASE = "https://mock.example.com"
SPECS = {name: auth.recipes for name in shipped() if (auth := compile_exchange(name).spec.auth) is not None}
RECIPES = [
    (name, recipe) for name, recipes in SPECS.items() for recipe, spec in recipes.items() if spec.headers and spec.signature is not None
]
OF_QUERY = [(name, recipe) for name, recipe in RECIPES if re.search(r"{{ (params|query|target)", str(SPECS[name][recipe].signature))]
TIMED = [(name, recipe) for name, recipe in RECIPES if "now" in str(SPECS[name][recipe])]
COUNTED = [one for one in RECIPES if one not in TIMED]
REQUESTS = {
    "query": HttpRequest("GET", "/api/orders", query="symbol=BTC-USDT&at=a%20b%2Fc"),
    "nothing": HttpRequest("GET", "/api/account"),
    "body": HttpRequest("POST", "/api/orders", body=b'{"instId":"BTC-USDT", "sz":"0.10"}', headers=(("Content-Type", "application/json"),)),
    "form": HttpRequest("POST", "/api/orders", form="pair=XBTUSDT&volume=0.10"),
}


def signed(exchange: Exchange, recipe: str, request: HttpRequest, now: int = NOW, credentials: Credentials | None = None) -> HttpRequest:
    moment = Moment(now, now // 1_000_000, exchange.recv_window, "custom")
    return exchange.recipe(recipe).sign(request, BASE, credentials or credentials_of(exchange), moment).request


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_what_is_signed_is_taken_and_given_back_as_it_was(name: str, recipe: str, kind: str) -> None:
    exchange, request = compile_exchange(name), REQUESTS[kind]
    signatures = Signatures(exchange, credentials_of(exchange), lambda: NOW)
    opened = signatures.opened(recipe, signed(exchange, recipe, request), BASE)
    assert (opened.method, opened.path, opened.query, opened.form) == (request.method, request.path, request.query, request.form)
    assert opened.body == request.body or _structure(opened.body) == _structure(request.body)


def _structure(body: bytes | None) -> object:
    """A body that has to be written anew, because something was put into it."""
    return None if body is None else json.loads(body)


@pytest.mark.parametrize(("name", "recipe"), OF_QUERY)
def test_another_query_is_refused(name: str, recipe: str) -> None:
    request = signed(compile_exchange(name), recipe, REQUESTS["query"])
    assert _refusal(name, recipe, replace(request, query=f"{request.query}&more=1".strip("&"))) == "AuthenticationError"


@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_a_request_without_its_headers_is_refused(name: str, recipe: str) -> None:
    request = signed(compile_exchange(name), recipe, REQUESTS["form"])
    assert _refusal(name, recipe, replace(request, headers=())) == "AuthenticationError"


@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_another_key_is_refused(name: str, recipe: str) -> None:
    exchange = compile_exchange(name)
    other = Credentials({**credentials_of(exchange), "api_key": "mine"})
    assert _refusal(name, recipe, signed(exchange, recipe, REQUESTS["body"], credentials=other)) == "AuthenticationError"


@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_another_secret_is_refused(name: str, recipe: str) -> None:
    exchange = compile_exchange(name)
    other = Credentials({**credentials_of(exchange), "api_secret": "00" * 32})
    assert _refusal(name, recipe, signed(exchange, recipe, REQUESTS["query"], credentials=other)) == "AuthenticationError"


@pytest.mark.parametrize("apart", [-60_000_000_000, 60_000_000_000], ids=["late", "early"])
@pytest.mark.parametrize(("name", "recipe"), TIMED)
def test_a_request_of_another_time_is_refused(name: str, recipe: str, apart: int) -> None:
    assert _refusal(name, recipe, signed(compile_exchange(name), recipe, REQUESTS["query"], NOW + apart)) == "TimestampError"


@pytest.mark.parametrize(("name", "recipe"), COUNTED)
def test_a_nonce_grows(name: str, recipe: str) -> None:
    exchange = compile_exchange(name)
    signatures = Signatures(exchange, credentials_of(exchange), lambda: NOW)
    for later in (0, 5_000_000):
        signatures.opened(recipe, signed(exchange, recipe, REQUESTS["form"], NOW + later), BASE)
    with pytest.raises(Refused) as refused:
        signatures.opened(recipe, signed(exchange, recipe, REQUESTS["form"], NOW + 1_000_000), BASE)
    assert refused.value.error == "TimestampError"


def _refusal(name: str, recipe: str, request: HttpRequest) -> str:
    """The error class of what is refused."""
    exchange = compile_exchange(name)
    signatures = Signatures(exchange, credentials_of(exchange), lambda: NOW)
    with pytest.raises(Refused) as refused:
        signatures.opened(recipe, request, BASE)
    return refused.value.error
