"""Books as tables of other libraries, imported when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from cexspec.models import Level


def data_frame(bids: Sequence[Level], asks: Sequence[Level]) -> Any:
    """A pandas data frame. Raises `ModuleNotFoundError` that says what to install."""
    return _library("pandas").DataFrame(_columns(bids, asks))


def arrow_table(bids: Sequence[Level], asks: Sequence[Level]) -> Any:
    """A pyarrow table. Raises `ModuleNotFoundError` that says what to install."""
    return _library("pyarrow").table(_columns(bids, asks))


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"books as tables of {name} need it installed: pip install {name}", name=name) from None


def _columns(bids: Sequence[Level], asks: Sequence[Level]) -> dict[str, list[Any]]:
    prices, sizes = ([level[part] for level in (*bids, *asks)] for part in (0, 1))
    return {"side": ["bid"] * len(bids) + ["ask"] * len(asks), "price": prices, "size": sizes}
