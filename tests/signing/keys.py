"""Credentials of nobody, made for these tests: nothing anywhere is signed with them."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SEED = bytes(range(32))


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey) -> str:
    """As venues hand out private keys."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


RSA = pem(rsa.generate_private_key(65537, 2048))
EC = pem(ec.derive_private_key(int.from_bytes(SEED, "big"), ec.SECP256R1()))
SECP384R1 = pem(ec.derive_private_key(int.from_bytes(SEED, "big"), ec.SECP384R1()))
X25519 = pem(x25519.X25519PrivateKey.from_private_bytes(SEED))
ED25519 = pem(ed25519.Ed25519PrivateKey.from_private_bytes(SEED))
ED25519_BASE64 = base64.b64encode(SEED).decode()
ED25519_PAIR = base64.b64encode(SEED + ed25519.Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()

KEY, TEXT, PASSPHRASE = "cexspec-test-key", "cexspec-test-secret-Aa0-_", "cexspec test passphrase"
BASE64 = base64.b64encode(b"cexspec-test-secret of some length").decode()
