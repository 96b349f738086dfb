"""The JSON Schema of the language: valid, documented on every key, true to shipped specs, up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cexspec.models import MODELS
from cexspec.spec import model
from cexspec.spec.compose import compose
from cexspec.spec.export import spec_schema, undocumented
from cexspec.spec.load import find, shipped
from cexspec.spec.model.node import Node, Plain
from cexspec.spec.source import Entry
from tools import generate_schemas

NODES = [one for one in vars(model).values() if isinstance(one, type) and issubclass(one, Node) and one is not Node]


def as_editors_see_it(entry: Entry) -> Any:
    """YAML's core types, as an editor resolves them."""
    if isinstance(entry.value, dict):
        return {key: as_editors_see_it(inner) for key, inner in entry.value.items()}
    if isinstance(entry.value, list):
        return [as_editors_see_it(inner) for inner in entry.value]
    try:
        return json.loads(entry.value) if isinstance(entry.value, Plain) else str(entry.value)
    except ValueError:
        return str(entry.value)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("exchange", shipped())
def test_an_editor_finds_nothing_wrong_in_a_shipped_spec(exchange: str, validator: jsonschema.Draft202012Validator) -> None:
    root = compose(find(exchange).read_text(encoding="utf-8"), exchange).root
    assert root is not None
    assert [error.message for error in validator.iter_errors(as_editors_see_it(root))] == []


@pytest.mark.parametrize(
    ("spec", "valid"),
    [
        ({"extends": "base", "id": "twin", "x-note": 1}, True),
        ({"id": "alone"}, False),
        ({"extends": "base", "id": "twin", "unknown": 1}, False),
        ({"extends": "base", "cexspec": 1}, True),
        ({"extends": "base", "cexspec": "1"}, True),
        ({"extends": "base", "cexspec": 2}, False),
        ({"extends": "base", "environments": {"demo": None, "live": {"ws": {"public": None}}}}, True),
        ({"extends": "base", "errors": {"codes": {"7": None}}, "intervals": {"1s": None}}, True),
        ({"extends": "base", "rest": {"ticker": None, "trades": {"page": {"drop": ["from"]}, "query": {"until": None}}}}, True),
        ({"extends": "base", "ws": {"connections": {"old": None}, "channels": {"trades": {"also": None, "unknown": 1}}}}, False),
        ({"extends": "base", "ws": {"connections": {"old": None}, "channels": {"trades": {"also": None}}}}, True),
    ],
)
def test_the_schema_knows_twins_notes_and_unknown_keys(spec: object, valid: bool, validator: jsonschema.Draft202012Validator) -> None:
    assert validator.is_valid(spec) is valid


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_every_key_has_a_description_and_an_example(node: type[Node]) -> None:
    assert undocumented(node) == []


def test_every_model_has_a_schema_and_none_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(generate_schemas.schemas()) == {f"{name}.schema.json" for name in [*MODELS, "gap", "book_state", "exchange"]}
    assert generate_schemas.main(["--check"]) == 0, capsys.readouterr().err


def test_stale_and_left_over_schemas_are_found_and_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate_schemas, "FOLDER", tmp_path / "schemas")
    assert generate_schemas.main([]) == 0
    (tmp_path / "schemas" / "trade.schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "schemas" / "old.schema.json").write_text("{}", encoding="utf-8")
    assert generate_schemas.main(["--check"]) == 1
    assert "trade.schema.json is out of date" in capsys.readouterr().err
    assert generate_schemas.main([]) == 0
    assert generate_schemas.main(["--check"]) == 0
