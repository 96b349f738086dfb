"""What can be traded at a mock venue: its instruments, as a client reads them from its answers."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cexspec.engine.normalize import Normalizer
from cexspec.mock.answers import Answers
from cexspec.mock.listing import INSTRUMENTS
from cexspec.mock.requests import Asked
from cexspec.mock.samples import Samples
from cexspec.models import Instrument

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def tradable(spec: Path, samples: Samples, answers: Answers) -> list[Instrument]:
    """The instruments of all calls that the samples show."""
    reader = Normalizer(str(spec))
    names = reader.exchange.operation(INSTRUMENTS).joins or (INSTRUMENTS,)
    calls = [(name, dict(given)) for name in names for given in samples.calls(name) or [{}]]
    events = [event for name, given in calls for event in reader.rest(name, _ENCODER.encode(answers.answer(Asked((name,), given))), given)]
    return [event for event in events if isinstance(event, Instrument)]
