"""The few doors for quirks that data can't say. Hooks are pure: time, nonces and randomness are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

from cexspec.models import Level, Number


@dataclass(frozen=True, slots=True)
class Precision:
    """The decimals in which an instrument's prices and sizes are written."""

    price: int
    size: int

    @classmethod
    def of(cls, tick: Number, step: Number) -> Precision:
        """As many as the instrument's price and size steps have: 0.10 has one."""
        return cls(_decimals(tick), _decimals(step))


def _decimals(step: Number) -> int:
    exponent = Decimal(str(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class BookChecksum(Protocol):
    """A venue's checksum over the top of a book.

    `bids` and `asks` are best first, at most the depth the spec names, with prices and sizes as `Decimal`s that keep
    the venue's digits. `precision` is the instrument's where the spec says `precision: instrument` and it is known.
    Returns the integer the venue sends.
    """

    def __call__(self, bids: Sequence[Level], asks: Sequence[Level], precision: Precision | None = None) -> int:
        """The checksum."""


Tree = Any
"""What JSON holds: mappings (their keys in order), lists, texts, numbers, booleans, None."""


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A body as it goes out, the text (or the digest, in hex) that was signed, and the signature."""

    body: Tree
    prehash: str
    signature: str


class SignHook(Protocol):
    """Signs the bodies of one venue, where no recipe can say how."""

    @property
    def needs(self) -> frozenset[str]:
        """The credentials it can't do without."""

    @property
    def offers(self) -> frozenset[str]:
        """The names of `values`."""

    def values(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Credentials that follow from others and aren't secret (an address); none where these don't tell.

        Raises `AuthenticationError` for those that are none.
        """

    def opened(self, body: Tree) -> tuple[Tree, int, Mapping[str, str]]:
        """The reverse of `sign`: the body that was signed, the nonce, the parameters. Raises `InvalidRequest` where that is none."""

    def sign(
        self, body: Tree, credentials: Mapping[str, str], nonce: int, environment: str, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> SignedBody:
        """The body (an operation's, holes filled) as the venue accepts it.

        `nonce` grows with each call: milliseconds since the epoch, or more where calls come faster. `environment` is the
        spec's name of it. `parameters` are further values, where the hook documents some.
        Raises `AuthenticationError` for credentials that can't sign, naming them and never their value; `InvalidRequest` for a
        body that it can't read, `InvalidOrder` for numbers the venue has no form for.
        """
