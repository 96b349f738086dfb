"""Takes secrets out of what is written down: credentials, signatures and tokens in URLs, headers, forms and JSON texts.

What to mask is told by names and by forms (a JWT, a PEM key), so that it also holds for what nobody here knows the value of.
Whoever knows the values masks them too: `Credentials.masked`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"

_NAMES = (
    r"(?:api|access|secret|listen|private)[_-]?key(?:[_-]?id)?|(?:api|client)[_-]?secret|secret|sig|sign|signature|passphrase|password|"
    r"(?:access|auth|api|bearer)?[_-]?token|jwt|auth|authorization|auth[_-]?(?:sig|payload|nonce)|mnemonic|seed"
)
"""A bare `key` is none of them: venues call a subscription so."""

_USER = re.compile(r"(?<=://)[^/?#@]*@")
_PAIR = re.compile(rf"((?:^|[?&;])(?:{_NAMES})=)[^&;#\s\"]*", re.IGNORECASE)
_SEGMENT = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}(?=[/?#]|$)")
_MEMBER = re.compile(rf'("(?:{_NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)
_STRUCTURE = re.compile(r'("(?:sign|signature|auth|credentials)"\s*:\s*)(?:\{[^{}]*\}|\[[^\[\]]*\])', re.IGNORECASE)
_KEY = re.compile(r'("key"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)
_SIGNED = re.compile(r'"(?:sign|signature|passphrase)"\s*:', re.IGNORECASE)
_LOGIN = re.compile(r'"(?:op|event|method|action|type)"\s*:\s*"[^"]*(?:auth|login)[^"]*"', re.IGNORECASE)
_LONG = re.compile(r'"(?:[^"\\]|\\.){12,}"')
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_PEM = re.compile(r"-----BEGIN [^-]*KEY-----.*?(?:-----END [^-]*KEY-----|$)", re.DOTALL)
_HEADER = re.compile(r"key|sign|secret|pass|token|auth|cookie|jwt|nonce", re.IGNORECASE)


def masked_url(url: str) -> str:
    """The URL without user and password, with `***` for values of query keys that name a credential, and for tokens in its path."""
    address, mark, query = _USER.sub("", url).partition("?")
    return masked_form(_SEGMENT.sub(MASK, address) + mark + query)


def masked_form(text: str) -> str:
    """A query or a form (`a=1&b=2`) with `***` for such values."""
    return _free(_PAIR.sub(rf"\g<1>{MASK}", text))


def masked_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers with `***` for all whose names may say that they hold a credential, a signature or a session."""
    return [(name, MASK if _HEADER.search(name) else masked_form(value)) for name, value in headers]


def masked_text(text: str) -> str:
    """A JSON text (or a form, or any other) with `***` for such members; everything else stays as it is, to the character.

    A message that logs in may give its credentials by position: there every longer string is masked.
    """
    signed = _SIGNED.search(text) is not None
    text = _MEMBER.sub(rf'\g<1>"{MASK}"', _STRUCTURE.sub(rf'\g<1>"{MASK}"', text))
    if signed:
        text = _KEY.sub(rf'\g<1>"{MASK}"', text)
    return masked_form(_LONG.sub(f'"{MASK}"', text) if _LOGIN.search(text) else text)


def _free(text: str) -> str:
    """What is a secret by its form, wherever it stands."""
    return _PEM.sub(MASK, _JWT.sub(MASK, text))
