"""The good records of a batch that has a bad one: read one by one, so that a bad one doesn't take the others along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cexspec.compile.extract import Extractor
from cexspec.compile.plan import Context
from cexspec.models import Event


class Salvage:
    """Reads the records of a mapping of many items one by one: the slow way, taken once the whole has failed."""

    def __init__(self, extractor: Extractor) -> None:
        wire, items = extractor.wire, extractor.items
        plain = items.plain or wire.node(items.element).plain
        self._extract = extractor.reading(lambda message: message)
        self._message = wire.decoder(extractor.wire_type if plain else wire.whole(items.element)).decode
        self._records: Callable[[Any], Any] = eval(f"lambda m: {extractor.loop}", extractor.extract.__globals__)
        self._item = (lambda item: item) if plain else wire.decoder(wire.type_at(items.element)).decode
        self._together = "," in items.variables
        """a record comes with its key, its place, or the outer list's element"""

    def read(
        self, frame: bytes, context: Context, failures: tuple[type[Exception], ...]
    ) -> tuple[list[Event], list[tuple[int, Exception]]]:
        """The events of the good records; number and failure of each bad one. What is wrong around them is raised."""
        message = self._message(frame)
        events: list[Event] = []
        bad: list[tuple[int, Exception]] = []
        for number, record in enumerate(self._records(message)):
            try:
                events += self._extract(context, message, [self._decoded(record)])
            except failures as failure:
                bad.append((number, failure))
        return events, bad

    def _decoded(self, record: Any) -> Any:
        if not self._together:
            return self._item(record)
        with_it, item = record
        return with_it, self._item(item)
