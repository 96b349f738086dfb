"""Answers to private requests: what they do on paper, in the words of the samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from cexspec.compile.exchange import Exchange
from cexspec.mock.accounts import Accounts
from cexspec.mock.bodies import Refused
from cexspec.mock.encode import Encoder
from cexspec.mock.kept import keeps, verbs
from cexspec.mock.market import Row
from cexspec.mock.requests import OF_ALL, Asked
from cexspec.mock.samples import Samples, decode
from cexspec.mock.shaping import shaped
from cexspec.models import ExchangeError
from cexspec.spec.model import Operation

LISTS = OF_ALL - {"cancel_all_orders"}
"""Verbs that answer with many rows, newest first."""
READING = LISTS | {"order"}
"""Verbs that change nothing."""


Permission = Literal["read", "trade"]


class PrivateAnswers:
    """Does what private requests ask, and answers them. `permissions` are those of the key that signs them."""

    def __init__(self, exchange: Exchange, samples: Samples, accounts: Accounts, permissions: Iterable[Permission]) -> None:
        self._exchange, self._samples, self._accounts, self._permissions = exchange, samples, accounts, frozenset(permissions)
        self._verbs = verbs(exchange.spec)

    def verb(self, operation: str) -> str | None:
        """What an operation does for an account; None: it is about markets."""
        return self._verbs.get(operation)

    def answer(self, asked: Asked) -> Any:
        """The decoded body. Raises `Refused`."""
        name = asked.operations[0]
        spec, verb, case = self._exchange.spec.rest[name], str(self.verb(name)), self._samples.answer(name, asked.params)
        if ("read" if verb in READING else "trade") not in self._permissions:
            raise Refused(f"the key has no permission for {verb}", "PermissionDenied")
        if case is None:
            raise Refused(f"there is no sample answer of {name}", "ExchangeUnavailable")
        try:
            rows = self._accounts.run(verb, asked.params)
        except ExchangeError as refused:
            raise Refused(str(refused), type(refused).__name__) from None
        sample = decode(case["raw"])
        if spec.returns is None:
            return sample
        encoder = Encoder([spec], sample, self._exchange.intervals)
        rows = [row for row in rows if self._fits(spec, row) and (verb not in LISTS or self._keeps(verb, spec, row))]
        found = [
            shaped(row, spec.fields or {}, case.get("events") or (), encoder.samples) for row in (reversed(rows) if verb in LISTS else rows)
        ]
        listed = self._accounts.listed(rows[0]) if rows else None
        return encoder.encode(found, listed.branches if listed is not None else ())

    def _keeps(self, verb: str, spec: Operation, row: Row) -> bool:
        rest = self._exchange.spec.rest
        return keeps(spec, [rest[name] for name, one in self._verbs.items() if one == verb and rest[name].joins is None], row)

    def _fits(self, spec: Operation, row: Row) -> bool:
        listed = self._accounts.listed(row)
        return spec.kinds is None or listed is None or listed.symbol.kind in spec.kinds
