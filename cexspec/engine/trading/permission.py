"""Whether a client may trade at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.models import TradingDisabled


@dataclass(frozen=True, slots=True)
class Permission:
    """What a client was allowed when it was made. Nothing that changes an account is sent without it."""

    exchange: str
    environment: str
    live: bool
    credentials: bool
    allow_trading: bool

    def check(self, verb: str) -> None:
        """Raises `TradingDisabled`."""
        if not self.credentials:
            raise TradingDisabled(f"{verb} on {self.exchange}: trading is off, because the client has no credentials; nothing was sent")
        if self.live and not self.allow_trading:
            raise TradingDisabled(
                f"{verb} on {self.exchange}: trading is off, because the environment {self.environment!r} is live; nothing was sent."
                " Make the client with allow_trading=True to trade with real money"
            )


def live(environment: EnvironmentPlan) -> bool:
    """Whether real money may move: unless the spec says that it can't, or all hosts are this machine."""
    hosts = [url for url in (environment.rest, environment.rest_private, *environment.ws.values()) if url]
    return environment.live and not (hosts and _local(hosts))


def _local(urls: Iterable[str]) -> bool:
    return all(_loopback(urlsplit(url).hostname or "") for url in urls)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
