"""Files of samples that can't be read say so, with the case that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.mock.samples import Samples
from cexspec.models import SpecError

BROKEN_SAMPLES = {
    "a: [": "can't be read",
    "a: b": "is no list of cases",
    "- text": "case 1 is no mapping",
    "- {operation: ticker}": "case 1 has no text as its 'raw'",
    "- {raw: '{}'}\n- {raw: '{}', operation: [ticker]}": "case 2 has a 'operation' that is none",
    "- {raw: '{}', events: [1]}": "case 1 has an event that is no mapping",
    "- {raw: '{}', status: high}": "case 1 has a 'status' that is none",
}


@pytest.mark.parametrize("text", BROKEN_SAMPLES)
def test_samples_that_are_none_are_an_error_of_the_spec(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "samples" / "made_up"
    folder.mkdir(parents=True)
    (folder / "messages.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=BROKEN_SAMPLES[text]):
        Samples.load(tmp_path / "made_up.yaml")


def test_samples_may_be_empty(tmp_path: Path) -> None:
    folder = tmp_path / "samples" / "made_up"
    folder.mkdir(parents=True)
    for name in ("messages", "errors"):
        (folder / f"{name}.yaml").write_text("# nothing yet\n", encoding="utf-8")
    assert Samples.load(tmp_path / "made_up.yaml") == Samples((), ())
