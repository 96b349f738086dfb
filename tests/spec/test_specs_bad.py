"""Each file of `tests/specs_bad` is a broken spec whose leading comment is exactly what `validate` prints for it.

Add a file, get a test. To write the comments anew, and then review the difference:

    python tests/spec/test_specs_bad.py
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cexspec.compile.validate import validate
from cexspec.spec import render
from cexspec.spec.rules import catalogue

FOLDER = Path(__file__).parents[1] / "specs_bad"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
FINE = "no problems"
# The language's bounds on a whole file: tests/spec/test_compose.py writes files that large.
NOT_AS_FILES = {"CEX007", "CEX009", "CEX032"}


def printed(name: str) -> str:
    lines = render.Lines()
    return "\n".join(render.text(problem, lines.of(problem.position)) for problem in validate(Path(name))) or FINE


def parts(text: str) -> tuple[str, str]:
    """The leading comment without its marks, and the rest."""
    head, _, body = text.partition("\n\n")
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in head.split("\n")), body


@pytest.mark.parametrize("name", FILES)
def test_a_bad_spec_prints_its_leading_comment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    expected, _ = parts(Path(name).read_text(encoding="utf-8", errors="replace"))
    assert printed(name) == expected


def test_there_are_many_and_they_break_every_rule() -> None:
    assert len(FILES) >= 80
    heads = [parts((FOLDER / name).read_text(encoding="utf-8", errors="replace"))[0] for name in FILES]
    found = {rule for head in heads for rule in re.findall(r"^\S+: (?:error|warning) (CEX\d+):", head, re.MULTILINE)}
    assert found == set(catalogue()) - NOT_AS_FILES


def regenerate() -> None:
    """Write the comment of every file anew; its length moves the lines it tells of, so twice."""
    for name in FILES * 2:
        path = Path(name)
        body = path.read_bytes().partition(b"\n\n")[2]
        head = "\n".join(f"# {line}".rstrip() for line in printed(name).split("\n"))
        path.write_bytes(head.encode() + b"\n\n" + body)


if __name__ == "__main__":
    import os

    os.chdir(FOLDER)
    regenerate()
