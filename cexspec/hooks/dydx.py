"""dYdX's signature of transactions: a Cosmos transaction of one message, signed with secp256k1.

Source: https://docs.dydx.xyz/interaction/trading, and the venue's protobufs (`v4-proto`, of the extra `cexspec[dydx]`).
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cexspec.hooks.protocol import SignedBody, Tree
from cexspec.hooks.secp256k1 import needed, private_key
from cexspec.models.errors import AuthenticationError, InvalidRequest

MESSAGES = {"place_order": "MsgPlaceOrder", "cancel_order": "MsgCancelOrder", "batch_cancel": "MsgBatchCancel"}
"""What a body may ask for, and the message that it is."""
GAS = 1_000_000
_KEY = "private_key"
_EXTRA = "dydx"


class Dydx:
    """Makes `broadcast_tx_sync` calls of a node of bodies `{place_order | cancel_order | batch_cancel: MESSAGE, account_number, sequence}`.

    MESSAGE is that of the protobufs as JSON (quantums, subticks, ...). Short-term orders need no sequence: it is 0 where none
    is given. Credentials: `private_key` of the address that `MESSAGE` names. The environment named `testnet` signs for the test
    network, all others for the main one; the parameter `chain_id` says another.
    """

    needs = frozenset({_KEY})
    offers: frozenset[str] = frozenset()

    def values(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """None: the account's address is given."""
        return {}

    def opened(self, body: Tree) -> tuple[Tree, int, Mapping[str, str]]:
        """What a transaction asks for. The nonce is no part of it."""
        try:
            raw = _cosmos("tx").TxRaw.FromString(b64decode(body["params"]["tx"]))
            inside = _cosmos("tx").TxBody.FromString(raw.body_bytes).messages[0]
            info = _cosmos("tx").AuthInfo.FromString(raw.auth_info_bytes).signer_infos[0]
            name = next(name for name, message in MESSAGES.items() if inside.type_url.endswith(f".{message}"))
        except (KeyError, TypeError, IndexError, StopIteration, ValueError, _decode_error()):
            raise InvalidRequest("a transaction comes signed: {params: {tx}}") from None
        to_dict = needed("google.protobuf.json_format", _EXTRA).MessageToDict
        asked = to_dict(_message(name).FromString(inside.value), preserving_proto_field_name=True)
        return {name: asked, "sequence": info.sequence}, 0, {}

    def sign(
        self, body: Tree, credentials: Mapping[str, str], nonce: int, environment: str, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> SignedBody:
        """The transaction as a node takes it. The prehash is its SHA-256 (hex), the signature r and s in one."""
        name, message = _asked(body)
        if not credentials.get(_KEY):
            raise AuthenticationError(f"credential {_KEY!r} is missing")
        key = private_key(credentials[_KEY], _KEY)
        tx = _cosmos("tx")
        chain = parameters.get("chain_id") or ("dydx-testnet-4" if environment == "testnet" else "dydx-mainnet-1")
        content = tx.TxBody(messages=[_any(f"/dydxprotocol.clob.{MESSAGES[name]}", message)]).SerializeToString()
        info = _signer(key.public_key.format(compressed=True), int(body.get("sequence", 0)))
        document = tx.SignDoc(body_bytes=content, auth_info_bytes=info, chain_id=chain, account_number=int(body.get("account_number", 0)))
        digest = hashlib.sha256(document.SerializeToString()).digest()
        signature = key.sign_recoverable(digest, hasher=None)[:64]
        raw = tx.TxRaw(body_bytes=content, auth_info_bytes=info, signatures=[signature]).SerializeToString()
        call = {"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": b64encode(raw).decode()}}
        return SignedBody(call, digest.hex(), signature.hex())


def _asked(body: Tree) -> tuple[str, Any]:
    """The one thing that a body asks for, and its message."""
    names = [name for name in MESSAGES if isinstance(body, Mapping) and name in body]
    if len(names) != 1:
        raise InvalidRequest(f"what is signed is one of: {', '.join(MESSAGES)}")
    formats = needed("google.protobuf.json_format", _EXTRA)
    try:
        return names[0], formats.ParseDict(body[names[0]], _message(names[0])())
    except formats.ParseError as error:
        raise InvalidRequest(f"{names[0]}: {error}") from None


def _message(name: str) -> Any:
    return getattr(needed("v4_proto.dydxprotocol.clob.tx_pb2", _EXTRA), MESSAGES[name])


def _cosmos(name: str) -> Any:
    return needed(f"v4_proto.cosmos.tx.v1beta1.{name}_pb2", _EXTRA)


def _decode_error() -> type[Exception]:
    error: type[Exception] = needed("google.protobuf.message", _EXTRA).DecodeError
    return error


def _any(url: str, message: Any) -> Any:
    return needed("google.protobuf.any_pb2", _EXTRA).Any(type_url=url, value=message.SerializeToString())


def _signer(public_key: bytes, sequence: int) -> bytes:
    """Who signs, directly, and the fee: none, within the gas that a transaction may take."""
    tx, keys = _cosmos("tx"), needed("v4_proto.cosmos.crypto.secp256k1.keys_pb2", _EXTRA)
    direct = needed("v4_proto.cosmos.tx.signing.v1beta1.signing_pb2", _EXTRA).SIGN_MODE_DIRECT
    info = tx.SignerInfo(
        public_key=_any("/cosmos.crypto.secp256k1.PubKey", keys.PubKey(key=public_key)),
        mode_info=tx.ModeInfo(single=tx.ModeInfo.Single(mode=direct)),
        sequence=sequence,
    )
    encoded: bytes = tx.AuthInfo(signer_infos=[info], fee=tx.Fee(gas_limit=GAS)).SerializeToString()
    return encoded
