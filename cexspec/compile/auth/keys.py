"""Keys: what a credential's text is as a key, and its bytes or private key. Errors name the credential, never its value."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from cexspec.models import AuthenticationError
from cexspec.spec.model.auth import KeyKind

Decoding = Literal["text", "base64", "hex"]

KINDS: dict[KeyKind, str] = {
    "text": "plain text",
    "rsa": "a PEM private key of RSA",
    "ec": "a PEM private key of an elliptic curve",
    "ed25519": "an Ed25519 key, in PEM or base64",
}
"""Kind -> what such a key is, in words."""

_SEEDS = (44, 88)
"""Characters of base64 that hold an Ed25519 seed, alone or with its public key behind it."""
_SEED = 32


@dataclass(frozen=True, slots=True)
class Key:
    """A key ready for use: bytes of a `text` one, else a private key of the cryptography package."""

    kind: KeyKind
    material: Any = field(repr=False)


def read_key(name: str, text: str, decode: Decoding, kinds: frozenset[KeyKind]) -> Key:
    """The key that a credential holds, of one of the kinds that are of use. Raises `AuthenticationError`."""
    if "text" in kinds and (len(kinds) == 1 or not _private_looking(text, kinds)):
        return Key("text", _decoded(name, text, decode))
    key = _private(name, text)
    if key.kind not in kinds:
        wanted = " or ".join(KINDS[kind] for kind in sorted(kinds))
        raise AuthenticationError(f"the credential '{name}' is {KINDS[key.kind]}, and has to be {wanted}")
    return key


def _private_looking(text: str, kinds: frozenset[KeyKind]) -> bool:
    """Whether a text is meant as a private key, where plain text would do as well."""
    return "-----BEGIN" in text or ("ed25519" in kinds and _seed(text) is not None)


def _seed(text: str) -> bytes | None:
    stripped = text.strip()
    if len(stripped) not in _SEEDS:
        return None
    try:
        return base64.b64decode(stripped, validate=True)[:_SEED]
    except binascii.Error:
        return None


def _private(name: str, text: str) -> Key:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # costs 20 ms: only where such a key is used
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    seed = _seed(text)
    if seed is not None:
        return Key("ed25519", ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    if "-----BEGIN" not in text:
        return Key("text", text.encode())
    try:
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), None)
    except (ValueError, TypeError):
        raise AuthenticationError(f"the credential '{name}' is no readable PEM private key (one without a password)") from None
    kinds: tuple[tuple[type, KeyKind], ...] = (
        (rsa.RSAPrivateKey, "rsa"), (ec.EllipticCurvePrivateKey, "ec"), (ed25519.Ed25519PrivateKey, "ed25519"),
    )  # fmt: skip
    for kind, word in kinds:
        if isinstance(key, kind):
            return Key(word, key)
    raise AuthenticationError(f"the credential '{name}' is a PEM key of a kind that no recipe uses")


_DECODERS: dict[Decoding, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": lambda text: base64.b64decode(text, validate=True),
    "hex": bytes.fromhex,
}


def _decoded(name: str, text: str, decode: Decoding) -> bytes:
    try:
        return _DECODERS[decode](text)
    except ValueError:
        raise AuthenticationError(f"the credential '{name}' is not written in {decode}") from None
