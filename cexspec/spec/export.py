"""JSON Schema of the spec language, for editors: the models' own, made to fit YAML as editors read it."""

from __future__ import annotations

from typing import Any

from cexspec.spec.model import ExchangeSpec
from cexspec.spec.model.node import Node
from cexspec.spec.shape import keys

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = ["string", "number", "boolean"]


def spec_schema() -> Schema:
    """The schema of a spec file."""
    schema = _for_yaml(ExchangeSpec.model_json_schema(by_alias=True))
    required = schema.pop("required")
    only_whole = {"if": {"not": {"required": ["extends"]}}, "then": {"required": required}}
    return {"$schema": DIALECT, **schema, "title": "A cexspec exchange", "allOf": [only_whole]}


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
