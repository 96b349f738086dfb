"""Who replays what is private: a client with credentials that are nobody's."""

from __future__ import annotations

from functools import cache
from typing import Any

from cexspec.compile.exchange import Exchange, compile_exchange
from cexspec.mock.signatures import credentials_of
from cexspec.models import Credentials
from tools.cassettes.folder import private_channels, private_operations
from tools.cassettes.masking import USUAL, Mask, Masks, masking, masking_frames

DUMMY = "ab" * 32
"""A text that is hexadecimal and base64, as any kind of secret wants it."""
_exchange = cache(compile_exchange)


def somebody(exchange: str, name: str) -> tuple[dict[str, Any], Masks]:
    """What a client is given besides, for an operation or a channel, and what masks its requests."""
    plan = _exchange(exchange)
    if name not in (*private_operations(plan), *private_channels(plan)):
        return {}, USUAL
    credentials = strangers(plan)
    return {"credentials": credentials, "allow_trading": True}, masking(plan, plan.completed(Credentials(credentials)))


def frames_of(exchange: str) -> Mask:
    """What masks the frames of somebody's sessions."""
    plan = _exchange(exchange)
    return masking_frames(plan, plan.completed(Credentials(strangers(plan))))


def strangers(plan: Exchange) -> dict[str, str]:
    """Credentials of another account; its public address, if there is one, is that of the recordings."""
    recorded = credentials_of(plan)
    return {name: value if plan.credentials[name].public else DUMMY for name, value in recorded.items()}
