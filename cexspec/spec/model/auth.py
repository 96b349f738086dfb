"""Signing: what a venue gives its customers, and the recipes by which requests and messages prove to be theirs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.node import Flag, Name, Node, Seconds, Template, Tree, key

DigestName = Literal[
    "sha256", "sha384", "sha512", "md5",
    "hmac-md5", "hmac-sha256", "hmac-sha384", "hmac-sha512",
    "rsa-sha256", "ed25519", "ecdsa-sha256",
]  # fmt: skip
Encoding = Literal["hex", "base64", "base64url", "raw"]
KeyKind = Literal["text", "rsa", "ec", "ed25519"]


class Credential(Node):
    """One thing that the venue gives to who may call it. Secret, unless it is `public`."""

    docs: str | None = key("Where it is got, or what it is", "https://www.okx.com/account/my-api", None)
    public: Flag = key("No secret: an address, the number of an account", True, False)
    optional: Flag = key("Needed of some keys only; a hole of it is empty then", True, False)


class KeyOf(Node):
    """The key of a digest. Plain text is short for a credential taken as it is."""

    of: Name = key("The credential", "api_secret")
    decode: Literal["text", "base64", "hex"] = key("How the credential writes the bytes of the key", "base64", "text")


def _key_of(value: Any) -> Any:
    return {"of": value} if isinstance(value, str) else value


_OF = (
    "A text with holes; a list of them, whose bytes are joined; or a mapping, which becomes JSON without blanks",
    "{{ now | iso }}{{ method }}{{ target }}{{ body }}",
)
_DIGEST = ("The hash or signature of its bytes; none: the bytes themselves", "hmac-sha256")
_ENCODE = ("How bytes are written; `raw` ones may be parts of a list in `of`, and nothing else", "base64")


class Step(Node):
    """What is different where the key is of another kind."""

    of: Tree = key(*_OF, None)
    digest: DigestName | None = key(*_DIGEST, None)
    encode: Encoding | None = key(*_ENCODE, None)


class Value(Node):
    """A value of a recipe: `of` something the `digest`, made with `key` and written in `encode`."""

    of: Tree = key(*_OF, None)
    digest: DigestName | None = key(*_DIGEST, None)
    key_: Annotated[KeyOf, BeforeValidator(_key_of, json_schema_input_type=str | KeyOf)] | None = key(
        "What it is digested with", "api_secret", None, alias="key"
    )
    encode: Encoding | None = key(*_ENCODE, None)
    by_key: Annotated[dict[KeyKind, Step], Field(min_length=1)] | None = key(
        "Kind of the key (a PEM private key of RSA or of an elliptic curve, an Ed25519 key in PEM or base64, or any other text) -> "
        "what is done with such a one; keys not given are as said beside it",
        {"text": {"digest": "hmac-sha256", "encode": "hex"}, "ed25519": {"digest": "ed25519", "encode": "base64"}},
        None,
    )

    @model_validator(mode="after")
    def _keyed(self) -> Value:
        if self.by_key is not None and self.key_ is None:
            raise ValueError("'by_key' goes by the kind of the 'key': say which credential that is")
        for step in (self.by_key or {"text": Step()}).values():
            if self.of is None and step.of is None:
                raise ValueError("say what it is made 'of'")
            if (self.digest or step.digest) is not None and (self.encode or step.encode) is None:
                raise ValueError("say how the bytes of the digest are written: 'encode'")
        return self


class Recipe(Node):
    """How a request or a message is signed. Without a `signature` it only adds what it says.

    Holes: the credentials, `now`, `expires`, `nonce`, `recv_window` (milliseconds), the request's `method`, `host`, `path`, `query`,
    `target` (path and query), `body` (as sent, a form too) and `params` (the form, or the query where there is none), the values before
    it, `signature`, and what a message brings along by `given`.
    """

    docs: str | None = key("The venue's page for it", "https://www.okx.com/docs-v5/en/#overview-rest-authentication", None)
    given: list[Name] = key("Holes that the message fills which is signed", ["channel"], [])
    expires: Seconds | None = key("The hole `expires` is so long after now", "10s", None)
    add: dict[str, Template] = key("Parameters put before the request's own", {"timestamp": "{{ now | ms }}"}, {})
    append: dict[str, Template] = key("Parameters put behind them", {"recvWindow": "{{ recv_window }}"}, {})
    into: Literal["params", "query", "body"] = key(
        "Where added parameters go: to the request's own (form, else query; of one without any to the form, but for GET and DELETE), "
        "always to the query, or to the JSON body",
        "query",
        "params",
    )
    sort: Flag = key("Parameters, own and added ones, are sorted by name", True, False)
    values: dict[Name, Value] = key(
        "Further values by name, in order",
        {"body_hash": {"of": "{{ body }}", "digest": "sha512", "encode": "hex"}},
        {},
    )
    signature: Value | None = key(
        "The signature",
        {"of": "{{ now | ms }}{{ method }}{{ target }}{{ body }}", "digest": "hmac-sha256", "key": "api_secret", "encode": "base64"},
        None,
    )
    hook: Name | None = key("A hook that signs instead", "hyperliquid", None)
    headers: dict[str, Template] = key("Headers", {"OK-ACCESS-SIGN": "{{ signature }}"}, {})
    sign_into: dict[str, Template] = key("Parameters put last, once signed", {"signature": "{{ signature }}"}, {})

    @model_validator(mode="after")
    def _one_signature(self) -> Recipe:
        if self.hook is not None and self.model_fields_set - {"hook", "docs"}:
            raise ValueError("a hook signs all by itself: keep 'hook' (and 'docs') alone")
        return self


class Auth(Node):
    """What private calls and streams need."""

    docs: str | None = key("The venue's page for it", "https://www.okx.com/docs-v5/en/#overview-rest-authentication", None)
    credentials: Annotated[dict[Name, Credential], Field(min_length=1)] = key(
        "Name -> what the venue gives", {"api_key": {}, "api_secret": {}}
    )
    recv_window: Seconds = key("How old a request may be when it arrives, where the client says nothing else", "5s", 5.0)
    recipes: Annotated[dict[Name, Recipe], Field(min_length=1)] = key(
        "Name -> how it is signed", {"rest": {"headers": {"X-API-KEY": "{{ api_key }}"}}}
    )
