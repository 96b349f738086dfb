"""Where credentials come from: arguments, environment variables, `${NAME}` in a configuration, the system's keyring.

Errors name what is missing and where it was looked for, and never a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping

from cexspec.models import AuthenticationError, Credentials

_ALIASES = {"api_key": ("KEY",), "api_secret": ("SECRET",), "passphrase": ("PASSWORD",), "password": ("PASSPHRASE",)}
"""Further endings of variables, by the credential's name."""


def default_prefix(exchange: str) -> str:
    """The prefix of an exchange's variables where none is given: its id in upper case (`OKX`)."""
    return re.sub(r"[^A-Z0-9]", "_", exchange.upper())


def variables(prefix: str, name: str) -> tuple[str, ...]:
    """The environment variables that may hold a credential, the first that is set wins: `OKX_API_KEY`, `OKX_KEY`."""
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
