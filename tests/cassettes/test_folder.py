"""The folder of cassettes: complete, nothing too much in it, up to date, small, and each file says where it is from."""

from __future__ import annotations

import re
from pathlib import Path

from cexspec.compile.exchange import compile_exchange
from cexspec.spec.load import shipped
from tools.cassettes.folder import head_of, is_recorded, replace, rest_path, stale, wanted

CASSETTES = Path(__file__).parents[2] / "cassettes"
FILES = sorted(path for path in CASSETTES.rglob("*") if path.is_file())
ORIGIN = re.compile(r"authored \(mock venue generated from the spec and its samples\)|recorded \d{4}-\d\d-\d\d")
MOST = 2_000_000
"""Bytes of all authored cassettes."""


def test_every_operation_and_channel_has_a_cassette_and_every_cassette_belongs_to_one() -> None:
    assert sorted(path for exchange in shipped() for path in wanted(CASSETTES, compile_exchange(exchange))) == FILES


def test_every_file_says_in_its_first_line_whether_it_was_recorded_or_authored() -> None:
    assert [path for path in FILES if not ORIGIN.search(path.read_text(encoding="utf-8").partition("\n")[0])] == []
    assert [path for path in FILES if not ORIGIN.fullmatch(head_of(path)["origin"])] == []


def test_authored_cassettes_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES if not is_recorded(path)) < MOST


def test_what_a_venue_said_is_kept_and_what_is_nobodys_goes(tmp_path: Path) -> None:
    exchange = compile_exchange(shipped()[0])
    made, folder, name = tmp_path / "made", tmp_path / "cassettes", exchange.operation_names[0]
    files = {
        rest_path(made, exchange.id, name): "origin: authored (again)\ninteractions: []\n",
        rest_path(folder, exchange.id, name): "origin: recorded 2026-08-01\ninteractions: []\n",
        rest_path(folder, exchange.id, "gone"): "origin: authored (once)\ninteractions: []\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    problems = list(stale(made, folder, exchange))
    assert f"{rest_path(folder, exchange.id, 'gone')} belongs to nothing in the spec" in problems
    assert not any(f"{name}.yaml" in problem for problem in problems)
    assert replace(made, folder, exchange, live=False) == 0
    assert is_recorded(rest_path(folder, exchange.id, name))
    assert not rest_path(folder, exchange.id, "gone").exists()
    assert replace(made, folder, exchange, live=True) == 1
    assert not is_recorded(rest_path(folder, exchange.id, name))
