"""The verdict: each bound with what was seen, and whether it held."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from tests.soak.measure import Trend, second_half, trend
from tests.soak.oracle import DISTURBED, Latencies
from tests.soak.run import Seen

MIB = 1 << 20
THRESHOLD = "MALLOC_MMAP_THRESHOLD_"
"""The bytes from which glibc maps what it is asked for instead of cutting it from its heap; left alone, it moves them."""


@dataclass(frozen=True)
class Bounds:
    """What must hold. `memory`: MiB an hour, extrapolated from the second half, of which it must be certain that it rises less;
    `latency`: p99 in seconds; `rate`: a share of the plan's."""

    memory: float = 1.0
    latency: float = 0.005
    rate: float = 0.99


@dataclass(frozen=True)
class Verdict:
    """One line."""

    what: str
    seen: str
    bound: str
    passed: bool

    def __str__(self) -> str:
        return f"{'PASS' if self.passed else 'FAIL'}  {self.what:<34} {self.seen:<44} {self.bound}"


def verdicts(seen: Seen, bounds: Bounds) -> list[Verdict]:
    """All of them."""
    oracle, judged = seen.trades, seen.ended - seen.began
    rate, memory = seen.judged / judged, memory_trend(seen)
    reached = (seen.last["made"] - seen.first["made"]) / judged
    lost = oracle.silent + seen.unseen
    latencies = oracle.calm + oracle.disturbed
    p50, p99, worst = latencies.at(0.5), latencies.at(0.99), latencies.most
    end, quarter = seen.samples[-1], seen.began + judged / 4
    warm = [one for one in seen.samples if seen.began <= one.at <= quarter] or seen.samples[:1]
    tasks, files = max(one.tasks for one in warm), max(one.files for one in warm)
    wanted, books, begun = bounds.rate * seen.plan.rate, len(seen.last["books"]), seen.books.lost
    wrong = len(seen.wrong_books)

    times = f"{p99 * 1e3:.2f} ms (p50 {p50 * 1e3:.2f}, most {worst * 1e3:.0f})"
    left = f"{tasks} at first, {end.tasks} at the end, {seen.left_tasks} left after"
    grown = f"{end.memory / MIB:.1f} MiB, {memory.rise:+.2f} MiB/h ({memory.least:+.2f} to {memory.most:+.2f})"
    return [
        Verdict("trades a second, sent", f"{reached:,.0f} (received {rate:,.0f})", f">= {wanted:,.0f}", reached >= wanted),
        Verdict("memory of the client", grown, f"< {bounds.memory:g} MiB/h", memory.most < bounds.memory),
        Verdict("wire to callback, p99", times, f"< {bounds.latency * 1e3:g} ms", 0 < p99 < bounds.latency),
        Verdict("trades lost silently", f"{lost} (reported {oracle.reported}, {oracle.gaps} gaps)", "0", lost == 0 and oracle.trades > 0),
        Verdict("trades doubled", f"{oracle.doubled}", "0", oracle.doubled == 0),
        Verdict("books unlike those sent", f"{wrong} of {books} ({begun} begun anew)", "0", not wrong and books == seen.plan.depths),
        Verdict("tasks", left, "no more", end.tasks <= tasks and seen.left_tasks <= 0),
        Verdict("open files", f"{files} at first, {end.files} at the end", "no more", end.files <= files),
    ]


def memory_trend(seen: Seen) -> Trend:
    """How the resident memory rises in the second half, in MiB an hour."""
    return trend([(one.at, one.memory) for one in second_half(seen.samples, seen.began, seen.ended)]).times(3600 / MIB)


def blocks_trend(seen: Seen) -> Trend:
    """How what Python's allocator has given out rises in the second half, in blocks an hour."""
    return trend([(one.at, one.blocks) for one in second_half(seen.samples, seen.began, seen.ended)]).times(3600)


