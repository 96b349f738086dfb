"""The check that no exchange is named where it must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_names import findings, names

SPEC = "cexspec: 1\nid: acme\nname: Acme Markets   # the best\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("exchanges", "cexspec/engine", "cexspec/hooks", "cexspec/spec/model", "tools", ".ci"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "exchanges" / "acme.yaml").write_text(SPEC)
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_names_are_file_stems_and_display_names(checkout: Path) -> None:
    assert names(checkout / "exchanges") == {"acme", "Acme Markets"}


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("cexspec/engine/a.py", "if exchange == 'acme':", True),
        ("cexspec/engine/a.py", "class AcmeClient: ...", False),
        ("cexspec/engine/a.py", "acme_client = 1", True),
        ("cexspec/engine/a.py", "# as ACME does", True),
        ("cexspec/engine/a.py", "# Acme Markets sends", True),
        ("cexspec/engine/a.py", "# the acmeist poets", False),
        ("cexspec/hooks/acme.py", "NAME = 'acme'", False),
        ("cexspec/spec/model/a.py", "x = key('The id', 'acme')", False),
        ("cexspec/spec/model/a.py", "x = Field(examples=['acme'])", False),
        ("cexspec/spec/model/a.py", "x = 'acme'", True),
        ("tools/a.py", "print('acme')", True),
        ("Makefile", "demo: ; run acme", True),
    ],
)
def test_a_name_is_found_as_a_whole_word_outside_its_rooms(checkout: Path, path: str, text: str, found: bool) -> None:
    (checkout / path).write_text(text + "\n")
    assert [finding.split(" ")[0] for finding in findings(checkout)] == ([f"{path}:1:"] if found else [])
