"""`Registry`: the exchanges of a configuration file, each a client that is made when it is first asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from cexspec.client import Client
from cexspec.configuration.reading import Configuration, Configured, read_configuration
from cexspec.configuration.settings import Reach
from cexspec.credentials import credentials_from_keyring
from cexspec.engine.limits import store_of
from cexspec.models import Credentials

_AS_THEY_ARE = ("timeout", "on_limit", "allow_trading", "max_notional", "dry_run", "paper_balances", "recv_window")


class Registry(Mapping[str, Client]):
    """The enabled exchanges of a configuration, by name. Leaving `async with` closes every client that was made.

        async with Registry.from_config("exchanges.yaml") as registry:
            ticker = await registry["my-exchange"].rest.get_ticker("BTC/USDT")

    Clients share one store of budgets: two of the same exchange draw from the same ones, as the venue counts.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._file = configuration.file
        self._all = configuration.exchanges
        self._made: dict[str, Client] = {}
        self._store = store_of(configuration.limits_store)
        self._closed = False

    @classmethod
    def from_config(cls, path: str | Path, environ: Mapping[str, str] | None = None) -> Self:
        """The registry of a file; `environ` takes the place of the process's environment variables.

        Raises `ConfigError` with all that is wrong with the file, each problem with its place: unknown keys, variables that
        are not set, exchanges, environments and pools that there are none of.
        """
        return cls(read_configuration(Path(path), os.environ if environ is None else environ))

    def __getitem__(self, name: str) -> Client:
        """The client of an exchange. Raises KeyError where the file has none of this name, or disables it."""
        if self._closed:
            raise RuntimeError("the registry is closed")
        if name not in self._made:
            self._made[name] = Client(self._configured(name).path, **self._arguments(name))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, one in self._all.items() if one.settings.enabled)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._all and self._all[str(name)].settings.enabled

    async def close(self) -> None:
        """Close every client; what one of them raises is raised once all have been closed."""
        self._closed = True
        clients = list(self._made.values())
        self._made.clear()
        failures = await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
        await self._store.close()
        for failure in failures:
            if isinstance(failure, BaseException):
                raise failure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Registry({self._file!r}: {', '.join(self)})"

    def _configured(self, name: str) -> Configured:
        if name not in self:
            state = "is disabled" if name in self._all else "does not stand"
            raise KeyError(f"{name} {state} in {self._file} (there are: {', '.join(self)})")
        return self._all[name]

    def _arguments(self, name: str) -> dict[str, Any]:
        """What the client is made with: what the file says, and nothing else."""
        one = self._all[name]
        settings = one.settings
        found: dict[str, Any] = {key: getattr(settings, key) for key in _AS_THEY_ARE if settings.given(key)}
        found["limits_store"] = self._store
        found["number"] = float if settings.number == "float" else Decimal
        found["rate_limits"] = {pool: {"rate": rate.rate, "period": rate.period} for pool, rate in settings.rate_limits.items()}
        environment = settings.environment
        found["environment"] = environment.model_dump() if isinstance(environment, Reach) else environment
        if credentials := _credentials(name, one):
            found["credentials"] = credentials
        return found


def _credentials(name: str, one: Configured) -> Credentials:
    """Those of the file, and from the keyring the rest where the file says so."""
    given = one.settings.credentials()
    if not one.settings.keyring:
        return given
    missing = [credential for credential in one.credentials if credential not in given]
    kept = credentials_from_keyring(name, missing, optional=one.optional)
    return Credentials({**kept, **given})
