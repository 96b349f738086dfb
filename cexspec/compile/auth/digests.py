"""Digests and encodings by the names that specs use."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from cexspec.compile.auth.keys import Key
from cexspec.spec.model.auth import DigestName, Encoding, KeyKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Digest = Callable[[bytes], bytes]

_HMAC = "hmac-"
_ASYMMETRIC: dict[str, KeyKind] = {"rsa-sha256": "rsa", "ecdsa-sha256": "ec", "ed25519": "ed25519"}
_BITS = 8
_ORDERS = {"secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551}
"""Curve -> its order; of s and order - s, which are equally good, the lower is taken."""


def key_kind(digest: DigestName) -> KeyKind | None:
    """The kind of key that a digest takes; None: it takes none."""
    return "text" if digest.startswith(_HMAC) else _ASYMMETRIC.get(digest)


def digest_function(digest: DigestName, key: Key | None) -> Digest:
    """The digest as a function of bytes. `key` is of the digest's kind."""
    if key is None:
        begin = getattr(hashlib, digest)
        return lambda data: begin(data).digest()
    if digest.startswith(_HMAC):
        return _hmac(key.material, digest.removeprefix(_HMAC))
    if digest == "rsa-sha256":
        return _rsa(key.material)
    return _ecdsa(key.material) if digest == "ecdsa-sha256" else partial(key.material.sign)


def _hmac(secret: bytes, name: str) -> Digest:
    """HMAC (RFC 2104) whose two hashes have the key in them from the start: half the time of doing that at each call."""
    size = hashlib.new(name).block_size
    block = (secret if len(secret) <= size else hashlib.new(name, secret).digest()).ljust(size, b"\0")
    inner, outer = (hashlib.new(name, bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def sign(data: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(data)
        second.update(first.digest())
        return second.digest()

    return sign


def _rsa(key: RSAPrivateKey) -> Digest:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return lambda data: key.sign(data, PKCS1v15(), SHA256())


def _ecdsa(key: EllipticCurvePrivateKey) -> Digest:
    """r and s side by side, as JOSE has it; deterministic (RFC 6979) and with the lower s, so that a request has one signature."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    scheme, size = ECDSA(SHA256(), deterministic_signing=True), -(-key.curve.key_size // _BITS)

    order = _ORDERS.get(key.curve.name, 0)

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, scheme))
        return b"".join(number.to_bytes(size, "big") for number in (r, order - s if 2 * s > order > 0 else s))

    return sign


ENCODERS: dict[Encoding, str] = {
    "hex": "{}.hex()",
    "base64": "b2a_base64({}, newline=False).decode()",
    "base64url": "urlsafe_b64encode({}).rstrip(b'=').decode()",
}
"""How bytes are written as text, as code; `raw` ones are not."""
ENCODING = {"b2a_base64": b2a_base64, "urlsafe_b64encode": urlsafe_b64encode}
"""The names of that code."""
