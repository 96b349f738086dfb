"""The corpus: payloads and sessions that venues really sent, outside this repository (`../shared/corpus`, or `$CEXSPEC_CORPUS`)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("CEXSPEC_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
ABSENT = f"the payload corpus is not at {ROOT.name!r} beside the checkout: set CEXSPEC_CORPUS to run the conformance tests"
needs_corpus = pytest.mark.skipif(not ROOT.is_dir(), reason=ABSENT)

Record = dict[str, Any]


def payloads(venue: str) -> Iterator[Record]:
    """Whole payloads that the venue sent, on an API that still exists, in a form that has text or bytes."""
    path = ROOT / "payloads" / f"{venue}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        record = json.loads(line)
        left_out = record.get("retired_api") or record.get("fragment") or record.get("encoding") == "sbe"
        if record["direction"] == "in" and not left_out and "raw" in record:
            yield record


def session(name: str) -> list[Record]:
    """The frames of a recorded session, in order."""
    path = ROOT / "sessions" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def symbol_of(record: Record) -> dict[str, str]:
    """The parameters of the request that a REST body answers, as far as the record tells."""
    context = record.get("context")
    return {"symbol": context["symbol"]} if isinstance(context, dict) and context.get("symbol") else {}
