"""Takes out of recorded requests what signing put into them: it differs each time, or is secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cexspec.compile.exchange import Exchange
from cexspec.models import Credentials
from cexspec.transport.secrets import MASK, masked_text, masked_url

Mask = Callable[[str], str]
Masks = tuple[Mask, Mask]
"""What masks URLs, and what masks bodies."""
USUAL: Masks = (masked_url, masked_text)
HOOKED = ("nonce", "signature")
"""Members by which hooks sign."""


def signed_names(exchange: Exchange) -> list[str]:
    """Names of the parameters that the recipes of an exchange put into requests."""
    recipes = list(exchange.spec.auth.recipes.values()) if exchange.spec.auth is not None else []
    own = {name for recipe in recipes for name in (*recipe.add, *recipe.append, *recipe.sign_into)}
    return sorted(own.union(*(HOOKED for recipe in recipes if recipe.hook is not None)))


def secret(exchange: Exchange, credentials: Credentials) -> Credentials:
    """Those of the credentials that are nobody's business; an address is everybody's."""
    return Credentials({name: value for name, value in credentials.items() if not exchange.credentials[name].public})


def masking(exchange: Exchange, credentials: Credentials) -> Masks:
    """What masks URLs, and what masks bodies."""
    members, hidden = signed_members(signed_names(exchange)), secret(exchange, credentials)
    return (
        lambda url: hidden.masked(members(masked_url(url))),
        lambda text: hidden.masked(members(masked_text(text))),
    )


def masking_frames(exchange: Exchange, credentials: Credentials) -> Mask:
    """What masks frames, as a `FrameLog` does that knows the credentials."""
    hidden = secret(exchange, credentials)
    return lambda frame: hidden.masked(masked_text(frame))


def signed_members(names: Iterable[str]) -> Mask:
    """What masks the values of these names, in queries, forms and JSON."""
    any_of = "|".join(re.escape(name) for name in names)
    if not any_of:
        return str
    pair, member = re.compile(rf"((?:^|[?&])(?:{any_of})=)[^&]*"), re.compile(rf'("(?:{any_of})"\s*:\s*)(?:"[^"]*"|-?[\d.]+)')
    return lambda text: member.sub(rf'\g<1>"{MASK}"', pair.sub(rf"\g<1>{MASK}", text))
