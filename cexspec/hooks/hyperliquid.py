"""Hyperliquid's signature of actions: MessagePack, Keccak-256 and an EIP-712 message, signed with secp256k1.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/signing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from types import MappingProxyType

import msgspec

from cexspec.hooks.protocol import SignedBody, Tree
from cexspec.hooks.secp256k1 import ethereum_address, keccak256, private_key
from cexspec.models.errors import AuthenticationError, InvalidOrder, InvalidRequest

_NUMBERS = frozenset({"p", "s", "triggerPx"})
"""the keys of prices and sizes"""
_DECIMALS = Decimal("1e-8")
_ADDRESS = re.compile("0x[0-9a-f]{40}")
_KEY = "private_key"


class Hyperliquid:
    """Wraps an action (the body) to `{action, nonce, signature, vaultAddress?, expiresAfter?}`.

    The order of the action's keys is part of what is signed: a spec writes them as the venue documents them. Prices and sizes
    are brought to the one form the venue hashes ("100", never "100.0"), addresses and client ids to lower case.

    Credentials: `private_key` of the account, or of an agent the account approved; then `wallet_address` is the account's.
    `vault_address`: the vault or subaccount that is traded for. Value: `user`, whose orders and positions they are.
    Parameters: `expires_after`, milliseconds since the epoch, after which the venue refuses the action.
    The environment named `testnet` signs as the test network, all others as the main one.
    """

    needs = frozenset({_KEY})
    offers = frozenset({"user"})

    def values(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """`user`: whose orders and positions they are: the vault's, else the wallet's, else those of the private key's own account."""
        for name in ("vault_address", "wallet_address"):
            if credentials.get(name):
                return {"user": _address(credentials, name)}
        return {"user": ethereum_address(private_key(_secret(credentials), _KEY))} if credentials.get(_KEY) else {}

    def opened(self, body: Tree) -> tuple[Tree, int, Mapping[str, str]]:
        """The action, the nonce, and until when it holds."""
        if not isinstance(body, Mapping) or not isinstance(body.get("action"), Mapping) or not isinstance(body.get("nonce"), int):
            raise InvalidRequest("an action comes signed: {action, nonce, signature}")
        return body["action"], body["nonce"], {"expires_after": str(body["expiresAfter"])} if "expiresAfter" in body else {}

    def sign(
        self, body: Tree, credentials: Mapping[str, str], nonce: int, environment: str, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> SignedBody:
        """The action signed. The prehash is its connection id (hex), the signature r, s and v in one."""
        if not isinstance(body, Mapping) or "type" not in body:
            raise InvalidRequest("what is signed is an action: a mapping with a 'type'")
        action = wire(body)
        vault = _address(credentials, "vault_address") if credentials.get("vault_address") else None
        expires = int(parameters["expires_after"]) if "expires_after" in parameters else None
        connection = connection_id(action, nonce, vault, expires)
        key = private_key(_secret(credentials), _KEY)
        signature = key.sign_recoverable(_agent(connection, "b" if environment == "testnet" else "a"), hasher=None)
        signed = {"action": action, "nonce": nonce, "signature": _parts(signature)}
        if vault is not None:
            signed["vaultAddress"] = vault
        if expires is not None:
            signed["expiresAfter"] = expires
        return SignedBody(signed, connection.hex(), "0x" + signature[:64].hex() + f"{27 + signature[64]:x}")


def connection_id(action: Tree, nonce: int, vault: str | None = None, expires: int | None = None) -> bytes:
    """What an action is known by: the hash of it, its nonce, for whom it trades, and until when it holds."""
    parts = [msgspec.msgpack.encode(action), nonce.to_bytes(8, "big")]
    parts.append(b"\x00" if vault is None else b"\x01" + bytes.fromhex(vault[2:]))
    if expires is not None:
        parts.append(b"\x00" + expires.to_bytes(8, "big"))
    return keccak256(b"".join(parts))


def wire(tree: Tree, key: str = "") -> Tree:
    """A tree as it is hashed: numbers in their one form, hexadecimal texts in lower case, keys in their order."""
    if isinstance(tree, Mapping):
        return {name: wire(value, name) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [wire(value) for value in tree]
    if isinstance(tree, str):
        if key in _NUMBERS:
            return number(tree)
        return tree.lower() if tree[:2] in ("0x", "0X") else tree
    return tree


def number(text: str) -> str:
    """A price or size as the venue writes it: at most 8 decimals, no zeros at the end, no exponent."""
    try:
        value = Decimal(text)
        fits = value == value.quantize(_DECIMALS)
    except InvalidOperation:
        raise InvalidOrder(f"{text!r} is no price or size") from None
    if not fits:
        raise InvalidOrder(f"{text} has more than 8 decimals")
    return f"{value.normalize():f}" if value else "0"


def _secret(credentials: Mapping[str, str]) -> str:
    secret = credentials.get(_KEY)
    if not secret:
        raise AuthenticationError(f"credential {_KEY!r} is missing")
    return secret


def _address(credentials: Mapping[str, str], name: str) -> str:
    address = credentials[name].strip().lower()
    if _ADDRESS.fullmatch(address) is None:
        raise AuthenticationError(f"credential {name!r} is no address: 0x and 40 hexadecimal digits")
    return address


def _agent(connection: bytes, source: str) -> bytes:
    """The digest of the EIP-712 message that stands for an action: an agent of that source and connection."""
    domain, agent = _types()
    return keccak256(b"\x19\x01" + domain + keccak256(agent + keccak256(source.encode()) + connection))


@cache
def _types() -> tuple[bytes, bytes]:
    """The hashes that never change: of the domain, and of the type `Agent`."""
    kind = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    domain = keccak256(kind + keccak256(b"Exchange") + keccak256(b"1") + (1337).to_bytes(32, "big") + bytes(32))
    return domain, keccak256(b"Agent(string source,bytes32 connectionId)")


def _parts(signature: bytes) -> dict[str, Tree]:
    return {"r": "0x" + signature[:32].hex(), "s": "0x" + signature[32:64].hex(), "v": 27 + signature[64]}
