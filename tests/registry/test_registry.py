"""The registry of a configuration: clients on demand, one store of budgets, one place to close all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cexspec import Registry
from cexspec.models import CexspecError, ConfigError
from cexspec.transport.window import Window

TEXT = """
exchanges:
  binance: {environment: testnet, number: float, timeout: 3, on_limit: raise}
  okx:
    environment: {rest: "http://127.0.0.1:${PORT}"}
    rate_limits: {global: {rate: 5, period: 1m}}
  binance_usdm: {enabled: false, timeout: "${NOT_SET}"}
  second: {spec: okx, number: "${NUMBER}", x-note: "${NOT_SET_EITHER}"}
"""


def registry(folder: Path, text: str = TEXT, **environ: str) -> Registry:
    path = folder / "exchanges.yaml"
    path.write_text(text, encoding="utf-8")
    return Registry.from_config(path, {"PORT": "8080", "NUMBER": "float", "NOT_SET_EITHER": "set", **environ})


def test_enabled_exchanges_are_its_keys(tmp_path: Path) -> None:
    found = registry(tmp_path)
    assert list(found) == ["binance", "okx", "second"] and len(found) == 3
    assert "okx" in found and "binance_usdm" not in found and "kraken" not in found
    assert repr(found) == f"Registry({str(tmp_path / 'exchanges.yaml')!r}: binance, okx, second)"


async def test_a_client_is_made_when_it_is_first_asked_for_as_the_file_says(tmp_path: Path) -> None:
    async with registry(tmp_path) as found:
        binance, okx = found["binance"], found["okx"]
        assert found["binance"] is binance
        assert (binance.environment.name, okx.environment.rest) == ("testnet", "http://127.0.0.1:8080")
        assert okx.limits["global"].windows == (Window(5, 60.0),)
        assert found["second"].id == "okx"


def test_clients_are_made_with_what_the_file_says_and_share_budgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr("cexspec.registry.Client", lambda _, **arguments: given.append(arguments))
    found = registry(tmp_path)
    assert list(found.values()) == [None] * 3
    assert len({id(arguments.pop("limits_store")) for arguments in given}) == 1
    assert given == [
        {"environment": "testnet", "number": float, "rate_limits": {}, "timeout": 3.0, "on_limit": "raise"},
        {
            "environment": {"rest": "http://127.0.0.1:8080", "ws": {}, "headers": {}, "paper": False},
            "number": Decimal,
            "rate_limits": {"global": {"rate": 5, "period": 60.0}},
        },
        {"environment": None, "number": float, "rate_limits": {}},
    ]


@pytest.mark.parametrize(("name", "words"), [("binance_usdm", "is disabled"), ("kraken", "does not stand")])
def test_others_are_key_errors_that_say_why(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=f"{name} {words} in .*exchanges.yaml .there are: binance, okx, second"):
        registry(tmp_path)[name]


class Broken:
    """A client that can't be closed properly."""

    def __init__(self, closed: list[str], name: str) -> None:
        self._closed, self._name = closed, name

    async def close(self) -> None:
        self._closed.append(self._name)
        if self._name == "okx.yaml":
            raise CexspecError("this one broke")


async def test_all_are_closed_even_where_one_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr("cexspec.registry.Client", lambda path, **_: Broken(closed, path.name))
    found = registry(tmp_path)
    assert len(list(found.values())) == 3
    with pytest.raises(CexspecError, match="this one broke"):
        await found.close()
    assert sorted(closed) == ["binance.yaml", "okx.yaml", "okx.yaml"]
    with pytest.raises(RuntimeError, match="the registry is closed"):
        found["okx"]


async def test_an_exchange_on_paper_needs_no_credentials(tmp_path: Path) -> None:
    text = "exchanges:\n  okx: {environment: paper, paper_balances: {USDT: 250}}\n  bybit: {environment: {rest: 'http://h', paper: true}}\n"
    async with registry(tmp_path, text) as found:
        assert [one.environment.paper for one in found.values()] == [True, True]
        assert [(one.currency, one.free) for one in await found["okx"].trade.get_balances()] == [("USDT", 250)]


