"""Cassettes of what is private: whose credentials signed it is in none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.compile.exchange import compile_exchange
from cexspec.mock.signatures import credentials_of
from cexspec.spec.load import shipped
from tests.cassettes.customer import strangers
from tools.cassettes.folder import LEFT_OUT, present, private_channels, private_operations, rest_path, ws_path
from tools.cassettes.masking import secret, signed_members

CASSETTES = Path(__file__).parents[2] / "cassettes"


@pytest.mark.parametrize("exchange", shipped())
def test_no_credential_is_in_a_cassette(exchange: str) -> None:
    plan = compile_exchange(exchange)
    used = secret(plan, credentials_of(plan))
    texts = {path.name: path.read_text(encoding="utf-8") for path in present(CASSETTES, exchange)}
    assert len(used) > 0
    assert [name for name, text in texts.items() if used.masked(text) != text] == []


@pytest.mark.parametrize("exchange", shipped())
def test_what_is_private_is_recorded(exchange: str) -> None:
    plan = compile_exchange(exchange)
    operations, channels = private_operations(plan), private_channels(plan)
    assert len(operations) > 5
    files = [rest_path(CASSETTES, exchange, name) for name in operations] + [ws_path(CASSETTES, exchange, name) for name in channels]
    assert [path for path in files if not path.is_file()] == []


def test_what_is_left_out_exists_and_says_why() -> None:
    for (exchange, kind, name), reason in LEFT_OUT.items():
        plan = compile_exchange(exchange)
        assert name in (plan.operation_names if kind == "rest" else plan.channel_names)
        assert len(reason) > 20


@pytest.mark.parametrize("exchange", shipped())
def test_replays_have_credentials_of_another_account(exchange: str) -> None:
    plan = compile_exchange(exchange)
    used, others = secret(plan, credentials_of(plan)), strangers(plan)
    assert all(others[name] != value for name, value in used.items())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "https://api.example.com/order?timestamp=17&symbol=BTC&recvWindow=5000",
            "https://api.example.com/order?timestamp=***&symbol=BTC&recvWindow=5000",
        ),
        ("nonce=17&pair=XBTUSD", "nonce=***&pair=XBTUSD"),
        ('{"nonce":17,"announced":17}', '{"nonce":"***","announced":17}'),
        ('{"nonce": "17"}', '{"nonce": "***"}'),
    ],
)
def test_what_signing_puts_in_is_masked_and_nothing_else(text: str, masked: str) -> None:
    assert signed_members(["nonce", "timestamp"])(text) == masked


def test_who_signs_nothing_has_nothing_masked() -> None:
    assert signed_members([])("nonce=17") == "nonce=17"
