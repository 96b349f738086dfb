"""secp256k1 and Keccak-256: what chains sign with. Both come with an extra (`cexspec[evm]`) and are imported on first use."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cexspec.models.errors import AuthenticationError

if TYPE_CHECKING:
    from coincurve import PrivateKey

_KEY = re.compile("[0-9a-f]{64}")


def private_key(secret: str, credential: str) -> PrivateKey:
    """The key of a hexadecimal secret, with or without `0x`. Raises `AuthenticationError` that names the credential."""
    library = needed("coincurve")
    digits = secret.strip().lower().removeprefix("0x")
    try:
        if _KEY.fullmatch(digits) is None:
            raise ValueError
        key: PrivateKey = library.PrivateKey(bytes.fromhex(digits))
    except ValueError:  # the curve has no key 0, nor any beyond its order
        raise AuthenticationError(f"credential {credential!r} is no private key: 64 hexadecimal digits") from None
    return key


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum has it: the padding from before SHA-3 was standardised."""
    digest: bytes = needed("Crypto.Hash.keccak").new(digest_bits=256, data=data).digest()
    return digest


def ethereum_address(key: PrivateKey) -> str:
    """The account of a key, in lower case."""
    return "0x" + keccak256(key.public_key.format(compressed=False)[1:])[-20:].hex()


def needed(module: str, extra: str = "evm") -> Any:
    """A module of an extra. Raises `ImportError` that says what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"signing for this venue needs {module!r}: pip install 'cexspec[{extra}]'") from error
