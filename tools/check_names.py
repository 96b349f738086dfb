"""No exchange is named outside exchanges/, cexspec/hooks/, tests and documents: what is special about one is data or a hook.

Exit code 0: clean; 1: names found, one line each (file:line).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("cexspec", "tools", ".ci", "Makefile", "pyproject.toml")
EXEMPT = {
    "cexspec/hooks": "hooks are where the quirks of single exchanges live",
    "cexspec/spec/rules.yaml": "the examples of the rules are parts of specs",
    "cexspec/exchanges": "a copy of the specs inside an installed package",
    "tools/cassettes/folder.py": "which cassettes are missing, and why, is about single exchanges",
    "cexspec/schemas": "a copy of the generated schemas, whose examples are parts of specs",
}
EXAMPLES = ("cexspec/spec/model", "the examples of the keys are parts of specs: arguments of key() and examples=")


def names(folder: Path) -> set[str]:
    """File stems and display names of the specs."""
    found = set()
    for spec in folder.glob("*.yaml"):
        found.add(spec.stem)
        shown = re.search(r"^name:\s*['\"]?(.+?)['\"]?\s*(?:#.*)?$", spec.read_text(encoding="utf-8"), re.MULTILINE)
        if shown:
            found.add(shown[1])
    return found


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words as a whole word, an underscore being a boundary; matches nothing when there are none."""
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<![a-z0-9])(?:{alternatives})(?![a-z0-9])", re.IGNORECASE)


def files(root: Path) -> Iterator[Path]:
    """The text files that may name no exchange."""
    for room in ROOMS:
        start = root / room
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            inside = path.relative_to(root).as_posix()
            exempt = any(inside == one or inside.startswith(f"{one}/") for one in EXEMPT)
            if path.is_file() and not exempt and path.suffix not in (".pyc", ".so"):
                yield path


def example_lines(text: str) -> set[int]:
    """The lines of a module of the language that hold examples."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        is_key = isinstance(node.func, ast.Name) and node.func.id == "key"
        values = list(node.args) if is_key else [word.value for word in node.keywords if word.arg == "examples"]
        for value in values:
            lines.update(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    return lines


def findings(root: Path) -> Iterator[str]:
    """One line for each name found."""
    named = pattern(names(root / "exchanges"))
    for path in files(root):
        inside, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        allowed = example_lines(text) if inside.startswith(EXAMPLES[0]) and path.suffix == ".py" else set()
        for number, line in enumerate(text.splitlines(), 1):
            found = named.search(line)
            if found and number not in allowed:
                yield f"{inside}:{number}: names the exchange {found[0]!r}: {line.strip()[:100]}"


def main() -> int:
    """Print what was found."""
    found = list(findings(ROOT))
    print("\n".join(found) if found else "no exchange is named outside exchanges/, hooks, tests and documents")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
