"""WebSocket connections and channels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from cexspec.spec.model.conditions import Conditions
from cexspec.spec.model.limits import Errors, Window
from cexspec.spec.model.mapping import Mapping, Sync
from cexspec.spec.model.node import Count, Flag, Name, Node, Path, Seconds, Tree, as_list, key
from cexspec.spec.model.rest import Param


class Subscribe(Node):
    """How to ask for topics and how the venue answers. Holes: `topics`, `topic`, `request_id`, learned and bootstrapped values."""

    send: Tree = key(
        "The message; the key '*' spreads the topic's own keys (`null`: nothing is asked for)", {"op": "subscribe", "args": "{{ topics }}"}
    )
    recipe: Name | None = key("The recipe of `auth` that signs the message: its values are holes of it", "user_stream", None)
    ack: Conditions | None = key("The venue's yes looks so", {"$.event": "subscribe"}, None)
    failed: Conditions | None = key("The venue's no looks so", {"$.event": "error"}, None)
    topic: Path | None = key("Where the answer repeats the topic (`$`: its keys stand in the answer itself)", "$.arg", None)
    failed_topic: Path | None = key("Where the no repeats the topic, or a list of topics, if not at `topic`", "$.data.failTopics", None)
    id: Path | None = key("Where the answer repeats the request's id", "$.id", None)
    learn: dict[Name, Path] = key("Values of the ack kept for the stream", {"channel": "$.chanId"}, {})
    errors: Errors | None = key(
        "Where the no has its code and message, if not where REST answers have them",
        {"code": "$.code", "message": "$.msg", "codes": {"60018": "InvalidSymbol"}},
        None,
    )

    @property
    def implied(self) -> bool:
        """Nothing is asked for, and nothing is answered."""
        return self.send is None

    @model_validator(mode="after")
    def _names_something(self) -> Subscribe:
        if self.implied:
            if self.model_fields_set - {"send"}:
                raise ValueError("what is implied has no messages: write 'implied' alone, or 'send'")
            return self
        if self.failed_topic is not None and self.failed is None:
            raise ValueError("'failed_topic' is read of a no: say by 'failed' how one looks")
        no_is_named = self.failed is None or self.failed_topic is not None
        if self.topic is None and self.id is None and not (self.ack is None and no_is_named):
            raise ValueError("an answer names what it answers: say where, by 'topic' or by 'id'")
        return self


def _implied(value: Any) -> Any:
    return {"send": None} if value == "implied" else value


Verb = Annotated[Subscribe, BeforeValidator(_implied, json_schema_input_type=Literal["implied"] | Subscribe)]
"""`implied`: everything comes by itself once the connection is ready (or, of leaving: nothing ends it but the connection's end)."""


class Answer(Node):
    """A server ping that wants an answer."""

    match: Conditions = key("The ping", {"$.ping": {"is": "present"}})
    send: Tree = key("The pong; `{{ message.ping }}` repeats a value of the ping", {"pong": "{{ message.ping }}"})


class Keepalive(Node):
    """Pings in either direction. Nothing here: WebSocket control frames alone."""

    send: Tree = key("What the client sends", "ping", None)
    every: Seconds | None = key("When the client has sent nothing for so long", "25s", None)
    expect: str | Conditions | None = key("What answers it: a plain (not JSON) text, or how the message looks", "pong", None)
    within: Seconds = key("The answer is due in this time", "10s", 10.0)
    answer: Answer | None = key(
        "Server pings and the answer they want", {"match": {"$.ping": {"is": "present"}}, "send": {"pong": "{{ message.ping }}"}}, None
    )
    silence: Seconds | None = key("A connection on which nothing at all arrived for so long is dead", "60s", None)


class Greet(Node):
    """What must be sent or arrive before anything else.

    With a `recipe` it is a login, signed anew for every connection; one that is refused for good ends in the state `failed`.
    """

    recipe: Name | None = key("The recipe of `auth` that signs it: its values are holes of `send`", "login", None)
    send: Tree = key("Sent first; holes: the recipe's, bootstrapped values", {"event": "conf", "flags": 229376}, None)
    expect: Conditions | None = key("Awaited before subscribing", {"$.event": "conf"}, None)
    failed: Conditions | None = key("The venue's no to it looks so", {"$.event": "error"}, None)
    errors: Errors | None = key(
        "Where the no has its code and message, if not where REST answers have them; codes not listed mean AuthenticationError",
        {"code": "$.code", "message": "$.msg", "codes": {"60006": "TimestampError"}},
        None,
    )

    @model_validator(mode="after")
    def _awaits_what_it_sends(self) -> Greet:
        if self.recipe is not None and self.send is None:
            raise ValueError("'recipe' signs what is sent: add 'send'")
        if self.failed is not None and (self.send is None or self.expect is None):
            raise ValueError("'failed' is the other answer to 'send': say what is sent, and how the yes looks, by 'expect'")
        if self.errors is not None and self.failed is None:
            raise ValueError("'errors' are read of a no: say by 'failed' how one looks")
        return self


class Keep(Node):
    """What keeps a bootstrapped value alive."""

    operation: Name = key("The REST operation that does; the values are holes of it", "keep_listen_key")
    every: Seconds = key("How often it is called while the connection lives", "30m")


class Bootstrap(Node):
    """A REST call that comes before every connecting, and what it gives: a listen key, a token, the endpoint itself."""

    operation: Name = key("The REST operation", "listen_key")
    take: Annotated[dict[Name, Path], Field(min_length=1)] = key(
        "Name -> where the answer has it: a hole of the connection's URL, of `greet` and of `subscribe`", {"listen_key": "$.listenKey"}
    )
    keep: Keep | None = key(
        "What keeps it alive; where that fails a new connection is made", {"operation": "keep_listen_key", "every": "30m"}, None
    )


class Role(Node):
    """A message that carries no data."""

    match: Conditions = key("The message is one when this holds", {"$.event": "info"})
    role: Literal["heartbeat", "ack", "error", "notice", "ignored"] = key("What it is", "notice")
    reason: str | None = key("Why it is ignored", "repeats 'te' one second later", None)
    reconnect: Flag = key("The venue announces a restart: reconnect", True, False)


class Route(Node):
    """Streams told apart by a value learned from their ack."""

    by: Path = key("Where a data message has it", "$[0]")
    learned: Name = key("The learned value", "channel")


def _whole_unless_like(schema: dict[str, Any]) -> None:
    """For editors: where `like` brings the rest, no key is required, and any may be null."""
    required, properties = schema.pop("required"), schema["properties"]
    schema |= {"if": {"not": {"required": ["like"]}}, "then": {"required": required}}
    for name in (name for name, one in properties.items() if "anyOf" not in one):
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}


