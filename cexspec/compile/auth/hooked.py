"""Recipes that name a hook: it signs the JSON body of a request, and gives the values of messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from cexspec.compile.checks import nearest
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import Params
from cexspec.compile.recipe import Moment, RecipePlan, Signed
from cexspec.hooks import SIGNERS, SignHook
from cexspec.models import AuthenticationError
from cexspec.models.credentials import Credentials
from cexspec.spec.model.auth import Recipe
from cexspec.spec.problems import Findings


def compile_hooked(name: str, recipe: Recipe, docs: str | None, exchange: str, findings: Findings) -> RecipePlan:
    """The plan of a recipe whose hook signs; an unknown hook goes to `findings`."""
    assert recipe.hook is not None
    hook = SIGNERS.get(recipe.hook)
    if hook is None:
        findings.error(
            "CEX047", (*recipe.where, "hook"), f"no signing hook is registered as '{recipe.hook}'", nearest(recipe.hook, [*SIGNERS])
        )
    signer = _HookSigner(exchange, hook)
    return RecipePlan(
        name=name,
        needs=hook.needs if hook else frozenset(),
        sign=signer.sign,
        values=signer.values,
        position=findings.position(recipe.where),
        docs=docs,
        offers=hook.offers if hook else frozenset(),
    )


class _HookSigner:
    """Hands requests to a hook."""

    def __init__(self, exchange: str, hook: SignHook | None) -> None:
        self._exchange, self._hook = exchange, hook

    def sign(self, request: HttpRequest, base_url: str, credentials: Credentials, moment: Moment) -> Signed:
        """The request with the body that the hook makes of its own."""
        assert self._hook is not None
        try:
            done = self._hook.sign(msgspec.json.decode(request.body or b"{}"), credentials, moment.nonce, moment.environment)
        except AuthenticationError as error:
            raise AuthenticationError(error.message, exchange=self._exchange) from None
        return Signed(replace(request, body=msgspec.json.encode(done.body)), done.prehash, done.signature)

    def values(self, credentials: Credentials, moment: Moment, given: Params) -> Mapping[str, Any]:
        """What follows from the credentials, beside what the message brings along."""
        assert self._hook is not None
        return {**given, **self._hook.values(credentials)}
