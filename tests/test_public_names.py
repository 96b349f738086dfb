"""What `cexspec` exports: adding or losing a public name is a decision, so the list stands here once more."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cexspec
from cexspec import models

# fmt: off
NAMES = [
    "AuthenticationError", "Balance", "Bbo", "Book", "BookOutOfSync", "BookState", "BookView", "Candle", "CexspecError",
    "Client", "ConfigError", "ConnectionLost", "Credentials", "DecodeError", "DuplicateOrder", "Event", "ExchangeError",
    "ExchangeUnavailable", "Fill", "FundingRate", "Gap", "Instrument", "InsufficientFunds", "InvalidOrder", "InvalidRequest",
    "InvalidSymbol", "Liquidation", "MarkPrice", "MarketEvent", "MemoryStore", "NetworkError", "Normalizer", "NotSupported",
    "OpenInterest", "Order", "OrderNotFound", "OrderRequest", "OrderUnknown", "PermissionDenied", "Position", "PrivateEvent",
    "RateLimitExceeded", "RedisStore", "Registry", "ServerTime", "SpecError", "StreamOptions", "Symbol", "Ticker", "TimeoutError",
    "TimestampError", "Trade", "TradingDisabled", "TransportError", "__version__",
]
# fmt: on

HEAVY = ("aiohttp", "jinja2", "jsonpath_ng", "msgspec", "pydantic", "rich", "ruamel", "typer", "websockets", "yaml")


def test_the_export_list() -> None:
    assert sorted(cexspec.__all__) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(cexspec, name) is not None
    assert name in dir(cexspec)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'cexspec' has no attribute 'Klient'"):
        _ = cexspec.Klient


def test_every_model_and_error_is_exported() -> None:
    classes = {*models.MODELS.values(), *models.EXCHANGE_ERRORS.values()}
    assert {one.__name__ for one in classes} <= set(cexspec.__all__)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, cexspec; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