def figures(seen: Seen) -> dict[str, Any]:
    """What was seen, for machines."""
    oracle = seen.trades
    first = min((one for one in seen.samples if one.at >= seen.began), key=lambda one: one.at)
    last = max((one for one in seen.samples if one.at <= seen.ended), key=lambda one: one.at)
    span = max(last.at - first.at, 1e-9)
    return {
        "seconds": round(seen.ended, 1),
        "trades": oracle.trades,
        "latencies": {
            name: {"count": each.count, "p50": each.at(0.5), "p99": each.at(0.99), "p999": each.at(0.999), "most": each.most}
            for name, each in {"all": oracle.calm + oracle.disturbed, "calm": oracle.calm, "disturbed": oracle.disturbed}.items()
        },
        "collections": {"count": seen.pauses.count, "longest": seen.pauses.longest},
        "memory": asdict(memory_trend(seen)),
        "blocks": asdict(blocks_trend(seen)),
        "mmap_threshold": os.environ.get(THRESHOLD),
        "client_cpu": round((last.cpu - first.cpu) / span, 3),
        "server_cpu": round((seen.last["cpu"] - seen.first["cpu"]) / (seen.ended - seen.began), 3),
        "server_ceiling": seen.ceiling,
        "server_skipped": seen.last["skipped"],
        "reported": oracle.reported,
        "silent": oracle.silent,
        "unseen": seen.unseen,
        "doubled": oracle.doubled,
        "gaps": oracle.gaps,
        "book_views": seen.books.views,
        "books_begun_anew": seen.books.lost,
        "wrong_books": seen.wrong_books,
        "examples": oracle.examples,
        "faults": seen.faults,
        "samples": [asdict(one) for one in seen.samples],
    }


def text(seen: Seen, bounds: Bounds) -> str:
    """For people."""
    told, stats, blocks = figures(seen), seen.stats, blocks_trend(seen)
    plan = seen.plan
    lines = [
        f"{plan.trades} symbols with trades, {plan.depths} with books, {plan.rate:,} trades a second for {told['seconds']:.0f} s",
        f"{len(seen.faults)} faults: {', '.join(dict.fromkeys(plan.faults))}",
        "",
        *map(str, verdicts(seen, bounds)),
        "",
        f"CPU: client {told['client_cpu']:.0%}, server {told['server_cpu']:.0%} of a core; "
        f"the server alone makes {seen.ceiling:,} frames/s, and left out {told['server_skipped']:,} (one of the two was behind)",
        f"latency within {DISTURBED:g} s after a fault or gap: {_spelt(seen.trades.disturbed)}",
        f"latency else: {_spelt(seen.trades.calm)}",
        f"collections of the oldest generation: {seen.pauses.count}, the longest {seen.pauses.longest * 1e3:.0f} ms"
        f"{' (what was there at first is frozen)' if plan.freeze else ''}",
        f"blocks of Python's allocator: {seen.samples[-1].blocks:,}, {blocks.rise:+,.0f} an hour "
        f"({blocks.least:+,.0f} to {blocks.most:+,.0f}); glibc maps from {os.environ.get(THRESHOLD, 'a threshold that moves')}",
    ]
    if stats is not None:
        lines.append(f"client: {stats.messages:,} messages, {stats.reconnects} reconnects, {stats.gaps} gaps, {stats.drops} drops, "
                     f"{stats.unrouted} unrouted, {stats.decode_errors} undecodable, {stats.resyncs} resyncs")  # fmt: skip
    return "\n".join([*lines, *oracle_examples(seen)])


def _spelt(latencies: Latencies) -> str:
    shares = ", ".join(f"{name} {latencies.at(share) * 1e3:.2f} ms" for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)))
    return f"{shares}, of {latencies.count:,} trades"


def oracle_examples(seen: Seen) -> list[str]:
    """What was wrong, in a few lines."""
    return [f"  {line}" for line in [*seen.trades.examples, *seen.wrong_books]][:20]
