"""Requests and logins as they would be sent, made offline: no instruments, a given time and nonce."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from shlex import quote
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import ValidationError

from cexspec.compile.recipe import Moment
from cexspec.compile.verbs import ABOUT_ORDERS, BATCHES, FLAGS, ORDER, VERBS
from cexspec.models import Credentials, InvalidOrder, InvalidRequest, NotSupported
from cexspec.models.order_request import OrderRequest
from cexspec.models.symbol import Symbol

if TYPE_CHECKING:
    from cexspec.compile.exchange import Exchange
    from cexspec.compile.exchange_plan import EnvironmentPlan
    from cexspec.compile.http_request import HttpRequest
    from cexspec.compile.plan import OperationPlan
    from cexspec.compile.socket_plan import ConnectionPlan

LOGIN = "login"
_NUMBERS = frozenset({"quantity", "price", "stop_price", "quote_quantity", "leverage", "contracts", "size"})
_PLACING = "place_order"
_COUNTED = ("contracts", "size")
"""An order in what the venue counts, which can't be known of every derivative offline."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs what, where and when."""

    exchange: Exchange
    environment: EnvironmentPlan
    credentials: Credentials
    moment: Moment

    def request(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A REST request, unmasked. Raises `NotSupported`, `InvalidRequest`, `InvalidOrder`, `AuthenticationError`."""
        verb = name.removeprefix("get_") if name not in self.exchange.operation_names else name
        params = parameters(self.exchange, verb, given)
        operation = self._operation(verb, params | next(iter(params.get("orders", [])), {}))
        _check_known(operation, verb, given)
        return self._signed(operation, {**_first_of_each(operation, params), **params})

    def login(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What proves on a connection who one is: its login message, its signed subscription, or the call before connecting."""
        connection = self._connection(name)
        values = dict(given)
        greet, bootstrap = connection.greet, connection.bootstrap
        if greet is not None and greet.recipe is not None and greet.send is not None:
            recipe = greet.recipe
            values |= self.exchange.recipe(recipe).values(self.credentials, self.moment, given)
            frame = greet.send(values)
        elif connection.subscribe.recipe is not None:
            recipe, topics = connection.subscribe.recipe, self._topics(connection, given)
            values |= self.exchange.recipe(recipe).values(self.credentials, self.moment, given)
            frame = connection.subscribe.send(topics, "1", values)
        elif bootstrap is not None:
            return self._signed(self.exchange.operation(bootstrap.operation), {})
        else:
            raise NotSupported(f"nothing is signed on the connection '{connection.name}' of {self.exchange.id}")
        return {
            "method": "WS",
            "url": self.environment.ws.get(connection.name, ""),
            "headers": dict(self.environment.headers),
            "body": frame.decode(),
            "prehash": values.get("prehash", ""),
            "signature": values.get("signature", ""),
        }

    def _connection(self, name: str) -> ConnectionPlan:
        if name in self.exchange.connection_names:
            return self.exchange.connection(name)
        private = [one for one in map(self.exchange.connection, self.exchange.connection_names) if one.recipes]
        if not private:
            raise NotSupported(f"{self.exchange.id} has no private connection")
        return private[0]

    def _topics(self, connection: ConnectionPlan, given: Mapping[str, Any]) -> list[Any]:
        """What a subscription is about: where one message holds one topic, that of the first channel that asks for no more."""
        channels = map(self.exchange.channel, self.exchange.channel_names) if connection.subscribe.per_topic else ()
        params = parameters(self.exchange, "", given)
        fitting = (one for one in channels if connection.name in one.connections.values() and one.needs <= params.keys())
        return [channel.topic(params) for channel in fitting][:1]

    def _operation(self, verb: str, params: Mapping[str, Any]) -> OperationPlan:
        if verb in VERBS and verb not in self.exchange.operation_names:
            return self.exchange.operation_for(verb, params)
        plan = self.exchange.operation(verb)
        plan = self.exchange.operation_for(verb, params) if plan.verb == verb else plan
        return self.exchange.operation(plan.joins[0]) if plan.joins else plan

    def _signed(self, operation: OperationPlan, params: Mapping[str, Any]) -> dict[str, Any]:
        unique = UUID(int=self.moment.nonce % (1 << 128), version=4)
        try:
            request = operation.build({"now": self.moment.now, "uuid": str(unique), **params})
        except KeyError as hole:
            raise InvalidRequest(f"{operation.name} needs {hole.args[0]!r}: give it by --params", exchange=self.exchange.id) from None
        base = self.environment.base(signed=operation.auth is not None) or ""
        if operation.auth is None:
            return self._printed(request, base, "", "")
        done = self.exchange.recipe(operation.auth).sign(request, base, self.credentials, self.moment)
        return self._printed(done.request, base, done.prehash, done.signature)

    def _printed(self, request: HttpRequest, base: str, prehash: str, signature: str) -> dict[str, Any]:
        return {
            "method": request.method,
            "url": request.target if "://" in request.path else base.rstrip("/") + request.target,
            "headers": {**self.environment.headers, **dict(request.headers)},
            "body": (request.payload or b"").decode(),
            "prehash": prehash,
            "signature": signature,
        }


def parameters(exchange: Exchange, verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What fills the holes of a request: the given parameters with exact numbers, and what follows from the symbol."""
    params = {name: _exact(name, value) for name, value in given.items() if value is not None}
    if verb in BATCHES and isinstance(given.get("orders"), list):
        params["orders"] = [parameters(exchange, _PLACING if verb == "place_orders" else "", each) for each in given["orders"]]
    if verb == _PLACING and (lasting := _checked(given, exchange.id).time_in_force) is not None:
        params["time_in_force"] = lasting
    if "symbol" in params:
        params |= _of_symbol(exchange, str(params["symbol"]), params)
    if "type" in params:
        params["conditional"] = str(params["type"]).startswith("stop")
    return {name: value for name, value in params.items() if not (name in FLAGS and value is False)}


def _of_symbol(exchange: Exchange, text: str, params: Mapping[str, Any]) -> dict[str, Any]:
    from cexspec.engine.markets import Markets

    markets = Markets(exchange)
    market, found = markets.find(text), markets.params(text)
    if market.kind is None:
        raise InvalidRequest(f"no symbol rule reads {text!r}: write it as BTC/USDT or BTC/USDT:PERP", exchange=exchange.id)
    found |= {"kind": market.kind, "settle": Symbol.parse(str(market.symbol)).settle}
    counted = next((params[name] for name in _COUNTED if name in params), None)
    quantity = params.get("quantity")
    if counted is None and isinstance(quantity, Decimal):
        if market.kind == "spot" or not market.counted:
            counted = quantity
        elif market.contract_size is not None and not market.contract_in_quote:
            counted = quantity / market.contract_size
        else:
            sys.stderr.write(f"the contract size of {text} isn't known offline: its quantity is taken for one of contracts\n")
            counted = quantity
    if counted is not None:
        found["size"] = counted
        found |= {"contracts": counted} if market.kind != "spot" else {}
    return found


def _checked(given: Mapping[str, Any], exchange: str) -> OrderRequest:
    """An order that keeps the rules of every order. `contracts` may stand in place of `quantity`."""
    fields = {name: value for name, value in given.items() if name not in _COUNTED and name in OrderRequest.model_fields}
    if any(name in given for name in _COUNTED) and "quantity" not in given:
        fields["quantity"] = given.get("contracts", given.get("size"))
    try:
        return OrderRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidOrder(f"{place}: {first['msg']}" if place else first["msg"], exchange=exchange) from None


def _exact(name: str, value: Any) -> Any:
    """Numbers of orders as exact decimals, whether they are written as numbers or as texts."""
    if name not in _NUMBERS or isinstance(value, bool):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise InvalidRequest(f"{name} is a number, not {value!r}") from None


def _check_known(operation: OperationPlan, verb: str, given: Mapping[str, Any]) -> None:
    """A parameter that nothing reads would be dropped without a word."""
    known = operation.takes - {"now", "uuid", "id", "base", "quote", "category", "kind", "settle", "conditional"} | {"symbol"}
    if "order_id" in operation.takes:
        known |= {"conditional"}
    if operation.batch:
        known |= {"orders"}
    if verb in ABOUT_ORDERS:
        known |= frozenset(OrderRequest.model_fields) | frozenset(_COUNTED)
    unknown = sorted(given.keys() - known)
    if unknown:
        names = ", ".join(sorted(known & (ORDER | {"symbol", "orders", "strategy_id", "metadata"} | operation.takes)))
        raise InvalidRequest(f"{operation.name} takes no {', '.join(unknown)} (it takes: {names})")


def _first_of_each(operation: OperationPlan, params: Mapping[str, Any]) -> dict[str, Any]:
    """An operation that is several calls is shown as the first of them that the parameters agree with."""
    sets = [{name: value for name, value in keys.items() if isinstance(value, str)} for keys in operation.each]
    return next((keys for keys in sets if all(params.get(name) in (None, value) for name, value in keys.items())), {})


def as_curl(shown: Mapping[str, Any]) -> str:
    """A request as a command line."""
    headers = "".join(f" -H {quote(f'{name}: {value}')}" for name, value in shown["headers"].items())
    body = f" --data-raw {quote(shown['body'])}" if shown["body"] else ""
    return f"curl -X {shown['method']} {quote(shown['url'])}{headers}{body}"


def read_params(text: str) -> dict[str, Any]:
    """The JSON of `--params`; its numbers are exact. Raises `ValueError`."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ValueError(f"--params is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError('--params is an object: {"symbol": "BTC/USDT", "side": "buy"}')
    return found
