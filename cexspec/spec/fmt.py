"""The one spelling of a spec: keys in the order of the language, short forms, quotes where needed, comments kept."""

from __future__ import annotations

from typing import Any

from cexspec.models import SpecError
from cexspec.spec.arrange import arrange, short_step, step_into
from cexspec.spec.comments import Annotations, annotate
from cexspec.spec.compose import compose
from cexspec.spec.layout import layout
from cexspec.spec.load import ROOT
from cexspec.spec.model.node import Plain
from cexspec.spec.scalars import means_json
from cexspec.spec.shape import NodeOf, Shape, Tree, children, resolve
from cexspec.spec.source import Entry


def format_text(text: str, name: str) -> str:
    """The one spelling of a spec text. Raises SpecError where the text is no YAML that a spec may be."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    composed = compose(text, name)
    if composed.root is None or composed.problems:
        raise SpecError(str(composed.problems[0]), composed.problems)
    anew = written(composed.root, annotate(text, composed.root))
    again = compose(anew, name).root
    if again is None or meaning(ROOT, again) != meaning(ROOT, composed.root):
        raise SpecError(f"{name}: written anew it would not mean the same, so it stays as it is")
    return anew


def written(root: Entry, annotations: Annotations | None = None) -> str:
    """The text of a spec's entries, with the comments of the text that they come from."""
    around = annotations or Annotations()
    lines = layout(arrange(ROOT, root, (), around.notes))
    return _joined([*around.top, *lines, *around.end])


def meaning(shape: Shape, entry: Entry) -> Any:
    """What an entry says, however it is spelt."""
    while (step := short_step(shape, entry)) is not None:
        entry = step_into(entry, step)
    shape = resolve(shape, entry)
    if isinstance(entry.value, str):
        return isinstance(entry.value, Plain) and means_json(entry.value, isinstance(shape, Tree)), str(entry.value)
    inner = [(key, meaning(child_shape, child)) for key, child_shape, child in children(shape, entry)]
    return dict(inner) if isinstance(shape, NodeOf) else (type(entry.value), inner)


def _joined(lines: list[str]) -> str:
    """Lines to a file: never two blank ones in a row, none at its ends."""
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip("\n") + "\n"
