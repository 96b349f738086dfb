"""Where credentials come from, and what is said when they are not there."""

from __future__ import annotations

import sys

import pytest

from cexspec.credentials import SERVICE, credentials_from_env, credentials_from_keyring, default_prefix
from cexspec.models import AuthenticationError

NAMES = ["api_key", "api_secret", "passphrase"]
PEM = "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n"

FOUND = [
    ("OKX", {"OKX_API_KEY": "k", "OKX_API_SECRET": "s", "OKX_PASSPHRASE": "p"}),
    ("OKX", {"OKX_KEY": "k", "OKX_SECRET": "s", "OKX_PASSWORD": "p"}),
    ("OKX_", {"OKX_API_KEY": "k", "OKX_KEY": "other", "OKX_SECRET": "s", "OKX_PASSPHRASE": "p", "OKX_PASSWORD": "other"}),
    ("MY", {"MY_API_KEY": "", "MY_KEY": "k", "MY_SECRET": "s", "MY_PASSPHRASE": "p", "OKX_API_KEY": "other"}),
]


@pytest.mark.parametrize(("prefix", "environ"), FOUND)
def test_variables_begin_with_the_prefix(prefix: str, environ: dict[str, str]) -> None:
    assert dict(credentials_from_env(prefix, NAMES, environ)) == {"api_key": "k", "api_secret": "s", "passphrase": "p"}


def test_the_process_has_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_KEY", "k")
    assert dict(credentials_from_env("OKX", ["api_key"])) == {"api_key": "k"}


def test_everything_that_is_missing_is_named_and_no_value() -> None:
    with pytest.raises(AuthenticationError) as raised:
        credentials_from_env("OKX", NAMES, {"OKX_SECRET": "planted"})
    assert "OKX_API_KEY or OKX_KEY, OKX_PASSPHRASE or OKX_PASSWORD" in str(raised.value)
    assert "planted" not in str(raised.value)


def test_optional_ones_may_be_missing() -> None:
    assert list(credentials_from_env("OKX", NAMES, {"OKX_KEY": "k", "OKX_SECRET": "s"}, optional={"passphrase"})) == NAMES[:2]


def test_a_pem_key_may_stand_on_one_line() -> None:
    environ = {"X_API_KEY": "a\\nb", "X_API_SECRET": PEM.replace("\n", "\\n")}
    assert dict(credentials_from_env("X", NAMES[:2], environ)) == {"api_key": "a\\nb", "api_secret": PEM}


@pytest.mark.parametrize(("exchange", "prefix"), [("okx", "OKX"), ("binance_usdm", "BINANCE_USDM"), ("my-venue", "MY_VENUE")])
def test_the_prefix_is_the_exchanges_id(exchange: str, prefix: str) -> None:
    assert default_prefix(exchange) == prefix


class Ring:
    """A keyring that holds these; `broken`: that can't be opened."""

    def __init__(self, kept: dict[str, str], *, broken: bool = False) -> None:
        self._kept, self._broken = kept, broken

    def get_password(self, service: str, username: str) -> str | None:
        if self._broken:
            raise OSError("planted")
        assert service == SERVICE
        return self._kept.get(username)


def test_the_keyring_knows_credentials_by_exchange_and_name() -> None:
    ring = Ring({"okx.api_key": "k", "okx.api_secret": "s", "okx.passphrase": "p", "bybit.api_key": "other"})
    assert dict(credentials_from_keyring("okx", NAMES, ring)) == {"api_key": "k", "api_secret": "s", "passphrase": "p"}
    assert dict(credentials_from_keyring("bybit", NAMES, ring, optional=NAMES)) == {"api_key": "other"}


def test_what_the_keyring_lacks_is_named_with_the_way_to_put_it_there() -> None:
    with pytest.raises(AuthenticationError) as raised:
        credentials_from_keyring("okx", NAMES, Ring({"okx.api_key": "planted"}))
    assert "api_secret, passphrase (put there by `keyring set cexspec okx.api_secret`)" in str(raised.value)
    assert "planted" not in str(raised.value)


def test_a_keyring_that_cannot_be_read_says_so_without_foreign_words() -> None:
    with pytest.raises(AuthenticationError, match="can't be read: OSError") as raised:
        credentials_from_keyring("okx", NAMES, Ring({}, broken=True))
    assert raised.value.__context__ is None


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ImportError, match=r"pip install 'cexspec\[keyring\]'"):
        credentials_from_keyring("okx", NAMES)


def test_the_library_is_used_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Ring({"okx.api_key": "k"}))
    assert dict(credentials_from_keyring("okx", ["api_key"])) == {"api_key": "k"}
