"""Where credentials come from: arguments, environment variables, `${NAME}` in a configuration, the system's keyring.

Errors name what is missing and where it was looked for, and never a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, cast

from cexspec.models import AuthenticationError, Credentials

SERVICE = "cexspec"
"""The service's name in the keyring; the user's is `EXCHANGE.api_key`."""

_ALIASES = {"api_key": ("KEY",), "api_secret": ("SECRET",), "passphrase": ("PASSWORD",), "password": ("PASSPHRASE",)}
"""Further endings of variables, by the credential's name."""


def default_prefix(exchange: str) -> str:
    """The prefix of an exchange's variables where none is given: its id in upper case."""
    return re.sub(r"[^A-Z0-9]", "_", exchange.upper())


def variables(prefix: str, name: str) -> tuple[str, ...]:
    """The environment variables that may hold a credential, the first that is set wins: `PREFIX_API_KEY`, `PREFIX_KEY`."""
    head = prefix.rstrip("_")
    return tuple(f"{head}_{ending}" for ending in (name.upper(), *_ALIASES.get(name, ())))


def credentials_from_env(
    prefix: str, names: Iterable[str], environ: Mapping[str, str] | None = None, *, optional: Collection[str] = ()
) -> Credentials:
    """Credentials of these names from the variables `PREFIX_NAME` (see `variables`) of the environment, or of `environ`.

    A variable that is empty counts as not set. A PEM key may have `\\n` in place of its line ends. Raises
    `AuthenticationError` that names all that are missing, but for the optional ones.
    """
    names, environ = list(names), os.environ if environ is None else environ
    found = {name: value for name in names if (value := _first(variables(prefix, name), environ))}
    missing = [" or ".join(variables(prefix, name)) for name in names if name not in found and name not in optional]
    if missing:
        raise AuthenticationError(f"no credentials: not set in the environment: {', '.join(missing)}")
    return Credentials(found)


def _first(keys: Iterable[str], environ: Mapping[str, str]) -> str | None:
    """The first of these variables that is set."""
    return next((unfolded(environ[key]) for key in keys if environ.get(key)), None)


def unfolded(value: str) -> str:
    """A PEM key that was written on one line, with its line ends; any other text as it is."""
    return value.replace("\\n", "\n") if "-----BEGIN" in value else value


class Keyring(Protocol):
    """The part of the library `keyring` that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept under these names."""


def credentials_from_keyring(
    exchange: str, names: Iterable[str], ring: Keyring | None = None, *, optional: Collection[str] = ()
) -> Credentials:
    """Credentials of these names from the system's keyring: service `cexspec`, user `EXCHANGE.NAME`.

    They are put there by `keyring set cexspec EXCHANGE.api_key`. Raises `ImportError` where the library is not installed,
    `AuthenticationError` where the keyring can't be read, or that names all that are missing, but for the optional ones.
    """
    ring, names = ring or system_keyring(), list(names)
    found = {name: unfolded(value) for name in names if (value := _kept(ring, f"{exchange}.{name}"))}
    missing = [name for name in names if name not in found and name not in optional]
    if missing:
        command = f"keyring set {SERVICE} {exchange}.{missing[0]}"
        raise AuthenticationError(f"no credentials: not in the system's keyring: {', '.join(missing)} (put there by `{command}`)")
    return Credentials(found)


def system_keyring() -> Keyring:
    """The library. Raises `ImportError` that says how to install it."""
    try:
        import keyring
    except ImportError:
        raise ImportError("the system's keyring is read with the library keyring: pip install 'cexspec[keyring]'") from None
    return cast(Keyring, keyring)


def _kept(ring: Keyring, username: str) -> str | None:
    try:
        return ring.get_password(SERVICE, username)
    except Exception as error:
        failure = type(error).__name__
    raise AuthenticationError(f"the system's keyring can't be read: {failure}")  # outside: no foreign text is kept as context
