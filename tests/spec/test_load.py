"""Loading: extends, private notes, nulls, places, shipped specs."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from cexspec.models import SpecError
from cexspec.spec import load as module
from cexspec.spec.load import Loaded, find, load, load_text, shipped
from cexspec.spec.problems import Problem
from cexspec.spec.source import Position

BASE = """\
cexspec: 1
id: base
name: Base
kind: cex
docs: https://example.com
environments:
  live: {rest: https://example.com, headers: {x-simulated-trading: 1}}
symbols:
  formats: {spot: "{base}-{quote}"}
  examples: {BTC/USDT: BTC-USDT}
errors: {code: $.code, message: [$.msg], codes: {1: InvalidSymbol, 2: {class: InvalidOrder}}}
rest:
  ticker:
    post: /ticker
    body: {n: 1, s: "1", t: true, z: null, q: "null", l: [1.50, x]}
    docs: https://example.com/ticker
    returns: ticker
    fields:
      symbol: {of: request}
      last: $.last
"""


def problems(text: str, folder: Path | None = None, name: str = "spec.yaml") -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        load_text(text, name, folder)
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    return [(problem.rule, f"{Path(problem.position.file).name}:{problem.position.line}") for problem in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def twin(folder: Path, text: str) -> Loaded:
    path = folder / "twin.yaml"
    path.write_text(f"extends: base\nid: twin\n{text}", encoding="utf-8")
    return load(path)


def test_scalars_become_what_the_model_wants_and_json_stays_json_in_trees() -> None:
    spec = load_text(BASE).spec
    assert spec.environments["live"].headers == {"x-simulated-trading": "1"}
    assert spec.rest["ticker"].body == {"n": 1, "s": "1", "t": True, "z": None, "q": "null", "l": [1.5, "x"]}
    assert spec.errors.codes["1"].error == "InvalidSymbol"


def test_every_node_knows_its_place_and_source_line() -> None:
    loaded = load_text(BASE, "base.yaml")
    ticker = loaded.spec.rest["ticker"]
    assert ticker.fields is not None
    assert ticker.fields["symbol"].where == ("rest", "ticker", "fields", "symbol")
    assert loaded.spec.errors.codes["2"].where == ("errors", "codes", "2")
    assert loaded.spec.symbols.formats["spot"][0].where == ("symbols", "formats", "spot", 0)
    assert loaded.source.position(ticker.fields["symbol"].where) == Position("base.yaml", 19, 7)
    assert loaded.source.value_position(("rest", "ticker", "fields", "last")) == Position("base.yaml", 20, 13)
    assert loaded.source.line(loaded.source.position(("name",))) == "name: Base"
    assert loaded.source.position(("rest", "ticker", "nothing", 7)) == loaded.source.position(("rest", "ticker"))
    assert loaded.source.line(Position("other.yaml", 3, 1)) == ""


@pytest.mark.parametrize("collecting", [True, False])
def test_loading_leaves_the_collector_as_it_was(collecting: bool) -> None:
    (gc.enable if collecting else gc.disable)()
    try:
        load_text(BASE)
        assert gc.isenabled() == collecting
    finally:
        gc.enable()


def test_private_notes_are_dropped_where_keys_are_the_languages_and_kept_where_they_are_data() -> None:
    noted = BASE.replace("kind: cex", "kind: cex\nx-why: {any: [thing, null]}").replace("  live:", "  x-old: gone\n  live:")
    spec = load_text(noted).spec
    assert list(spec.environments) == ["live"]
    assert spec.environments["live"].headers == {"x-simulated-trading": "1"}


def test_a_twin_merges_deeply_replaces_lists_and_removes_by_null(folder: Path) -> None:
    loaded = twin(folder, "errors: {message: [$.error]}\nrest: {ticker: {docs: null, fields: {last: $.p, bid: $.b}}}\n")
    ticker = loaded.spec.rest["ticker"]
    assert (loaded.spec.id, loaded.spec.name, loaded.spec.extends) == ("twin", "Base", "base")
    assert loaded.spec.errors.message == ["$.error"]
    assert ticker.docs is None
    assert ticker.fields is not None
    assert {name: rule.path for name, rule in ticker.fields.items()} == {"symbol": None, "last": "$.p", "bid": "$.b"}


def test_places_point_into_the_file_that_says_it(folder: Path) -> None:
    source = twin(folder, "rest: {ticker: {fields: {last: $.p}}}\n").source
    last, symbol = source.position(("rest", "ticker", "fields", "last")), source.position(("rest", "ticker", "fields", "symbol"))
    assert (Path(last.file).name, last.line) == ("twin.yaml", 3)
    assert (Path(symbol.file).name, symbol.line) == ("base.yaml", 19)
    assert source.line(symbol) == "      symbol: {of: request}"


def test_null_takes_an_inherited_extends_away(folder: Path) -> None:
    (folder / "middle.yaml").write_text("extends: base\nid: middle\n", encoding="utf-8")
    path = folder / "last.yaml"
    path.write_text("extends: middle\nid: last\n", encoding="utf-8")
    assert load(path).spec.id == "last"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("extends: base", [("CEX030", "spec.yaml:1")]),
        ("extends: ../base", [("CEX033", "spec.yaml:1")]),
        ("extends: null", [("CEX025", "spec.yaml:1")]),
    ],
)
def test_a_text_without_a_folder_has_no_siblings(head: str, expected: list[tuple[str, str]]) -> None:
    assert problems(f"{head}\n{BASE}") == expected


def test_a_chain_has_an_end(folder: Path) -> None:
    for number in range(6):
        (folder / f"s{number}.yaml").write_text(f"extends: s{number + 1}\nid: s{number}\n", encoding="utf-8")
    (folder / "s6.yaml").write_text(BASE, encoding="utf-8")
    assert problems("extends: s0\n", folder) == [("CEX032", "s3.yaml:1")]
    assert load(folder / "s3.yaml").spec.id == "s3"


def test_a_base_that_is_no_utf8_is_a_problem_of_the_base(folder: Path) -> None:
    (folder / "broken.yaml").write_bytes(b"cexspec: 1\nid: \xff\n")
    assert problems("extends: broken\n", folder) == [("CEX001", "broken.yaml:2")]


def test_a_problem_of_the_base_is_told_with_those_of_the_twin(folder: Path) -> None:
    (folder / "broken.yaml").write_text(BASE.replace("last: $.last", "last: last"), encoding="utf-8")
    twin_text = "extends: broken\nname: !x Twin\nrest: {ticker: {fields: {bid: bid}}}\n"
    assert problems(twin_text, folder) == [("CEX021", "broken.yaml:20"), ("CEX004", "spec.yaml:2"), ("CEX021", "spec.yaml:3")]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_is_no_file_can_not_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="CEX001"):
        load(tmp_path / name)


def test_a_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(SpecError, match="there is no such file"):
        load(tmp_path / "pipe.yaml")


def test_a_file_one_may_not_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(BASE, encoding="utf-8")

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SpecError, match="Permission denied"):
        load(path)


def test_the_error_counts_what_else_is_wrong() -> None:
    with pytest.raises(SpecError, match=r"^spec.yaml:3:7: .* \(and 1 more\)$"):
        load_text(BASE.replace("name: Base", "name: [Base]").replace("kind: cex", "kind: x"))


def test_a_byte_order_mark_is_no_part_of_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load(path).spec.id == "base"


def test_shipped_specs_are_found_by_id_and_files_by_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLDERS", (folder / "nowhere", folder))
    assert shipped() == ["base"]
    assert find("base") == folder / "base.yaml"
    assert find(str(folder / "base.yaml")) == folder / "base.yaml"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("bas", "unknown exchange `bas`; did you mean `base`?"),
        ("zzz", "unknown exchange `zzz` \\(shipped: base; or give"),
        ("../base", "unknown exchange"),
        ("nowhere.yaml", "there is no spec file `nowhere.yaml`"),
    ],
)
def test_what_is_not_found_names_what_there_is(asked: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLDERS", (folder,))
    with pytest.raises(SpecError, match=message):
        find(asked)


RULES = [
    ("$.s", {"path": "$.s"}),
    ("{path: $.s}", {"path": "$.s"}),
    ("{path: $.s, case: upper}", {"path": "$.s", "case": "upper"}),
]


@pytest.mark.parametrize(("text", "rule"), RULES)
def test_a_rule_replaces_an_inherited_one_as_a_whole_in_either_spelling(text: str, rule: dict[str, str], tmp_path: Path) -> None:
    base = (Path(__file__).parents[1] / "specs_bad" / "fine_base.yaml").read_text(encoding="utf-8")
    assert "symbol: {of: request}" in base
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    near = f"cexspec: 1\nextends: base\nid: near\nrest: {{ticker: {{fields: {{symbol: {text}}}}}}}\n"
    (tmp_path / "near.yaml").write_text(near, encoding="utf-8")
    fields = load(tmp_path / "near.yaml").spec.rest["ticker"].fields
    assert fields is not None
    assert fields["symbol"].model_dump(exclude_unset=True) == rule
    assert "last" in fields
