"""Signatures checked: what a recipe put into a request is taken out, made anew with known credentials, and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec.structs import replace

from cexspec.compile.exchange import Exchange
from cexspec.compile.http_request import HttpRequest, pairs_of, urlencoded
from cexspec.compile.recipe import Moment
from cexspec.hooks import SIGNERS, SignHook
from cexspec.mock.bodies import Refused
from cexspec.mock.market import MILLISECOND
from cexspec.mock.moments import Told, told_by
from cexspec.models import AuthenticationError, Credentials, ExchangeError
from cexspec.spec.model.auth import Recipe

FORM = "x-www-form-urlencoded"
_AHEAD = 1_000 * MILLISECOND
"""How far ahead of the venue's clock a request may be."""


def credentials_of(exchange: Exchange) -> Credentials:
    """Credentials that a mock venue gives out: 64 hexadecimal digits each, which are base64 too.

    Without the library that a hook signs with nobody has any: all but what is private works.
    """
    needed = [name for name, one in exchange.credentials.items() if not (one.public and one.optional)]
    try:
        return exchange.completed(Credentials({name: hashlib.sha256(f"{exchange.id} {name}".encode()).hexdigest() for name in needed}))
    except ImportError:
        return Credentials()


def received(method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> HttpRequest:
    """A request as it came in."""
    form = parse_qsl(body.decode(errors="replace"), keep_blank_values=True) if FORM in headers.get("Content-Type", "") else []
    pairs = tuple((name, value) for name, value in headers.items())
    own = urlencoded(tuple(query.items()))
    return HttpRequest(method, unquote(path), own, body if body and not form else None, pairs, urlencoded(tuple(form)))


class Signatures:
    """Checks requests as the venue does. `clock` is the venue's, in nanoseconds; nonces grow from request to request."""

    def __init__(self, exchange: Exchange, credentials: Credentials, clock: Callable[[], int]) -> None:
        self._exchange, self._credentials, self._clock = exchange, credentials, clock
        self._nonce = 0

    def forget(self) -> None:
        """No nonce was used before."""
        self._nonce = 0

    def opened(self, name: str, request: HttpRequest, base_url: str) -> HttpRequest:
        """The request without what the recipe put into it. Raises `Refused` where that is missing, wrong, late or was used before."""
        auth = self._exchange.spec.auth
        assert auth is not None
        recipe = auth.recipes[name]
        if recipe.hook is not None:
            return self._unsigned(SIGNERS[recipe.hook], request)
        told = self._told(recipe, request)
        self._check_time(told)
        own = _without(recipe, request)
        moment = Moment(told.get("now", self._clock()), told.get("nonce", 0), told.get("recv_window", self._exchange.recv_window), "custom")
        try:
            again = self._exchange.recipe(name).sign(own, base_url, self._credentials, moment).request
        except AuthenticationError as error:
            raise Refused(error.message, "AuthenticationError") from None
        if not _same(recipe, again, request):
            raise Refused("the signature is not that of this request, or the key is unknown", "AuthenticationError")
        self._nonce = told.get("nonce", self._nonce)
        return own

    def _unsigned(self, hook: SignHook, request: HttpRequest) -> HttpRequest:
        """A request without what a hook put into it."""
        body = _json(request.body or b"null")
        try:
            own, nonce, parameters = hook.opened(body)
            again = hook.sign(own, self._credentials, nonce, "custom", parameters)
        except ExchangeError as error:
            raise Refused(error.message, type(error).__name__) from None
        if again.body != body:
            raise Refused("the signature is not that of this request, or the key is unknown", "AuthenticationError")
        self._check_time({"nonce": nonce})
        self._nonce = nonce
        return replace(request, body=msgspec.json.encode(own))

    def _told(self, recipe: Recipe, request: HttpRequest) -> Told:
        """What the recipe's parameters and headers tell, as far as each is of one hole alone."""
        headers = {name.lower(): value for name, value in request.headers}
        members, ahead = _members(request), round((recipe.expires or 0) * 1e9)
        found: dict[str, int] = {}
        for texts, values in (({**recipe.add, **recipe.append}, members), (_lower(recipe.headers), headers)):
            for name, template in texts.items():
                if name not in values:
                    raise Refused(f"the request lacks {name}", "AuthenticationError")
                try:
                    found |= told_by(template, values[name], ahead)
                except ValueError:
                    raise Refused(f"'{str(values[name])[:40]}' is no {name}", "InvalidRequest") from None
        return found

    def _check_time(self, told: Told) -> None:
        window = told.get("recv_window", self._exchange.recv_window) * MILLISECOND
        now = self._clock()
        if "now" in told and not now - window <= told["now"] <= now + _AHEAD:
            raise Refused(f"the request is {(now - told['now']) // MILLISECOND} ms old", "TimestampError")
        if "nonce" in told and told["nonce"] <= self._nonce:
            raise Refused(f"the nonce {told['nonce']} does not grow", "TimestampError")


def _members(request: HttpRequest) -> dict[str, Any]:
    """Everything named in a request, but for its headers."""
    body = _json(request.body) if request.body is not None else {}
    return {**(body if isinstance(body, dict) else {}), **dict(pairs_of(request.form)), **dict(pairs_of(request.query))}


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _without(recipe: Recipe, request: HttpRequest) -> HttpRequest:
    """The request as it was before the recipe."""
    names, headers = {*recipe.add, *recipe.append, *recipe.sign_into}, set(_lower(recipe.headers))
    body = request.body
    if recipe.into == "body" and body is not None and isinstance(_json(body), dict):
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        own = {name: value for name, value in members.items() if name not in names}
        body = msgspec.json.encode(own) if own else None
    return replace(
        request,
        query=urlencoded(tuple(pair for pair in pairs_of(request.query) if pair[0] not in names)),
        form=urlencoded(tuple(pair for pair in pairs_of(request.form) if pair[0] not in names)),
        body=body,
        headers=tuple(pair for pair in request.headers if pair[0].lower() not in headers),
    )


def _same(recipe: Recipe, again: HttpRequest, request: HttpRequest) -> bool:
    """Whether two requests are the same, as far as a recipe is concerned."""
    names = set(_lower(recipe.headers))
    if dict(_signing(again, names)) != dict(_signing(request, names)) or _sorted(again.query) != _sorted(request.query):
        return False
    return _sorted(again.form) == _sorted(request.form) and _json(again.body or b"null") == _json(request.body or b"null")


def _sorted(text: str) -> list[tuple[str, str]]:
    return sorted(pairs_of(text))


def _signing(request: HttpRequest, names: set[str]) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in request.headers if name.lower() in names)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