class Connection(Node):
    """One WebSocket endpoint and its rules.

    With `like`, the keys not given here are those of the named connection, and `null` takes one away.
    """

    model_config = ConfigDict(json_schema_extra=_whole_unless_like)

    docs: str | None = key("The venue's page for it", "https://www.okx.com/docs-v5/en/#overview-websocket", None)
    like: Name | None = key("The rules of this connection, but for what is said here", "public", None)
    payload: Path | None = key("Where the message is, when it comes wrapped; a frame without it is the message itself", "$.data", None)
    bootstrap: Bootstrap | None = key(
        "A REST call before every connecting", {"operation": "listen_key", "take": {"listen_key": "$.listenKey"}}, None
    )
    greet: Greet | None = key("What must be sent or arrive first", {"expect": {"$.type": "welcome"}}, None)
    keepalive: Keepalive = key("Pings in either direction", {"send": "ping", "expect": "pong", "every": "25s"}, Keepalive())
    subscribe: Verb = key(
        "How to ask for topics; `implied`: everything comes by itself", {"send": {"op": "subscribe", "args": "{{ topics }}"}}
    )
    unsubscribe: Verb = key("How to end them; `implied`: only with the connection", {"send": {"op": "unsubscribe", "args": "{{ topics }}"}})
    route: Route | None = key("Streams told apart by a learned value", {"by": "$[0]", "learned": "channel"}, None)
    roles: dict[Name, Role] = key(
        "Messages that carry no data, by a name of your own", {"info": {"match": {"$.event": "info"}, "role": "notice"}}, {}
    )
    sequence: Annotated[list[Path], BeforeValidator(as_list, json_schema_input_type=str | list[str])] | None = key(
        "A number that grows by one with every frame of the connection; the first of several paths that holds an integer", "$[2]", None
    )
    lifetime: Seconds | None = key("The venue ends a connection after so long", "24h", None)
    max_topics: Count | None = key("Topics on one connection", 240, None)
    topics_per_message: Count | None = key("Topics in one subscribe message", 100, None)
    max_message_bytes: Count | None = key("Bytes of one message sent", 65536, None)
    messages_per: Window | None = key("Messages the client may send", {"rate": "5", "per": "1s"}, None)
    connects_per: Window | None = key("Connection attempts per IP", {"rate": "300", "per": "5m"}, None)


