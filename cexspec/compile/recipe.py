"""Signing recipes, compiled: what makes a private request or message acceptable to the venue. Pure: time and nonce are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cexspec.compile.plan import HttpRequest, Params
from cexspec.models.credentials import Credentials
from cexspec.spec.source import Position


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is signed: `now` in nanoseconds on the venue's clock, a `nonce` that grows, `recv_window` in milliseconds."""

    now: int
    nonce: int
    recv_window: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it goes out, the text that was signed, and the signature. `prehash` and `signature` are empty where nothing is."""

    request: HttpRequest
    prehash: str
    signature: str


@dataclass(frozen=True, slots=True)
class RecipePlan:
    """One recipe of `auth.recipes`.

    `sign(request, base_url, credentials, moment)` signs a REST request. `values(credentials, moment, given)` are the values of
    the holes that a message signed by it may have (`api_key`, `signature`, `timestamp`, ... and the recipe's own). Both raise
    `AuthenticationError` that names the credential that is missing or unusable, and never its value.
    """

    name: str
    needs: frozenset[str]
    sign: Callable[[HttpRequest, str, Credentials, Moment], Signed]
    values: Callable[[Credentials, Moment, Params], Mapping[str, str]]
    position: Position
    docs: str | None = None
