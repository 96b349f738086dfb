"""Which operations do what a client asks of an account."""

from __future__ import annotations

from cexspec.compile.asked import Ask, Space, check_when, compile_when
from cexspec.compile.checks import nearest
from cexspec.compile.filling import ORDERS
from cexspec.compile.verbs import BATCHES, PLACING, VERBS, serving, verb_of
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.problems import Findings


def compile_serves(name: str, operation: Operation, allowed: frozenset[str], findings: Findings) -> tuple[str | None, Ask]:
    """What an operation serves, and of which calls. Finds CEX069 (words that need a verb) and CEX080 (conditions)."""
    verb, where = verb_of(name, operation), operation.where
    if operation.when is not None and verb is None:
        findings.error("CEX069", (*where, "when"), f"'{name}' serves nothing that could be asked so", "add 'serves: place_order'")
    elif operation.when is not None:
        check_when(operation.when, allowed, findings, (*where, "when"))
    if operation.each_order is not None and verb not in BATCHES:
        hint = f"add 'serves: {' or '.join(sorted(BATCHES))}'"
        findings.error("CEX069", (*where, "each_order"), f"'{name}' is no batch of orders", hint)
    return verb, compile_when(operation.when)


def check_batch(operation: Operation, holes: frozenset[str], findings: Findings) -> None:
    """Find orders of a batch that nothing sends: CEX069."""
    if operation.each_order is not None and ORDERS not in holes:
        place = (*operation.where, "each_order")
        findings.error("CEX069", place, "the request doesn't hold {{ orders }}: they would not be sent", 'body: "{{ orders }}"')


def check_serving(spec: ExchangeSpec, findings: Findings) -> None:
    """Find operations that never serve, because those before them take every call: CEX081."""
    for verb in VERBS:
        names = serving(spec, verb)
        whens = [spec.rest[name].when for name in names]
        for name, boxes in zip(names, Space.of(whens).taken(whens), strict=True):
            if not boxes:
                text = f"no call reaches '{name}': those before it serve every {verb}"
                findings.error("CEX081", spec.rest[name].where, text, "move it up, or say in the others 'when' they serve")


def check_sent_once(operation: Operation, verb: str | None, *, idempotent: bool, findings: Findings) -> None:
    """Find orders that would be sent again where the answer is missing, and so be placed twice: CEX089."""
    if verb in PLACING and idempotent:
        key = "idempotent" if operation.idempotent else "get"
        text = f"'{key}' lets this be sent again, and an order whose answer is missing would be placed twice"
        findings.error("CEX089", (*operation.where, key), text, "the client looks such an order up: idempotent: false")


def check_accepts(operation: Operation, spec: ExchangeSpec, findings: Findings) -> None:
    """Find accepted codes that mean nothing where they aren't accepted: CEX082."""
    known = [*spec.errors.codes, *(operation.errors.codes if operation.errors is not None else ())]
    for at, code in enumerate(operation.accepts):
        if code not in known:
            text = f"no code '{code}' is listed under errors: what it means elsewhere isn't known"
            findings.error("CEX082", (*operation.where, "accepts", at), text, nearest(code, known) if known else "list it there")
