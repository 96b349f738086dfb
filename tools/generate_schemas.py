"""Writes schemas/: the JSON Schema of the spec language and of each unified model; `--check` only compares.

Exit code 0: written or up to date; 1: out of date (with `--check`).
"""

from __future__ import annotations

import json
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from cexspec.models import MODELS, BookState, Gap
from cexspec.spec.export import DIALECT, spec_schema

FOLDER = Path(__file__).parents[1] / "schemas"


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema."""
    known: dict[str, type[msgspec.Struct]] = {**MODELS, "gap": Gap, "book_state": BookState}
    models = {f"{name}.schema.json": model_schema(model) for name, model in known.items()}
    return {"exchange.schema.json": spec_schema(), **models}


def model_schema(model: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one model as it is written to JSON: decimals as text, times as integers of nanoseconds."""
    return {"$schema": DIALECT, **_unindented(msgspec.json.schema(model))}


def _unindented(node: Any) -> Any:
    """A schema whose descriptions are the docstrings without their indentation, which some versions of msgspec leave."""
    if isinstance(node, dict):
        return {
            key: cleandoc(inner) if key == "description" and isinstance(inner, str) else _unindented(inner) for key, inner in node.items()
        }
    return [_unindented(inner) for inner in node] if isinstance(node, list) else node


def main(arguments: list[str]) -> int:
    """Write the schemas, or compare them."""
    wanted = {FOLDER / name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    left = [path for path in FOLDER.glob("*.schema.json") if path not in wanted]
    if "--check" in arguments:
        for path in stale + left:
            print(f"schemas/{path.name} is out of date: run tools/generate_schemas.py", file=sys.stderr)
        return 1 if stale or left else 0
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    for path in left:
        path.unlink()
    print(f"schemas/: {len(wanted)} files, {len(stale)} written, {len(left)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
