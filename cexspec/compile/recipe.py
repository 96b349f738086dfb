"""Signing recipes, compiled: what makes a private request or message acceptable to the venue. Pure: time and nonce are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from cexspec.compile.http_request import PARTS, HttpRequest, Pairs, Part
from cexspec.compile.plan import Params
from cexspec.models.credentials import Credentials
from cexspec.spec.source import Position


class Moment(Struct, frozen=True):
    """When something is signed, and where: `now` in nanoseconds on the venue's clock, a `nonce` that grows, `recv_window` in
    milliseconds, the spec's name of the environment (a hook's signature may depend on it).
    """

    now: int
    nonce: int
    recv_window: int
    environment: str = "live"


class Signed(Struct, frozen=True):
    """A request as it goes out, what was signed, and the signature; these are empty where nothing is."""

    request: HttpRequest
    signed: str | bytes
    signature: str

    @property
    def prehash(self) -> str:
        """What was signed, as text."""
        return readable(self.signed)

    def __repr__(self) -> str:
        return f"Signed({self.request!r})"


def readable(signed: str | bytes) -> str:
    """What was signed, as text; bytes that are none are escaped."""
    return signed if isinstance(signed, str) else signed.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Passage:
    """What all requests of an operation have in common on their way out. `path` is None where it isn't the same for all of them.

    `headers` are their own; `common` are those of all requests to the environment, which give way to them. Parts that aren't among
    `carries` none of them has.
    """

    method: str
    base_url: str
    path: str | None
    headers: Pairs = ()
    common: Pairs = ()
    carries: frozenset[Part] = frozenset(PARTS)


class Watch(Protocol):
    """Tells the time, and counts nonces. `offset` is how far the venue's clock is ahead, in nanoseconds; None: not measured yet."""

    offset: int | None

    def time_ns(self) -> int:
        """Local time in nanoseconds."""

    def next_nonce(self, now: int) -> int:
        """The next nonce, at a local time in nanoseconds."""


Make = Callable[[str, str, Pairs, bytes | None, float], Any]
"""Makes what is sent of method, URL, headers, body and seconds to wait."""
Outgoing = Callable[[HttpRequest, float], Any]
"""(request, seconds to wait) -> what is sent, signed"""


@dataclass(frozen=True, slots=True)
class RecipePlan:
    """One recipe of `auth.recipes`.

    `sign(request, base_url, credentials, moment)` signs a REST request. `values(credentials, moment, given)` are the values of
    the holes that a message signed by it may have (`api_key`, `signature`, `timestamp`, ... and the recipe's own). Both raise
    `AuthenticationError` that names the credential that is missing or unusable, and never its value.

    `outgoing(passage, credentials, recv_window, make, watch)` writes the function that signs the requests of one operation as `sign`
    does, at the time of `watch`, and gives them as they are sent. None: there is no faster way than `sign`.

    `offers` are the names of those values, times among them (`now`, `expires`) in nanoseconds; with them comes `prehash`, the text
    that was signed; `given` are the holes that the
    message brings along; with `of_requests` it reads parts of a request, so that no message can be signed by it.
    """

    name: str
    needs: frozenset[str]
    sign: Callable[[HttpRequest, str, Credentials, Moment], Signed]
    values: Callable[[Credentials, Moment, Params], Mapping[str, Any]]
    position: Position
    docs: str | None = None
    offers: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    of_requests: bool = False
    outgoing: Callable[[Passage, Credentials, int, Make, Watch], Outgoing] | None = None
    counted: bool = False
    """it takes nonces: what is signed by it has to arrive in its order"""
