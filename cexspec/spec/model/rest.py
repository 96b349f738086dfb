"""REST operations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.choices import Table, Verb, When
from cexspec.spec.model.limits import Errors, WeightValue
from cexspec.spec.model.mapping import Mapping
from cexspec.spec.model.node import Count, Flag, Name, Node, Path, Seconds, Template, Tree, as_list, key

Method = Literal["GET", "POST", "PUT", "DELETE", "PATCH"]
METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "DELETE", "PATCH")


class Param(Node):
    """A unified parameter of the call as the venue takes it."""

    default: str | None = key("Sent when the caller gives none", "100", None)
    max: Count | None = key("The largest the venue takes; more is fetched by pages, where it pages", 300, None)
    values: list[str] | None = key("The only values it takes; the smallest that holds the request is sent", ["1", "25", "100"], None)
    words: dict[str, str] | None = key(
        "Unified value -> the venue's word; of an interval, in place of the words in `intervals`", {"5m": "5min", "1h": "1h"}, None
    )
    choose: Table | None = key(
        "A decision table: the hole of this name is made from parameters of the call",
        [{"is": "post_only", "when": {"post_only": "true"}}, {"is": "limit", "when": {"type": "limit"}}],
        None,
    )

    @model_validator(mode="after")
    def _one_list(self) -> Param:
        if self.choose is not None and self.model_fields_set != {"choose"}:
            raise ValueError("'choose' makes the value: nothing else goes beside it")
        if self.words is not None and self.values is not None:
            raise ValueError("'words' are the only values already: keep one of 'words' and 'values'")
        return self


class Page(Node):
    """How to reach the rows beyond one answer."""

    direction: Literal["backward", "forward"] = key("Newest page first, or oldest first", "backward")
    param: str = key(
        "The query key that continues; of an operation with a form its key, of one with a body its key, nested with dots (a JSON number"
        " where there is a `unit`)",
        "after",
    )
    by: Literal["timestamp", "id", "order_id", "offset"] | None = key(
        "Continued from this field of the last row, or by the `offset`: how many rows there were before", "timestamp", None
    )
    cursor: Path | None = key("Continued from an opaque value in the answer", "$.result.nextPageCursor", None)
    unit: Literal["s", "ms", "us", "ns"] | None = key("The unit of a time cursor", "ms", None)
    inclusive: Flag = key("The answer begins with the row of the cursor itself", True, False)
    drop: list[str] = key("Keys of the query (or body) not sent along with a cursor", ["startTime"], [])
    all: Flag = key("The rows are what there is now, no history: without a `limit` all pages are fetched", True, False)

    @model_validator(mode="after")
    def _one_cursor(self) -> Page:
        if (self.by is None) == (self.cursor is None):
            raise ValueError("continue either 'by' a field or from a 'cursor' in the answer")
        if (self.by == "timestamp") != (self.unit is not None):
            raise ValueError("'unit' goes with 'by: timestamp'")
        return self


class From(Node):
    """One call for each value another operation returns."""

    source: Name = key("The operation", "option_families", alias="from")


Each = Annotated[
    list[dict[str, str | From]],
    Field(description="Sets of parameters: one call each, answers joined", examples=[[{"instType": "SPOT"}, {"instType": "SWAP"}]]),
]


class Operation(Mapping):
    """One REST call. `get`, `post`, `put`, `delete` or `patch` is its path (or whole URL on another host of the environment).

    With `joins` it is no call of its own, but those of other operations, which keep their own limits: beside it stand `returns`
    and `docs` alone.
    """

    docs: str | None = key("The venue's page for it", "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-ticker", None)
    get: Template | None = key("GET this path", "/api/v5/market/ticker", None)
    post: Template | None = key("POST to this path", "/info", None)
    put: Template | None = key("PUT to this path", "/fapi/v1/order", None)
    delete: Template | None = key("DELETE this path", "/api/v3/order", None)
    patch: Template | None = key("PATCH this path", "/spot/orders/{{ order_id }}", None)
    joins: Annotated[list[Name], Field(min_length=1)] | None = key(
        "Its rows are those of these operations together", ["perpetuals", "spots"], None
    )
    query: dict[str, Template] = key("Query keys; one whose hole has no value is not sent", {"instId": "{{ id }}"}, {})
    body: Tree = key("JSON body with holes", {"type": "l2Book", "coin": "{{ id }}"}, None)
    form: dict[str, Template] | None = key(
        "Body of URL-encoded keys instead; one whose hole has no value is not sent", {"symbol": "{{ id }}"}, None
    )
    auth: Name | None = key("It is private: the recipe (of the top level's `auth`) that signs it", "rest", None)
    params: dict[str, Param] = key("Bounds and defaults of unified parameters", {"limit": {"default": "100", "max": "300"}}, {})
    each_order: Tree = key(
        "Of a batch: what the list `{{ orders }}` of the request holds for each order (`params.orders.max` of them in a call)",
        {"instId": "{{ id }}", "sz": "{{ size }}"},
        None,
    )
    serves: Verb | None = key(
        "What it does for an account, if its name doesn't say; of several the first whose `when` holds is called", "place_order", None
    )
    when: When | None = key("It serves only calls of which this holds", {"type": ["stop_market", "stop_limit"]}, None)
    accepts: list[str] = key("Codes that mean that it is as wished already: no errors here", ["110043"], [])
    each: Each | None = key("One call for each of these, answers joined", [{"instType": "SPOT"}], None)
    kinds: list[Literal["spot", "perpetual", "future", "option"]] | None = key("Only for instruments of these kinds", ["perpetual"], None)
    limit: Annotated[list[Name], BeforeValidator(as_list, json_schema_input_type=str | list[str])] = key(
        "The pool(s) it draws from", "market_data", []
    )
    weight: WeightValue | None = key("What it costs", "1", None)
    page: Page | None = key("How to reach further rows", {"direction": "backward", "param": "after", "by": "timestamp", "unit": "ms"}, None)
    poll: Seconds | None = key("Asked so often, it is a stream: for what no channel tells", "5s", None)
    stream: Name | None = key("The unified stream it serves where it is polled, if not its own name", "ticker", None)
    idempotent: Flag | None = key("May be repeated safely (default: GET is)", True, None)
    errors: Errors | None = key(
        "How this operation's answers say that they are errors, if not as all; keys not given, and codes and texts besides its own, are"
        " the exchange's",
        {"code": "$.sCode", "message": "$.sMsg", "codes": {"51000": "InvalidRequest"}},
        None,
    )
    ignored: str | None = key("Why its answers carry no unified model", "average price: no unified model", None)

    @property
    def request(self) -> tuple[object, ...]:
        """What it asks: equal for operations that one answer serves."""
        return self.method, self.path, self.query, self.body, self.form, self.each_order

    @property
    def method(self) -> Method:
        """Its HTTP method."""
        return next((method for method in METHODS if getattr(self, method.lower()) is not None), "GET")

    @property
    def path(self) -> str:
        """The path (or whole URL) that it calls; empty where it joins others."""
        return getattr(self, self.method.lower()) or ""

    @model_validator(mode="after")
    def _one_method(self) -> Operation:
        if self.joins is not None:
            if self.model_fields_set - {"joins", "returns", "docs"}:
                raise ValueError("'joins' goes with 'returns' and 'docs' alone: the rest is said in the operations that it joins")
            if self.returns is None:
                raise ValueError("'joins' goes with 'returns': the model of all the rows")
            return self
        if sum(getattr(self, method.lower()) is not None for method in METHODS) != 1:
            raise ValueError("give 'get', 'post', 'put', 'delete', 'patch' or 'joins', one of them")
        if self.body is not None and self.form is not None:
            raise ValueError("a request has one body: keep 'body' (JSON) or 'form' (URL-encoded)")
        if (self.returns is None) == (self.ignored is None):
            raise ValueError("say what it 'returns', or why it is 'ignored'")
        if self.stream is not None and self.poll is None:
            raise ValueError("'stream' goes with 'poll': say how often it is asked")
        return self
