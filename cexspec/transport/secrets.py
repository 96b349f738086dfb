"""Takes secrets out of what is written down: values of keys that name a credential, in URLs and in JSON texts."""

from __future__ import annotations

import re

MASK = "***"

_NAMES = (
    r"(?:api|access|secret|listen)[_-]?key|(?:api|client)[_-]?secret|secret|sign|signature|passphrase|password|"
    r"(?:access|auth|api)?[_-]?token|jwt|auth|authorization|auth[_-]?(?:sig|payload|nonce)"
)
"""A bare `key` is none of them: venues call a subscription so."""

_USER = re.compile(r"(?<=://)[^/?#@]*@")
_QUERY = re.compile(rf"([?&;](?:{_NAMES})=)[^&;#]*", re.IGNORECASE)
_MEMBER = re.compile(rf'("(?:{_NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)
_LOGIN = re.compile(r'"(?:op|event|method|action|type)"\s*:\s*"[^"]*(?:auth|login)[^"]*"', re.IGNORECASE)
_LONG = re.compile(r'"(?:[^"\\]|\\.){12,}"')


def masked_url(url: str) -> str:
    """The URL without user and password, and with `***` for the values of query keys that name a credential."""
    return _QUERY.sub(rf"\g<1>{MASK}", _USER.sub("", url))


def masked_text(text: str) -> str:
    """A JSON text (or any other) with `***` for such members; everything else stays as it is, to the character.

    A message that logs in may give its credentials by position: there every longer string is masked.
    """
    text = _MEMBER.sub(rf'\g<1>"{MASK}"', text)
    return _LONG.sub(f'"{MASK}"', text) if _LOGIN.search(text) else text
