"""Operations whose rows are those of several others: called together, and read offline as the one that fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cexspec.compile.exchange import Exchange
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.normalize import Normalizer
from cexspec.engine.rest import RestEngine
from cexspec.models import DecodeError, Instrument, NotSupported
from cexspec.spec.load import load_text
from cexspec.transport.clock import VirtualClock
from tests.engine.fake_venue import ENVIRONMENT, Wire, ok

SPEC: dict[str, Any] = {
    "cexspec": "1",
    "id": "venue",
    "name": "Venue",
    "kind": "cex",
    "docs": "https://docs.test/",
    "environments": {"live": {"rest": "https://venue.test"}},
    "symbols": {
        "formats": {"spot": "{base}-{quote}", "perpetual": "{base}-{quote}-P", "future": "{base}-{quote}-{expiry:%y%m%d}"},
        "examples": {"BTC/USDT": "BTC-USDT", "BTC/USDT:PERP": "BTC-USDT-P", "BTC/USDT:FUT:20260626": "BTC-USDT-260626"},
    },
    "errors": {"failed": {"$.code": {"is": "present"}}, "code": "$.code", "message": "$.msg", "codes": {"404": "InvalidSymbol"}},
    "limits": {"light": {"rate": "10", "per": "1s"}, "heavy": {"rate": "10", "per": "1s"}},
    "rest": {
        "instruments": {"joins": ["spots", "perpetuals"], "returns": "instrument"},
        "spots": {
            "get": "/spots",
            "limit": "light",
            "returns": "instrument",
            "items": "$.list[*]",
            "fields": {"id": "$.name", "kind": {"const": "spot"}, "step_size": "$.step"},
        },
        "perpetuals": {
            "get": "/perpetuals",
            "limit": "heavy",
            "weight": "3",
            "returns": "instrument",
            "items": "$.list[*]",
            "fields": {"id": "$.name", "kind": {"const": "perpetual"}, "contract_size": "$.size"},
        },
        "tickers": {"joins": ["spot_tickers", "perpetual_tickers"], "returns": "ticker"},
        "spot_tickers": {"get": "/a", "kinds": ["spot"], "returns": "ticker", "items": "$[*]", "fields": {"symbol": "$.s", "last": "$.a"}},
        "perpetual_tickers": {
            "get": "/b",
            "kinds": ["perpetual"],
            "returns": "ticker",
            "items": "$[*]",
            "fields": {"symbol": "$.s", "last": "$.b"},
        },
        "anything": {"joins": ["spot_tickers", "all_tickers"], "returns": "ticker"},
        "all_tickers": {"get": "/c", "returns": "ticker", "items": "$[*]", "fields": {"symbol": "$.s", "last": "$.c"}},
    },
}
SPOTS = {"list": [{"name": "BTC-USDT", "step": "0.1"}]}
PERPETUALS = {"list": [{"name": "BTC-USDT-P", "size": "0.01"}]}
ANSWERS: dict[str, Any] = {
    "/spots": [ok(SPOTS)],
    "/perpetuals": [ok(PERPETUALS)],
    "/a": [ok([{"s": "BTC-USDT", "a": "1"}])],
    "/b": [ok([{"s": "BTC-USDT-P", "b": "2"}])],
    "/c": [ok([{"s": "BTC-USDT", "c": "3"}, {"s": "ETH-USDT", "c": "4"}])],
}


def text() -> str:
    return yaml.safe_dump(SPEC, sort_keys=False)


class Rig:
    def __init__(self) -> None:
        plan = Exchange(load_text(text()))
        self.clock, self.wire = VirtualClock(), Wire(dict(ANSWERS))
        self.limiter = limiter_of(plan.pools, self.clock)
        self.markets = Markets(plan)
        self.engine = RestEngine(plan, ENVIRONMENT, self.wire, self.clock, self.limiter, self.markets)

    async def symbols(self, name: str, **params: Any) -> list[str | None]:
        return [row.symbol for row in await self.clock.run(self.engine.call(name, params))]


async def test_the_rows_of_all_parts_come_together_each_within_its_own_limits() -> None:
    venue = Rig()
    assert await venue.symbols("instruments") == ["BTC/USDT", "BTC/USDT:PERP"]
    assert (venue.limiter.view("light").remaining, venue.limiter.view("heavy").remaining) == (9, 7)


async def test_they_are_what_the_engine_loads() -> None:
    venue = Rig()
    await venue.clock.run(venue.engine.ensure_instruments())
    assert venue.markets.market("BTC-USDT-P").contract_size is not None


@pytest.mark.parametrize(
    ("name", "symbol", "native", "asked"),
    [
        ("tickers", "BTC/USDT", "BTC-USDT", ["/a"]),
        ("tickers", "BTC/USDT:PERP", "BTC-USDT-P", ["/b"]),
        ("anything", "BTC/USDT", "BTC-USDT", ["/a", "/c"]),
    ],
)
async def test_only_the_parts_for_the_markets_kind_are_called(name: str, symbol: str, native: str, asked: list[str]) -> None:
    venue = Rig()
    assert await venue.symbols(name, symbol=symbol, id=native) == [symbol]
    called = [call.url.removeprefix("https://fake.example/api") for call in venue.wire.calls]
    assert [path for path in called if path in ("/a", "/b", "/c")] == asked


async def test_a_kind_that_no_part_is_for_is_refused() -> None:
    venue = Rig()
    with pytest.raises(NotSupported, match="for perpetual and spot only"):
        await venue.symbols("tickers", symbol="BTC/USDT:FUT:20260626", id="BTC-USDT-260626")


def test_it_sends_no_request_of_its_own() -> None:
    operation = Exchange(load_text(text())).operation("tickers")
    assert (operation.joins, operation.path_params("/a"), operation.weight({}), operation.kinds) == (
        ("spot_tickers", "perpetual_tickers"), None, 0, frozenset({"spot", "perpetual"}),
    )  # fmt: skip
    with pytest.raises(TypeError, match="no request of its own"):
        operation.build({})


@pytest.fixture
def normalizer(tmp_path: Path) -> Normalizer:
    (tmp_path / "venue.yaml").write_text(text(), encoding="utf-8")
    return Normalizer(str(tmp_path / "venue.yaml"))


@pytest.mark.parametrize(("body", "kind"), [(SPOTS, "spot"), (PERPETUALS, "perpetual")])
def test_offline_it_is_read_as_the_part_that_fits(normalizer: Normalizer, body: object, kind: str) -> None:
    [row] = normalizer.rest("instruments", json.dumps(body))
    assert isinstance(row, Instrument)
    assert row.kind == kind


def test_offline_what_no_part_reads_is_an_error(normalizer: Normalizer) -> None:
    with pytest.raises(DecodeError, match="spots"):
        normalizer.rest("instruments", '{"list":[{}]}')
    assert normalizer.read_rest('{"list":[]}', endpoint="instruments").ignored == "no rows"
