"""The folder of cassettes: where the file of an operation or a channel is, what is out of date, what is nobody's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from cexspec.compile.exchange import Exchange
from cexspec.models.execution import Balance, Fill, Order, Position

PRIVATE = (Order, Fill, Position, Balance)
"""Models of what is somebody's own."""
LEFT_OUT: Mapping[tuple[str, str, str], str] = {
    ("binance_usdm", "ws", "balances"): "the mock venue has no words for a balance that changes",
    ("bitfinex", "ws", "margin_balances"): "nothing on paper has a wallet of its own for margin",
}
"""(Exchange, `rest` or `ws`, private operation or channel) -> why there is no cassette of it."""


def public_operations(exchange: Exchange) -> list[str]:
    """The operations that anybody may call."""
    return [name for name in exchange.operation_names if not _is_private(exchange, name)]


def public_channels(exchange: Exchange) -> list[str]:
    """The channels that anybody may subscribe."""
    found = ((name, exchange.channel(name)) for name in exchange.channel_names)
    return [name for name, channel in found if not any(reader.model in PRIVATE for reader in channel.readers)]


def private_operations(exchange: Exchange) -> list[str]:
    """The operations of somebody's own account that are recorded."""
    public = public_operations(exchange)
    return [name for name in exchange.operation_names if name not in public and (exchange.id, "rest", name) not in LEFT_OUT]


def private_channels(exchange: Exchange) -> list[str]:
    """The channels about somebody's own account that are recorded."""
    public = public_channels(exchange)
    return [name for name in exchange.channel_names if name not in public and (exchange.id, "ws", name) not in LEFT_OUT]


def _is_private(exchange: Exchange, name: str) -> bool:
    plan = exchange.operation(name)
    if plan.joins:
        return any(_is_private(exchange, part) for part in plan.joins)
    return plan.auth is not None or plan.verb is not None or (plan.reader is not None and plan.reader.model in PRIVATE)


def rest_path(folder: Path, exchange: str, operation: str) -> Path:
    """The cassette of an operation."""
    return folder / "rest" / exchange / f"{operation}.yaml"


def ws_path(folder: Path, exchange: str, channel: str) -> Path:
    """The recorded session of a channel."""
    return folder / "ws" / f"{exchange}-{channel}.jsonl"


def wanted(folder: Path, exchange: Exchange) -> list[Path]:
    """Every file an exchange has: one for each operation and channel, but for what is left out."""
    operations = [rest_path(folder, exchange.id, name) for name in (*public_operations(exchange), *private_operations(exchange))]
    return operations + [ws_path(folder, exchange.id, name) for name in (*public_channels(exchange), *private_channels(exchange))]


def present(folder: Path, exchange: str) -> list[Path]:
    """The files that are there for an exchange. Ids hold no hyphen: the first one ends it."""
    return sorted([*(folder / "rest" / exchange).glob("*.yaml"), *(folder / "ws").glob(f"{exchange}-*.jsonl")])


def head_of(path: Path) -> dict[str, Any]:
    """What a cassette says of itself."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return dict(json.loads(text.partition("\n")[0]))
    head, _, _ = text.partition("\ninteractions:")
    return dict(yaml.safe_load(head))


def is_recorded(path: Path) -> bool:
    """Whether a file came from a venue; such a one can't be made again here."""
    return path.is_file() and str(head_of(path)["origin"]).startswith("recorded")


def stale(made: Path, folder: Path, exchange: Exchange) -> Iterator[str]:
    """What differs between the files just authored and those in the folder."""
    for new, old in zip(wanted(made, exchange), wanted(folder, exchange), strict=True):
        if not old.is_file():
            yield f"{old} is missing"
        elif not is_recorded(old) and (not new.is_file() or new.read_bytes() != old.read_bytes()):
            yield f"{old} is out of date"
    yield from (f"{path} belongs to nothing in the spec" for path in orphans(folder, exchange))


def replace(made: Path, folder: Path, exchange: Exchange, *, live: bool) -> int:
    """Take over the files just made; how many. What was recorded from a venue is replaced by such only."""
    count = 0
    for new, old in zip(wanted(made, exchange), wanted(folder, exchange), strict=True):
        if new.is_file() and (live or not is_recorded(old)):
            old.parent.mkdir(parents=True, exist_ok=True)
            old.write_bytes(new.read_bytes())
            count += 1
    for path in orphans(folder, exchange):
        path.unlink()
    return count


def orphans(folder: Path, exchange: Exchange) -> list[Path]:
    """Files of operations and channels that the spec doesn't have."""
    known = set(wanted(folder, exchange))
    return [path for path in present(folder, exchange.id) if path not in known]
