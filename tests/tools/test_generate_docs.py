"""The generated reference of the spec language."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cexspec.spec.load import shipped
from cexspec.spec.model import Node
from cexspec.spec.shape import fields
from tools.generate_docs import DOCS, LANGUAGE, main, models, section

MODELS = {model.__name__: model for model in models()}


def test_the_documents_are_up_to_date() -> None:
    assert main(["--check"]) == 0, "run `make docs`"


def test_stale_missing_and_orphaned_pages_are_found_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = Path(shutil.copytree(DOCS, tmp_path / "docs"))
    page, orphan, language = docs / "venues" / "README.md", docs / "venues" / "gone.md", docs / LANGUAGE
    fine = language.read_text(encoding="utf-8")
    page.unlink()
    orphan.write_text("an exchange that is shipped no longer", encoding="utf-8")
    language.write_text(fine.replace("| `rest` |", "| `rast` |"), encoding="utf-8")
    assert main(["--check"], docs) == 1
    told = capsys.readouterr().err.splitlines()
    assert sorted(line.split()[0] for line in told) == ["docs/spec-language.md", "docs/venues/README.md", "docs/venues/gone.md"]
    assert main([], docs) == 0
    assert main(["--check"], docs) == 0
    assert language.read_text(encoding="utf-8") == fine
    assert not orphan.exists()


def test_the_matrix_has_every_shipped_exchange() -> None:
    text = (DOCS / "venues" / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}]({name}.md)" in text for name in shipped())


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_key_has_a_line_with_meaning_and_example(model: type[Node]) -> None:
    rows = [line.split(" | ") for line in section(model) if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(fields(model))
    assert [row[0] for row in rows if len(row) != 4 or not row[2].strip() or not row[3].strip("| ")] == []


def test_every_link_leads_to_a_heading() -> None:
    text = (DOCS / LANGUAGE).read_text(encoding="utf-8")
    headings = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - headings == set()
