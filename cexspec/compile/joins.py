"""Operations that have no request of their own: their rows are those of other operations together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cexspec.compile.checks import nearest
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import ErrorPlan, OperationPlan, Params
from cexspec.models import MODELS
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.problems import Findings


def compile_joined(name: str, spec: ExchangeSpec, errors: ErrorPlan, findings: Findings) -> OperationPlan:
    """Compile an operation that joins others; what is wrong goes to `findings`."""
    operation = spec.rest[name]
    _check(operation, spec.rest, findings)
    parts = operation.joins or []
    return OperationPlan(
        name=name,
        method="GET",
        path="",
        path_params=_of_nobody,
        build=_nothing,
        reader=None,
        values=None,
        ignored=None,
        pools=(),
        weight=lambda params: 0,
        params={},
        needs=frozenset(),
        page=None,
        each=(),
        kinds=_kinds([spec.rest[part] for part in parts if part in spec.rest]),
        idempotent=True,
        errors=errors,
        position=findings.position(operation.where),
        docs=operation.docs,
        joins=tuple(parts),
    )


def _check(operation: Operation, known: Mapping[str, Operation], findings: Findings) -> None:
    for at, part in enumerate(operation.joins or []):
        for message, hint in _misfits(operation, part, known):
            findings.error("CEX059", (*operation.where, "joins", at), message, hint)
    model = operation.returns
    if model not in MODELS:
        findings.error("CEX040", (*operation.where, "returns"), f"no unified model is called '{model}'", nearest(str(model), list(MODELS)))


def _misfits(operation: Operation, part: str, known: Mapping[str, Operation]) -> Iterator[tuple[str, str]]:
    one = known.get(part)
    if one is None:
        yield f"no operation is called '{part}'", nearest(part, list(known))
    elif one.joins is not None:
        yield f"'{part}' joins others itself", f"name them here: {', '.join(one.joins)}"
    elif one.returns != operation.returns:
        yield f"'{part}' returns {one.returns or 'nothing'}, and this returns {operation.returns}", "join operations of one model"


def _kinds(parts: list[Operation]) -> frozenset[str] | None:
    """The kinds that some part is for; None where one is for all."""
    kinds = [part.kinds for part in parts]
    return None if None in kinds else frozenset(kind for some in kinds for kind in some or ())


def _of_nobody(path: str) -> dict[str, str] | None:
    """No HTTP path is its own."""
    return None


def _nothing(params: Params) -> HttpRequest:
    raise TypeError("an operation that joins others sends no request of its own")
