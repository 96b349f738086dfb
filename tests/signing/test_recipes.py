"""What a recipe does with a request, beyond what venues here need."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.http_request import FORM_BODY, HttpRequest, pairs_of
from cexspec.compile.recipe import Moment
from cexspec.models import AuthenticationError, Credentials, NotSupported
from cexspec.spec.load import load
from tests.signing import keys

MOMENT = Moment(1_700_000_000_123_456_789, 42, 5000)
BASE = "https://api.example.com/v1/"
SPEC = """
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com/docs
environments: {live: {rest: https://api.example.com/v1}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDT: BTC-USDT}}
errors: {code: $.code, message: $.msg}
rest:
  server_time: {get: /time, ignored: nothing is read}
auth:
  docs: https://example.com/docs/auth
  credentials: {api_key: {}, api_secret: {}, passphrase: {optional: true}, account: {public: true, optional: true, docs: its number}}
  recipes:
    rest:
"""


def exchange(recipe: str, tmp_path: Path) -> Exchange:
    path = tmp_path / "demo.yaml"
    path.write_text(SPEC + "".join(f"      {line}\n" for line in recipe.strip().split("\n")), encoding="utf-8")
    return Exchange(load(path))


def sign(recipe: str, tmp_path: Path, request: HttpRequest, **credentials: str) -> Any:
    who = Credentials({"api_key": "k", "api_secret": "s", **credentials})
    return exchange(recipe, tmp_path).recipe("rest").sign(request, BASE, who, MOMENT)


SHA = 'signature: {of: "%s", digest: sha256, encode: hex}'

PREHASHES = [
    ("{{ method }} {{ host }} {{ path }}", HttpRequest("GET", "/a"), "GET api.example.com /v1/a"),
    ("{{ host }}{{ path }}", HttpRequest("GET", "https://other.example.com/b/"), "other.example.com/b/"),
    ("{{ target }}", HttpRequest("GET", "/a"), "/v1/a"),
    ("{{ target }}", HttpRequest("GET", "/a", "x=1%202"), "/v1/a?x=1%202"),
    ("{{ raw_target }}", HttpRequest("GET", "/a", "x=1%202"), "/v1/a?x=1 2"),
    ("{{ raw_target }}{{ raw_query }}", HttpRequest("GET", "/a"), "/v1/a"),
    ("{{ query }}", HttpRequest("POST", "/a", "x=1", b"{}"), "x=1"),
    ("{{ params }}{{ body }}", HttpRequest("POST", "/a", "x=1", b"{}"), "x=1{}"),
    ("{{ params }}|{{ body }}", HttpRequest("POST", "/a", form="x=%C3%A9"), "x=%C3%A9|x=%C3%A9"),
    ("{{ now | s }} {{ now | us }} {{ nonce }} {{ recv_window }}", HttpRequest("GET", "/a"), "1700000000 1700000000123456 42 5000"),
]


@pytest.mark.parametrize(("of", "request_", "prehash"), PREHASHES)
def test_parts_of_a_request_are_signed_as_it_is_sent(of: str, request_: HttpRequest, prehash: str, tmp_path: Path) -> None:
    signed = sign(SHA % of, tmp_path, request_)
    assert signed.prehash == prehash
    assert len(signed.signature) == 64


ADDED = 'add: {a: "{{ nonce }}"}\nappend: {z: "{{ api_key }}"}\nsignature: {of: "{{ params }}", digest: sha256, encode: hex}\n'
LAST = 'sign_into: {sig: "{{ signature }}"}\n'

PLACES = [
    ("", HttpRequest("GET", "/a", "m=1"), "query", ["a", "m", "z", "sig"]),
    ("", HttpRequest("DELETE", "/a"), "query", ["a", "z", "sig"]),
    ("", HttpRequest("POST", "/a"), "form", ["a", "z", "sig"]),
    ("", HttpRequest("POST", "/a", form="m=1"), "form", ["a", "m", "z", "sig"]),
    ("", HttpRequest("PUT", "/a", "m=1"), "query", ["a", "m", "z", "sig"]),
    ("", HttpRequest("POST", "/a", body=b'{"m":1}'), "query", ["a", "z", "sig"]),
    ("into: query\n", HttpRequest("POST", "/a", form="m=1"), "query", ["a", "z", "sig"]),
    ("sort: true\n", HttpRequest("GET", "/a", "zz=1&m=1"), "query", ["a", "m", "z", "zz", "sig"]),
]


@pytest.mark.parametrize(("more", "request_", "place", "names"), PLACES)
def test_parameters_go_where_the_requests_own_are(more: str, request_: HttpRequest, place: str, names: list[str], tmp_path: Path) -> None:
    signed = sign(ADDED + LAST + more, tmp_path, request_).request
    assert [name for name, _ in pairs_of(getattr(signed, place))] == names
    assert (FORM_BODY in signed.headers) == bool(signed.form)


def test_parameters_may_go_into_the_json(tmp_path: Path) -> None:
    recipe = ADDED.replace("{{ params }}", "{{ body }}") + LAST + "into: body\n"
    signed = sign(recipe, tmp_path, HttpRequest("POST", "/a", body=b'{"m": 1.50}'))
    assert signed.prehash == '{"a":"42","m":1.50,"z":"k"}'
    assert signed.request.body == f'{{"a":"42","m":1.50,"z":"k","sig":"{signed.signature}"}}'.encode()
    assert sign(recipe, tmp_path, HttpRequest("POST", "/a")).prehash == '{"a":"42","z":"k"}'


def test_a_request_keeps_the_headers_that_it_has(tmp_path: Path) -> None:
    recipe = 'headers: {Content-Type: text/plain, X-KEY: "{{ api_key }}"}'
    own = HttpRequest("POST", "/a", body=b"{}", headers=(("content-type", "application/json"),))
    assert sign(recipe, tmp_path, own).request.headers == (("content-type", "application/json"), ("X-KEY", "k"))
    assert sign(recipe, tmp_path, HttpRequest("POST", "/a", form="x=1")).request.headers[0] == ("Content-Type", "text/plain")
    assert sign(recipe, tmp_path, own).prehash == sign(recipe, tmp_path, own).signature == ""


OPTIONAL = """
add: {account: "{{ account }}"}
values:
  phrase: {of: "{{ passphrase }}", digest: hmac-sha256, key: api_secret, encode: hex}
  more: {of: "{{ phrase }}", digest: hmac-sha256, key: passphrase, encode: hex}
signature: {of: "{{ query }}", digest: hmac-sha256, key: api_secret, encode: hex}
headers: {X-PHRASE: "{{ phrase }}", X-MORE: "{{ more }}", X-SIGN: "{{ signature }}"}
sign_into: {account_too: "{{ account }}"}
"""


def test_what_needs_an_optional_credential_is_left_out_without_it(tmp_path: Path) -> None:
    signed = sign(OPTIONAL, tmp_path, HttpRequest("GET", "/a")).request
    assert [name for name, _ in signed.headers] == ["X-SIGN"]
    assert signed.query == ""
    whole = sign(OPTIONAL, tmp_path, HttpRequest("GET", "/a"), passphrase="p", account="7").request
    assert [name for name, _ in whole.headers] == ["X-PHRASE", "X-MORE", "X-SIGN"]
    assert whole.query == "account=7&account_too=7"


DIGESTS = [
    ("md5", None, "hex", "7b0a3ff53b15c9ce5a2d80d6d2a0ae2b"),
    ("sha384", None, "base64", None),
    ("hmac-md5", "{of: api_secret, decode: hex}", "hex", None),
    ("hmac-sha384", "{of: api_secret, decode: hex}", "base64url", None),
]


@pytest.mark.parametrize(("digest", "key", "encode", "expected"), DIGESTS)
def test_every_digest_and_encoding(digest: str, key: str | None, encode: str, expected: str | None, tmp_path: Path) -> None:
    import base64
    import hashlib
    import hmac

    keyed = f", key: {key}" if key else ""
    found = sign(
        f'signature: {{of: "text", digest: {digest}{keyed}, encode: {encode}}}', tmp_path, HttpRequest("GET", "/"), api_secret="00ff"
    )
    name = digest.removeprefix("hmac-")
    raw = hmac.digest(b"\x00\xff", b"text", name) if key else hashlib.new(name, b"text").digest()
    written = {"hex": raw.hex(), "base64": base64.b64encode(raw).decode(), "base64url": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}
    assert found.signature == written[encode]


def test_bytes_that_are_no_text_are_shown_escaped(tmp_path: Path) -> None:
    recipe = """
values: {hash: {of: "x", digest: sha256, encode: raw}}
signature: {of: ["{{ path }}", "{{ hash }}"], digest: sha256, encode: hex}
"""
    assert sign(recipe, tmp_path, HttpRequest("GET", "/")).prehash.startswith("/v1/-q\x16B\\xb7&")


BY_KEY = """
signature:
  of: "{{ path }}"
  key: api_secret
  by_key:
    %s
"""
TEXT, RSA, ED, EC = (
    "text: {digest: hmac-sha256, encode: hex}",
    "rsa: {digest: rsa-sha256, encode: base64}",
    "ed25519: {digest: ed25519, encode: base64}",
    "ec: {digest: ecdsa-sha256, encode: base64}",
)

REFUSED = [
    ((RSA,), keys.EC, "the credential 'api_secret' is a PEM private key of an elliptic curve, and has to be a PEM private key of RSA"),
    ((RSA, EC), "unkept", "the credential 'api_secret' is plain text, and has to be"),
    ((TEXT, RSA), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "no readable PEM private key"),
    ((ED,), "x" * 43 + "!", "the credential 'api_secret' is plain text"),
    ((ED,), keys.X25519, "of a kind that no recipe uses"),
]


@pytest.mark.parametrize(("ways", "secret", "reason"), REFUSED)
def test_a_key_of_another_kind_is_refused_by_name(ways: tuple[str, ...], secret: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match=reason) as caught:
        sign(BY_KEY % "\n    ".join(ways), tmp_path, HttpRequest("GET", "/"), api_secret=secret)
    assert caught.value.exchange == "demo"
    assert secret not in str(caught.value)


TAKEN = [((TEXT, RSA, ED), "plain text"), ((TEXT, RSA), keys.ED25519_BASE64), ((TEXT, ED), keys.ED25519_BASE64), ((EC,), keys.SECP384R1)]


@pytest.mark.parametrize(("ways", "secret"), TAKEN)
def test_keys_are_told_apart_by_what_they_look_like(ways: tuple[str, ...], secret: str, tmp_path: Path) -> None:
    assert sign(BY_KEY % "\n    ".join(ways), tmp_path, HttpRequest("GET", "/"), api_secret=secret).signature


@pytest.mark.parametrize("decode", ["base64", "hex"])
def test_a_secret_written_otherwise_is_refused_without_showing_it(decode: str, tmp_path: Path) -> None:
    recipe = f'signature: {{of: "x", digest: hmac-sha256, key: {{of: api_secret, decode: {decode}}}, encode: hex}}'
    with pytest.raises(AuthenticationError, match=f"'api_secret' is not written in {decode}") as caught:
        sign(recipe, tmp_path, HttpRequest("GET", "/"), api_secret="not written so!")
    assert "not written so" not in str(caught.value)


def test_a_missing_credential_is_named(tmp_path: Path) -> None:
    recipe = exchange('headers: {X-KEY: "{{ api_key }}"}', tmp_path).recipe("rest")
    assert recipe.needs == {"api_key"}
    with pytest.raises(AuthenticationError, match="the recipe 'rest' needs api_key"):
        recipe.sign(HttpRequest("GET", "/"), BASE, Credentials(), MOMENT)


def test_keys_are_read_once_for_an_account_and_anew_for_another(tmp_path: Path) -> None:
    recipe = exchange('signature: {of: "x", digest: hmac-sha256, key: api_secret, encode: hex}', tmp_path).recipe("rest")
    first, second = (Credentials({"api_key": "k", "api_secret": secret}) for secret in ("1", "2"))
    signatures = [recipe.sign(HttpRequest("GET", "/"), BASE, who, MOMENT).signature for who in (first, first, second, first)]
    assert signatures[0] == signatures[1] == signatures[3] != signatures[2]


def test_the_section_is_told(tmp_path: Path) -> None:
    plan = exchange('headers: {X-KEY: "{{ api_key }}"}', tmp_path)
    assert {name: (one.public, one.optional, one.docs) for name, one in plan.credentials.items()} == {
        "api_key": (False, False, None),
        "api_secret": (False, False, None),
        "passphrase": (False, True, None),
        "account": (True, True, "its number"),
    }
    assert plan.recv_window == 5000
    assert plan.recipe("rest").docs == "https://example.com/docs/auth"
    assert plan.recipe("rest") is plan.recipe("rest")
    with pytest.raises(NotSupported, match="demo declares no recipe 'login'"):
        plan.recipe("login")


def test_a_public_exchange_has_no_credentials(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(SPEC[: SPEC.index("auth:")], encoding="utf-8")
    plan = Exchange(load(path))
    assert (dict(plan.credentials), plan.recv_window, plan.recipe_names) == ({}, 0, ())


def test_signed_requests_show_no_values(tmp_path: Path) -> None:
    recipe = 'signature: {of: "{{ path }}{{ api_key }}", digest: hmac-sha256, key: api_secret, encode: hex}\n' + (
        'headers: {X-KEY: "{{ api_key }}"}\nsign_into: {s: "{{ signature }}"}'
    )
    signed = sign(recipe, tmp_path, HttpRequest("GET", "/"), api_key="shown-nowhere", api_secret="neither-this")
    for secret in ("shown-nowhere", "neither-this", signed.signature):
        assert secret not in repr(signed)


def test_a_hook_signs_the_body(tmp_path: Path) -> None:
    plan = exchange("hook: hyperliquid", tmp_path)
    who = Credentials({"private_key": "11" * 32, "wallet_address": "0x" + "ab" * 20})
    signed = plan.recipe("rest").sign(HttpRequest("POST", "/exchange", body=b'{"type":"noop"}'), BASE, who, MOMENT)
    body = json.loads(signed.request.body or b"")
    assert list(body) == ["action", "nonce", "signature"] and body["nonce"] == MOMENT.nonce
    assert signed.signature.startswith(body["signature"]["r"]) and len(signed.prehash) == 64
    assert plan.recipe("rest").values(who, MOMENT, {"more": "1"}) == {"user": "0x" + "ab" * 20, "more": "1"}
    with pytest.raises(AuthenticationError, match="demo: credential 'private_key' is no private key"):
        plan.recipe("rest").sign(
            HttpRequest("POST", "/exchange", body=b'{"type":"noop"}'), BASE, Credentials({"private_key": "0x1"}), MOMENT
        )


def test_credentials_that_follow_from_others_are_added_to_them(tmp_path: Path) -> None:
    plan = exchange("hook: hyperliquid", tmp_path)
    assert dict(plan.completed(Credentials({"wallet_address": "0x" + "AB" * 20})))["user"] == "0x" + "ab" * 20
    given = Credentials({"wallet_address": "0x" + "ab" * 20, "user": "0x" + "cd" * 20})
    assert dict(plan.completed(given)) == dict(given)
    with pytest.raises(AuthenticationError, match="demo: credential 'wallet_address' is no address"):
        plan.completed(Credentials({"wallet_address": "0x1"}))


def test_without_a_hook_credentials_are_what_they_are(tmp_path: Path) -> None:
    given = Credentials({"api_key": "k"})
    assert exchange(SHA % "{{ body }}", tmp_path).completed(given) is given


def test_recipes_tell_what_they_offer(tmp_path: Path) -> None:
    plan = exchange(
        'given: [channel]\nexpires: 1m\nsignature: {of: "{{ channel }}{{ expires | s }}", digest: sha256, encode: hex}', tmp_path
    )
    recipe = plan.recipe("rest")
    assert recipe.offers >= {"channel", "expires", "now", "signature", "api_key"}
    assert recipe.given == {"channel"}
    assert not recipe.of_requests
    values = recipe.values(Credentials({"api_key": "k"}), MOMENT, {"channel": "orders"})
    assert values["prehash"] == "orders1700000060"
    assert exchange(SHA % "{{ body }}", tmp_path).recipe("rest").of_requests
    with pytest.raises(TypeError):
        pickle.dumps(Credentials({"api_key": "k"}))


def test_a_message_is_signed_by_what_it_brings_along(tmp_path: Path) -> None:
    import hashlib
    import hmac

    recipe = """
given: [topic]
values: {hash: {of: ["{{ topic }}", "{{ nonce }}"], digest: sha256, encode: raw}}
signature: {of: ["{{ api_key }}", "{{ hash }}"], digest: hmac-sha256, key: api_secret, encode: hex}
"""
    plan, who = exchange(recipe, tmp_path).recipe("rest"), Credentials({"api_key": "k", "api_secret": "s"})
    values = plan.values(who, MOMENT, {"topic": "orders", "api_key": "another", "more": 1})
    digest = hashlib.sha256(b"orders42").digest()
    assert values["signature"] == hmac.digest(b"s", b"k" + digest, "sha256").hex()
    assert (values["hash"], values["api_key"], values["topic"], values["more"], values["nonce"]) == (digest, "k", "orders", 1, 42)
    assert plan.values(who, MOMENT, {"topic": "fills"})["signature"] != values["signature"]
    with pytest.raises(KeyError, match="topic"):
        plan.values(who, MOMENT, {})


def test_a_long_key_is_digested_first(tmp_path: Path) -> None:
    import hmac

    recipe = 'signature: {of: "{{ nonce }}", digest: hmac-sha512, key: api_secret, encode: hex}\nsign_into: {s: "{{ signature }}"}'
    for secret in ("k" * 128, "k" * 129):
        signed = sign(recipe, tmp_path, HttpRequest("GET", "/a"), api_secret=secret)
        assert signed.signature == hmac.digest(secret.encode(), b"42", "sha512").hex()
