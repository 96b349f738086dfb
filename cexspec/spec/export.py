"""JSON Schema of the spec language, for editors: the models' own, made to fit YAML as editors read it."""

from __future__ import annotations

from typing import Any

from cexspec.spec.model import ExchangeSpec
from cexspec.spec.model.node import Node
from cexspec.spec.shape import keys

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = ["string", "number", "boolean"]
_NODES, _CHANGES = "#/$defs/", ".changes"
_NULL: Schema = {"type": "null"}


def spec_schema() -> Schema:
    """The schema of a spec file: a whole one, or one that extends another, where nothing is required and `null` takes away."""
    whole = _for_yaml(ExchangeSpec.model_json_schema(by_alias=True))
    nodes = {**whole.pop("$defs"), "ExchangeSpec": whole}
    return {
        "$schema": DIALECT,
        "title": "A cexspec exchange",
        "if": {"required": ["extends"]},
        "then": {"$ref": f"{_NODES}ExchangeSpec{_CHANGES}"},
        "else": {"$ref": f"{_NODES}ExchangeSpec"},
        "$defs": nodes | {f"{name}{_CHANGES}": _changes(node) for name, node in nodes.items()},
    }


def _changes(schema: Schema) -> Schema:
    """What changes something that fits the schema."""
    changed = {key: _changed(key, value) for key, value in schema.items() if key != "required"}
    return {**changed, "$ref": f"{changed['$ref']}{_CHANGES}"} if "$ref" in changed else changed


def _changed(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties"):
        return {name: _or_null(_changes(schema)) for name, schema in value.items()}
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return _or_null(_changes(value)) if key == "additionalProperties" else _changes(value)
    return [_changes(schema) for schema in value] if key == "anyOf" else value


def _or_null(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return schema if _NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    return {"anyOf": [schema, _NULL]}


def _for_yaml(schema: Schema) -> Schema:
    """Editors resolve YAML's types: where a text is wanted they see numbers and booleans, and private notes anywhere."""
    fitted = {key: _inner(key, value) for key, value in schema.items()}
    if "properties" in fitted and fitted.get("additionalProperties") is False:
        fitted["patternProperties"] = {"^x-": {"description": "A private note"}}
    if fitted.get("type") == "string" and not {"enum", "const", "pattern"} & fitted.keys():
        fitted["type"] = _SCALARS
    if str(fitted.get("const", "")).isdigit():
        word = fitted.pop("const")
        return {**fitted, "type": ["string", "integer"], "enum": [word, int(word)]}
    return fitted


def _inner(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: _for_yaml(schema) for name, schema in value.items()}
    if key in ("items", "additionalProperties", "propertyNames") and isinstance(value, dict):
        return _for_yaml(value)
    return [_for_yaml(schema) for schema in value] if key == "anyOf" else value


def undocumented(model: type[Node]) -> list[str]:
    """The keys of a model that lack a description or an example."""
    return [key for key, info in keys(model).items() if not info.description or not info.examples]
