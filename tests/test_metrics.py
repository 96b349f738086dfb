"""Clients as Prometheus metrics, scraped over HTTP as Prometheus would."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed: pip install 'cexspec[prometheus]'")

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from cexspec import Client
from cexspec.engine.client_stats import series
from cexspec.metrics import LABELS, register
from cexspec.mock import MockVenue
from tools.observability_tables import exposed

ROOT = Path(__file__).parents[1]
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def endpoint(registry: CollectorRegistry) -> Iterator[str]:
    server, thread = start_http_server(0, "127.0.0.1", registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


async def scrape(url: str) -> Values:
    return read(await asyncio.to_thread(lambda: urlopen(url, timeout=5).read().decode()))


def read(text: str) -> Values:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(values) == len(samples), "no series comes twice"
    return values


def of(values: Values, name: str, **labels: str) -> float:
    found = [value for (each, marks), value in values.items() if each == name and labels.items() <= dict(marks).items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]


async def test_a_scrape_over_http_sees_a_streaming_client(registry: CollectorRegistry, endpoint: str) -> None:
    async with MockVenue("okx", interval=0.01) as venue, Client("okx", environment=venue.environment) as client:
        register(client, registry)
        await client.rest.get_ticker("BTC/USDT")
        async with client.ws.stream_trades("BTC/USDT") as stream, client.ws.stream_order_book("BTC/USDT") as books:
            await anext(books)
            for _ in range(40):
                await anext(stream)
            first = await scrape(endpoint)
            for _ in range(40):
                await anext(stream)
            second = await scrape(endpoint)
    labels = {"client": "okx", "exchange": "okx"}
    assert of(second, "cexspec_messages_total", **labels) >= of(first, "cexspec_messages_total", **labels) + 40
    assert of(first, "cexspec_queue_taken_total", **labels, stream="trades") == 40
    assert of(first, "cexspec_connections", **labels, connection="public", state="connected") == 1
    assert of(first, "cexspec_connection_transitions_total", connection="public", state="connected") == 1
    assert of(first, "cexspec_books", state="in_sync") == 1
    assert of(first, "cexspec_rest_calls_total", outcome="ok") >= 1
    histogram = "cexspec_wire_to_callback_seconds"
    assert of(second, f"{histogram}_count", stream="trades") == of(second, f"{histogram}_bucket", stream="trades", le="+Inf") == 5
    assert 0 < of(second, f"{histogram}_sum", stream="trades") < 5


async def test_every_documented_metric_is_exposed_with_its_labels(registry: CollectorRegistry) -> None:
    async with Client("okx") as client:
        register(client, registry)
        text = generate_latest(registry).decode()
    types = dict(line.split()[2:] for line in text.splitlines() if line.startswith("# TYPE"))
    assert types == {exposed(each): each.measure.kind for each in series()}
    helps = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert helps == set(types)
    assert {label for _, marks in read(text) for label, _ in marks} == set(LABELS)


async def test_clients_share_a_registry_and_leave_it_when_they_are_closed(registry: CollectorRegistry) -> None:
    def clients() -> set[str]:
        return {dict(marks)["client"] for _, marks in read(generate_latest(registry).decode())}

    async with Client("okx") as okx:
        async with Client("kraken") as kraken, Client("okx") as second:
            register(okx, registry)
            register(kraken, registry)
            with pytest.raises(ValueError, match="'okx' is registered already: give this one another name"):
                register(second, registry)
            forget = register(second, registry, name="second")
            assert clients() == {"okx", "kraken", "second"}
            forget()
            forget()
            assert clients() == {"okx", "kraken"}
        assert clients() == {"okx"}
    assert generate_latest(registry) == b"", "nothing is left of a registry's last client"
    async with Client("okx") as again:
        register(again, registry)
        assert clients() == {"okx"}


async def test_labels_do_not_grow_with_symbols_and_reconnects(registry: CollectorRegistry) -> None:
    async with MockVenue("okx", interval=0.01) as venue, Client("okx", environment=venue.environment) as client:
        register(client, registry)
        counts = []
        for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
            async with client.ws.stream_trades(symbol) as stream:
                await anext(stream)
            counts.append(len(read(generate_latest(registry).decode())))
    assert counts[1] == counts[2]


def test_without_the_library_the_error_names_what_to_install() -> None:
    code = "import sys; sys.modules['prometheus_client'] = None; import cexspec.metrics"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("cexspec.metrics needs the package prometheus_client: pip install 'cexspec[prometheus]'")
