"""What a venue asks of orders: the rules of client order ids."""

from __future__ import annotations

import re

from cexspec.compile.plan import ClientIdPlan, OrdersPlan
from cexspec.spec.model.orders import ClientOrderId, Orders

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NUMBER = re.compile(r"[1-9][0-9]{0,18}")


def compile_orders(orders: Orders | None) -> OrdersPlan:
    """The plan of `orders`; without it nothing is asked, and orders have no client ids."""
    if orders is None:
        return OrdersPlan()
    ids = orders.client_order_id
    return OrdersPlan(_client_ids(ids) if ids is not None else None, orders.visible_within, orders.docs, orders.slippage)


def _client_ids(ids: ClientOrderId) -> ClientIdPlan:
    length, largest = ids.max_length or 0, ids.max or 0
    if ids.kind == "int":
        words, allows = f"a number from 1 to {largest}", lambda text: bool(NUMBER.fullmatch(text)) and int(text) <= largest
    elif ids.kind == "uuid":
        words, allows = "a UUID", lambda text: bool(UUID.fullmatch(text))
    else:
        pattern, words = _written(ids, length)
        allows = lambda text: bool(pattern.fullmatch(text))  # noqa: E731
    return ClientIdPlan(ids.kind, length, ids.prefix, largest, allows, words, ids.docs)


def _written(ids: ClientOrderId, length: int) -> tuple[re.Pattern[str], str]:
    """The regex of a text or hexadecimal id, and what it asks for in words."""
    room = length - len(ids.prefix)
    behind = f", beginning with {ids.prefix!r}" if ids.prefix else ""
    if ids.kind == "hex":
        return re.compile(rf"{re.escape(ids.prefix)}[0-9a-fA-F]{{{room}}}"), f"{length} hexadecimal digits{behind}"
    others = f" and {ids.also}" if ids.also else ""
    pattern = re.compile(rf"{re.escape(ids.prefix)}[A-Za-z0-9{re.escape(ids.also)}]{{1,{room}}}")
    return pattern, f"at most {length} letters, digits{others}{behind}"
