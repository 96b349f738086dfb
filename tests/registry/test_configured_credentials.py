"""Credentials of a configuration: by the names of the spec, from variables, the file or the keyring, and never shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cexspec import Registry
from cexspec.configuration.showing import masked_line
from cexspec.models import AuthenticationError, ConfigError

SPEC = Path(__file__).with_name("venue.yaml")
ENVIRON = {"KEY": "planted-key", "SECRET": "planted-secret", "PEM": "-----BEGIN X-----\\nplanted\\n-----END X-----"}


def registry(folder: Path, settings: str) -> Registry:
    path = folder / "exchanges.yaml"
    path.write_text(f"exchanges:\n  mine: {{spec: {SPEC}, {settings}}}\n", encoding="utf-8")
    return Registry.from_config(path, ENVIRON)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What clients would be made with."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("cexspec.registry.Client", lambda _, **arguments: calls.append(arguments))
    return calls


FOUND = [
    ('api_key: "${KEY}", api_secret: "${SECRET}"', {"api_key": "planted-key", "api_secret": "planted-secret"}),
    ('api_key: plain, api_secret: "a-${KEY}-b", passphrase: p', {"api_key": "plain", "api_secret": "a-planted-key-b", "passphrase": "p"}),
    ('api_key: "$${KEY}", api_secret: "x"', {"api_key": "${KEY}", "api_secret": "x"}),
    ('api_key: "1", api_secret: "${PEM}"', {"api_key": "1", "api_secret": "-----BEGIN X-----\nplanted\n-----END X-----"}),
]


@pytest.mark.parametrize(("settings", "credentials"), FOUND)
def test_the_client_gets_what_the_file_gives(
    settings: str, credentials: dict[str, str], tmp_path: Path, given: list[dict[str, Any]]
) -> None:
    found = registry(tmp_path, f"{settings}, allow_trading: true, max_notional: 1000, dry_run: false")
    _ = found["mine"]
    assert dict(given[0]["credentials"]) == credentials
    assert (given[0]["allow_trading"], str(given[0]["max_notional"]), given[0]["dry_run"]) == (True, "1000", False)


def test_without_credentials_the_client_is_for_public_data(tmp_path: Path, given: list[dict[str, Any]]) -> None:
    _ = registry(tmp_path, "environment: demo")["mine"]
    assert "credentials" not in given[0]


class Ring:
    """A keyring that holds a key and a secret."""

    def get_password(self, service: str, username: str) -> str | None:
        return {"mine.api_key": "kept-key", "mine.api_secret": "kept-secret"}.get(username)


def test_the_keyring_gives_what_the_file_does_not(tmp_path: Path, given: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Ring())
    _ = registry(tmp_path, 'keyring: true, api_key: "${KEY}"')["mine"]
    assert dict(given[0]["credentials"]) == {"api_key": "planted-key", "api_secret": "kept-secret"}


def test_what_the_keyring_lacks_is_named_when_the_client_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", type("Empty", (), {"get_password": lambda *_: None}))
    with pytest.raises(AuthenticationError, match="api_key, api_secret"):
        registry(tmp_path, "keyring: true")["mine"]


WRONG = [
    ('api_key: "${KEY}"', "credentials of `mine` are missing: api_secret"),
    ('api_kye: "${KEY}"', "unknown key `api_kye`; did you mean `api_key`?"),
    ("api_kye: planted-key", "unknown key `api_kye`; did you mean `api_key`?"),
    ('api_key: "${KYE}", api_secret: "${SECRET}"', "the environment variable `KYE` is not set"),
    ("api_key: [planted-key], api_secret: planted-secret", "text is wanted here, not a list"),
    ('number: "${SECRET}"', "`${SECRET}` is not one of the words here"),
    ('timeout: "${SECRET}"', "`${SECRET}` is not a duration"),
    ('environment: "${SECRET}"', "there is no environment `${SECRET}`"),
    ('environment: {rest: "https://user:planted-secret@h", wz: {}}', "unknown key `wz`"),
    ('api_key: planted-key, api_secret: "planted-secret", numbr: float', "did you mean `number`?"),
    ("api_key: planted-key, api_secret: planted, api_secret: planted", "key `api_secret` a second time"),
]


@pytest.mark.parametrize(("settings", "words"), WRONG, ids=range(len(WRONG)))  # no value of theirs in the folder's name
def test_problems_show_no_value(settings: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        registry(tmp_path, settings)
    error: BaseException | None = raised.value
    assert words in str(error)
    while error is not None:
        assert "planted" not in str(error) + repr(error) + repr(getattr(error, "problems", ""))
        error = error.__cause__ or error.__context__


MASKED = [
    ("  api_key: abc # def", 3, "  api_key: *** *** ***", 3),
    ("  a: {api_key: abc, api_secret: 'd e', timeout: 5, x: 1}", 40, "  a: {api_key: ***, api_secret: ***, timeout: 5, x: ***}", 38),
    ('  api_key: "${KEY}"', 12, '  api_key: "${KEY}"', 12),
    ("  api_secret: a:b,c", 15, "  api_secret: ***,***", 15),
    ("    MIIEvQIBADANBg+/kqhk=", 5, "    ***", 5),
    ("  - abc", 5, "  - ***", 5),
]


@pytest.mark.parametrize(("line", "column", "shown", "moved"), MASKED)
def test_lines_show_keys_references_and_words_only(line: str, column: int, shown: str, moved: int) -> None:
    assert masked_line(line, column) == (shown, moved)
