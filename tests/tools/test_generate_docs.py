"""The generated reference of the spec language."""

from __future__ import annotations

import re

import pytest

from cexspec.spec.model import Node
from cexspec.spec.shape import fields
from tools.generate_docs import DOCUMENT, models, renewed, section

MODELS = {model.__name__: model for model in models()}


def test_the_document_is_up_to_date() -> None:
    current = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(current) == current, "run `make docs`"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_key_has_a_line_with_meaning_and_example(model: type[Node]) -> None:
    rows = [line.split(" | ") for line in section(model) if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(fields(model))
    assert [row[0] for row in rows if len(row) != 4 or not row[2].strip() or not row[3].strip("| ")] == []


def test_every_link_leads_to_a_heading() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    headings = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - headings == set()
