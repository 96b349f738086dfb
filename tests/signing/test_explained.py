"""`explain` shows how a private operation is signed, with the lines that say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.compile.explanation.signing import signing
from cexspec.compile.explanation.text import Lines
from cexspec.spec.load import load
from tests.signing.rivals import ours
from tests.signing.test_recipes import SPEC


def section(exchange: Exchange, name: str) -> list[str]:
    blocks = explain(exchange, name).split("\n\n")
    found = [block for block in blocks if block.startswith("signing\n")]
    return [" ".join(line.split()) for block in found for line in block.split("\n")[1:]]


SHOWN = [
    ("kraken", "before nonce = {{ nonce }}"),
    ("kraken", "into where the request has its own"),
    ("kraken", "hash {{ nonce }}{{ body }}, sha256, in raw"),
    ("kraken", "signature [{{ path }}, {{ hash }}], hmac-sha512 with api_secret, read as base64, in base64"),
    ("binance", "behind recvWindow = {{ recv_window }}"),
    ("binance", "signature of a key that is ed25519: {{ params }}, ed25519 with api_secret, in base64"),
    ("binance", "last signature = {{ signature }}"),
    ("htx", "sorted by name"),
    ("htx", "into into the query"),
    ("htx", r"signature {{ method }}\n{{ host }}\n{{ path }}\n{{ query }}, hmac-sha256 with api_secret, in base64"),
    ("coinbase_advanced", "expires 2 min after now"),
    ("coinbase_advanced", "algorithm of a key that is ec: ES256"),
    ("okx", "header OK-ACCESS-KEY: {{ api_key }}"),
    ("okx", "needs api_key, api_secret, passphrase"),
]


@pytest.mark.parametrize(("exchange", "row"), SHOWN)
def test_a_recipe_is_shown_row_by_row(exchange: str, row: str) -> None:
    plan = ours(exchange)
    (found,) = signing(plan, "rest", Lines(plan))
    assert row in [f"{label} {text}" for label, text, _ in found.rows]


def test_the_section_stands_in_what_is_told_of_an_operation() -> None:
    assert any(line.startswith("recipe rest (line ") for line in section(ours("gate"), "balances"))


def test_a_public_operation_has_no_such_section() -> None:
    assert section(ours("kraken"), "ticker") == []


def test_a_hook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    signed = SPEC.replace("ignored: nothing is read", "ignored: nothing is read, auth: rest")
    path.write_text(signed + "      hook: hyperliquid\n", encoding="utf-8")
    assert any(line.startswith("hook hyperliquid") for line in section(Exchange(load(path)), "server_time"))
