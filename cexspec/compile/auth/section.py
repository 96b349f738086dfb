"""The whole of a spec's `auth`: credentials, and what is wrong between its parts."""

from __future__ import annotations

from collections.abc import Mapping

from cexspec.compile.auth.recipes import compile_recipe
from cexspec.compile.checks import nearest
from cexspec.compile.exchange_plan import CredentialPlan
from cexspec.hooks import SIGNERS
from cexspec.models import AuthenticationError
from cexspec.models.credentials import Credentials
from cexspec.spec.model import Auth, ExchangeSpec
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where


def compile_credentials(auth: Auth | None) -> Mapping[str, CredentialPlan]:
    """Name -> what the venue gives; empty where nothing is private."""
    named = auth.credentials.items() if auth is not None else ()
    return {name: CredentialPlan(name, one.public, one.optional, one.docs) for name, one in named}


def recv_window(auth: Auth | None) -> int:
    """How old a request may be when it arrives, in milliseconds, where the caller doesn't say."""
    return round(auth.recv_window * 1000) if auth is not None else 0


def completed(auth: Auth | None, exchange: str, credentials: Credentials) -> Credentials:
    """The credentials with those that hooks tell from them. Raises `AuthenticationError` for those that are none."""
    recipes = auth.recipes.values() if auth is not None else ()
    hooks = [SIGNERS[recipe.hook] for recipe in recipes if recipe.hook is not None and recipe.hook in SIGNERS]
    found = dict(credentials)
    for hook in hooks:
        try:
            found = {**hook.values(credentials), **found}
        except AuthenticationError as error:
            raise AuthenticationError(error.message, exchange=exchange) from None
    return Credentials(found) if hooks else credentials


def check_auth(spec: ExchangeSpec, findings: Findings) -> None:
    """Compile all recipes; what is wrong goes to `findings`."""
    if spec.auth is None:
        return
    credentials = compile_credentials(spec.auth)
    for name in spec.auth.recipes:
        compile_recipe(name, spec.auth, spec.id, credentials, findings)


def check_recipe(name: str | None, spec: ExchangeSpec, findings: Findings, where: Where) -> None:
    """A recipe that is named somewhere is there."""
    recipes = list(spec.auth.recipes) if spec.auth is not None else []
    if name is not None and name not in recipes:
        hint = nearest(name, recipes) if recipes else "add 'auth: {credentials: ..., recipes: ...}' at the top"
        findings.error("CEX100", where, f"no recipe is called '{name}'", hint)
