"""How a text is written in YAML: unquoted where that keeps its meaning, else in quotes."""

from __future__ import annotations

import json
import re

from cexspec.spec.model.node import Plain

_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|-(?=[^\s,\[\]{}])")
_UNPRINTABLE = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def write(text: str, *, flow: bool, tree: bool) -> str:
    """A text in YAML. `flow`: inside brackets or braces; `tree`: where an unquoted 1, true or null is JSON's."""
    if plain(text, flow=flow) and (isinstance(text, Plain) or not means_json(text, tree)):
        return str(text)
    if ('"' in text or "\\" in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def plain(text: str, *, flow: bool) -> bool:
    """Whether YAML reads a text back when it stands unquoted."""
    if not _START.match(text) or not text.isprintable() or text != text.strip() or text.startswith(("---", "...")):
        return False
    if ": " in text or " #" in text or text.endswith(":"):
        return False
    return not (flow and (":?" in text or any(char in ",[]{}" for char in text)))


def block(text: str) -> list[str] | None:
    """A text of several lines as a literal block: its header and lines; None where it is better quoted."""
    lines = text.split("\n")
    fit = all(line.isprintable() and (not line or line.strip()) for line in lines) and lines[0] and not lines[0].startswith(" ")
    if len(lines) < 2 or not fit or text.endswith("\n\n"):
        return None
    return ["|", *lines[:-1]] if text.endswith("\n") else ["|-", *lines]


def means_json(text: str, tree: bool) -> bool:
    """Whether an unquoted text would be read as something else: a number or word of JSON in a tree, null anywhere."""
    if not tree:
        return text == "null"
    try:
        return not isinstance(json.loads(text), str | list | dict)
    except (ValueError, RecursionError):
        return False


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