def test_a_spec_beside_the_file_can_be_named(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "exchanges" / "okx.yaml"
    (tmp_path / "mine.yaml").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    assert list(registry(tmp_path, "exchanges: {anything: {spec: mine.yaml}}")) == ["anything"]


WRONG = [
    ("exchanges: {okx: {timeot: 1}}", "1:19: unknown key `timeot`; did you mean `timeout`?"),
    ("exchange: {okx: {}}", "1:1: unknown key `exchange`; did you mean `exchanges`?"),
    ("limits_store: redis://localhost", "1:1: key `exchanges` is missing"),
    ("exchanges: {okkx: {}}", "1:13: unknown exchange `okkx`; did you mean `okx`?"),
    ("exchanges: {a: {spec: okkx}}", "1:17: unknown exchange `okkx`; did you mean `okx`?"),
    ("exchanges: {a: {spec: nowhere.yaml}}", "there is no spec file"),
    ("exchanges: {okx: {environment: demmo}}", "1:32: there is no environment `demmo`; did you mean `demo`?"),
    ("exchanges: {okx: {environment: {ws: {pubic: ws://h}}}}", "1:38: there is no connection `pubic`; did you mean `public`?"),
    ("exchanges: {okx: {environment: {rest: h}}}", "1:39: `h` is not a URL"),
    ("exchanges: {okx: {rate_limits: {x: {rate: 1, period: 1}}}}", "1:33: there is no pool `x`"),
    ("exchanges: {okx: {rate_limits: {global: {rate: 1}}}}", "1:33: key `period` is missing in `global`"),
    ("exchanges: {okx: {enabled: false, timeot: 1}}", "unknown key `timeot`"),
    ("exchanges: {okx: {enabled: maybe}}", "1:28: `maybe` is neither true nor false"),
    ("exchanges: {okx: {max_notional: 0}}", "1:33: `0` is not more than 0"),
    ("exchanges: {okx: {max_notional: {USDT: none}}}", "1:40: `***` is not a number"),
    ("exchanges: {okx: {timeout: soon}}", "1:28: `soon` is not a duration"),
    ("exchanges: {okx: {number: decimol}}", "did you mean `decimal`?"),
    ("exchanges: {okx: {}, okx: {}}", "1:22: key `okx` a second time; first on line 1"),
    ("exchanges: [okx]", "1:12: a mapping is wanted here, not a list"),
    ("[okx]", "1:1: the file holds no mapping"),
    ("a: &b 1", "1:4: anchor `&b`"),
    ("exchanges: {okx: {number: ${NUMBER}}}", 'inside {...} quote a reference: "${NAME}"'),
    ('exchanges: {okx: {number: "${NUMBR}"}}', "1:27: the environment variable `NUMBR` is not set"),
    ('exchanges: {okx: {number: "${NUMBR}"}}', "write: `${NUMBER}`, which is set"),
    ('exchanges: {okx: {number: "${EMPTY}"}}', "1:27: the environment variable `EMPTY` is empty"),
    ('exchanges: {okx: {number: "${NUM"}}', "1:27: this is no reference to an environment variable"),
    ('exchanges: {okx: {number: "${1}"}}', "this is no reference"),
    ('exchanges: {okx: {numbr: "${NOWHERE}"}}', "unknown key `numbr`; did you mean `number`?"),
    ('exchanges: {okx: {number: "$${NUMBER}"}}', "`$${NUMBER}` is not one of the words here"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        registry(tmp_path, text, EMPTY="")
    assert words in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "exchanges.yaml"))


def test_all_problems_come_at_once_in_the_files_order_with_line_and_caret(tmp_path: Path) -> None:
    text = 'exchanges:\n  okx: {timeot: 3, number: "${A}"}\n  binance: {environment: tesnet}\n  kraken: {timeout: 0s}\n'
    with pytest.raises(ConfigError) as raised:
        registry(tmp_path, text)
    assert [problem.position.line for problem in raised.value.problems] == [2, 2, 3, 4]  # type: ignore[attr-defined]
    assert "    3 |   binance: {environment: tesnet}\n      |                          ^^^^^^\n  write: one of: live, " in str(raised.value)


def test_a_file_that_is_not_there_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't read `none.yaml`: there is no such file"):
        Registry.from_config(tmp_path / "none.yaml")