class Also(Mapping):
    """A further message of the same subscription, with its own `match`; keys not given are the channel's."""

    match: Conditions = key("The message is this one when this holds", {"$[1][0]": {"is": "array"}})
    role: Literal["data", "ignored"] = key("`ignored`: carries nothing new", "ignored", "data")
    reason: str | None = key("Why it is ignored", "repeats 'te' one second later", None)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Also:
        if self.role == "ignored" and self.like is not None:
            raise ValueError("an ignored message is read by no mapping: remove 'like'")
        return self


class Channel(Mapping):
    """One kind of subscription and its messages."""

    docs: str | None = key(
        "The venue's page for it", "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-trades-channel", None
    )
    on: Name | dict[Name, Name] = key(
        "The connection it lives on, or category -> connection where the product lines have their own", "public"
    )
    topic: Tree = key("What subscribes it: a text or structure with holes", {"channel": "trades", "instId": "{{ id }}"})
    match: Conditions = key("A message belongs to it when this holds", {"$.arg.channel": "trades"})
    params: dict[str, Param] = key(
        "Bounds and defaults of unified parameters", {"depth": {"default": "25", "values": ["1", "25", "100"]}}, {}
    )
    stream: Name | None = key("The unified stream it serves, if not its own name", "order_book", None)
    depth: Count | None = key("Book levels it carries; the smallest that holds the request is chosen", 5, None)
    kinds: list[Literal["spot", "perpetual", "future", "option"]] | None = key("Only for instruments of these kinds", ["perpetual"], None)
    sync: Sync | None = key("How the book starts: from the stream, from REST, or anew with each message", "stream", None)
    expect_every: Seconds | None = key(
        "Data, or a heartbeat of the subscription, is overdue after so long; none: sparse, silence means nothing", "30s", None
    )
    backfill: Name | None = key(
        "The REST operation that returns the same trades under the same ids: fills what a reconnect missed", "trades", None
    )
    also: list[Also] = key(
        "Further messages of the same subscription", [{"match": {"$[1]": "tu"}, "role": "ignored", "reason": "repeats te"}], []
    )

    @property
    def connections(self) -> dict[str | None, str]:
        """Category -> connection; None: whatever the category."""
        return {None: self.on} if isinstance(self.on, str) else dict(self.on.items())


class WebSocket(Node):
    """All that streams."""

    connections: Annotated[dict[Name, Connection], Field(min_length=1)] = key(
        "Name -> endpoint and its rules (hosts: `environments`)", {"public": {}}
    )
    channels: dict[Name, Channel] = key("Name -> subscription; unified stream names where there is one", {"trades": {}})
