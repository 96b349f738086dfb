"""What must be true at the end, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from cexspec.models import Book, Event, Gap, Ticker, Trade
from tests.simulation.readers import Reader
from tests.simulation.truth import Sent, Truth


def judge_trades(reader: Reader, symbol: str, truth: Truth, *, overlapping: bool) -> Iterator[str]:
    """In order, none twice, none that never was, and every missing one inside a gap.

    Where connections overlap, the older trades of the slower one may come after the newer ones of one that has just begun. Anywhere,
    what the venue repeats after a break may hold one that was told to be missing.
    """
    mine = [event for event in reader.events if event.symbol == symbol]
    numbers = [int(event.id or 0) for event in mine if isinstance(event, Trade)]
    told = numbers if overlapping else _in_turn(mine)
    if len(numbers) != len(set(numbers)) or (told != sorted(told) and not overlapping):
        twice = [number for number, count in Counter(numbers).items() if count > 1]
        late = [after for before, after in pairwise(numbers) if after < before]
        yield f"{reader.name} {symbol}: trades twice {twice[:5]}, out of order {late[:5]}"
    known = {sent.number for sent in truth.trades}
    if strange := [number for number in numbers if number not in known and number >= truth.first]:
        yield f"{reader.name} {symbol}: trades that never were {strange[:5]}"
    gaps = [event for event in mine if isinstance(event, Gap)]
    got = set(numbers)
    for sent in _due(reader, symbol, numbers, truth.trades):
        if sent.number not in got and not any(_holds(gap, sent) for gap in gaps):
            yield f"{reader.name} {symbol}: trade {sent.number} of {sent.at} is missing and no gap tells"
            return


def judge_tickers(reader: Reader, symbols: Sequence[str]) -> Iterator[str]:
    """Never back in time."""
    for symbol in symbols:
        times = [event.timestamp or 0 for event in reader.events if isinstance(event, Ticker) and event.symbol == symbol]
        if times != sorted(times):
            yield f"{reader.name} {symbol}: a ticker older than the one before"


def judge_drops(reader: Reader) -> Iterator[str]:
    """What a full queue dropped is told, one by one."""
    told = sum(event.count or 0 for event in reader.events if isinstance(event, Gap) and "too slow" in event.cause)
    if told > reader.stream.dropped:
        yield f"{reader.name}: {reader.stream.dropped} events were dropped, and gaps tell of {told}"


def judge_attempts(attempts: Sequence[float], hosts: Sequence[str], budgets: Mapping[str, tuple[int, float]]) -> Iterator[str]:
    """No window of a budget holds more attempts to connect than it allows."""
    for host, (rate, per) in budgets.items():
        mine = [at for at, where in zip(attempts, hosts, strict=True) if where == host]
        for first, beyond in zip(mine, mine[rate:], strict=False):
            if beyond - first < per - 1e-9:
                yield f"{host}: {rate + 1} attempts to connect within {beyond - first:.3f} s"
                return


def caught_up(reader: Reader, symbol: str, truth: Truth, before: int) -> bool:
    """Whether the newest trades up to a time have arrived."""
    newest = next((sent.number for sent in reversed(truth.trades) if sent.at <= before), None)
    last = _last(reader.events, symbol)
    return newest is None or (last is not None and last >= newest)


def heard_of(reader: Reader, symbol: str, truth: Truth, before: int) -> bool:
    """Whether a message of a book as it was at a time, or of a later one, has arrived."""
    newest = max((at for at in truth.by_time if at <= before), default=0)
    return any(isinstance(event, Book) and event.symbol == symbol and (event.timestamp or 0) >= newest for event in reversed(reader.events))


def _last(events: Sequence[Event], symbol: str) -> int | None:
    return next((int(event.id or 0) for event in reversed(events) if isinstance(event, Trade) and event.symbol == symbol), None)


def _due(reader: Reader, symbol: str, numbers: Sequence[int], known: Sequence[Sent]) -> list[Sent]:
    """The trades a reader must have, or be told of: since the venue served it or its first one, to its last one or the end."""
    first = min(numbers, default=None)
    began = reader.ready.get(symbol)
    last = max(numbers, default=0)
    due = [sent for sent in known if (first is not None and sent.number > first) or (began is not None and sent.at > began)]
    return [sent for sent in due if sent.number < last or not reader.closed]


def _in_turn(events: Sequence[Event]) -> list[int]:
    """The numbers of the trades but for those before the first, which a repeated list may reach back to, and those told to be missing."""
    gaps, numbers = list[Gap](), list[int]()
    for event in events:
        if isinstance(event, Gap):
            gaps.append(event)
        elif isinstance(event, Trade):
            number = int(event.id or 0)
            late = bool(numbers) and number < max(numbers)
            if not late or not (number < numbers[0] or any(_holds(gap, Sent(number, event.timestamp or 0)) for gap in gaps)):
                numbers.append(number)
    return numbers


def _holds(gap: Gap, sent: Sent) -> bool:
    return (gap.from_time or 0) <= sent.at <= (gap.to_time or 0)
