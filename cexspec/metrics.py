"""Clients as Prometheus metrics (`pip install 'cexspec[prometheus]'`).

Nothing is counted here: a scrape reads `client.stats`, so that metrics cost nothing per message.

    async with Client("my-exchange.yaml") as exchange:
        register(exchange)
        start_http_server(9000)      # of prometheus_client
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from weakref import WeakKeyDictionary

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError as missing:
    raise ImportError("cexspec.metrics needs the package prometheus_client: pip install 'cexspec[prometheus]'") from missing

from cexspec.client import Client
from cexspec.engine.client_stats import ClientStats, Series, series
from cexspec.engine.distribution import BOUNDS, Distribution

LABELS = ("client", "exchange")
"""Labels of every metric, before its own."""
Looks = Iterable[tuple[str, ClientStats]]


def register(client: Client, registry: CollectorRegistry = REGISTRY, *, name: str | None = None) -> Callable[[], None]:
    """Show a client in a registry until it is closed, or what is returned is called.

    `name` is its label `client`, the exchange's id by default. Raises `ValueError` where the registry has one of this name.
    """
    collector = _collectors.get(registry)
    if collector is None:
        collector = ClientCollector(registry)
        registry.register(collector)
        _collectors[registry] = collector
    return collector.add(name or client.id, client)


class ClientCollector(Collector):
    """All clients in one registry, since a metric may be there only once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._clients: dict[str, Client] = {}

    def add(self, name: str, client: Client) -> Callable[[], None]:
        """Show a client; what is returned takes it out."""
        if name in self._clients:
            raise ValueError(f"a client called {name!r} is registered already: give this one another name")
        self._clients[name] = client

        def remove() -> None:
            if self._clients.get(name) is client:
                self._remove(name)

        client.on_close(remove)
        return remove

    def describe(self) -> Iterator[Metric]:
        """The metrics, without values."""
        return (_family(each, ()) for each in series())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        looks = [(name, client.stats) for name, client in tuple(self._clients.items())]
        return (_family(each, looks) for each in series())

    def _remove(self, name: str) -> None:
        del self._clients[name]
        if not self._clients:
            del _collectors[self._registry]
            self._registry.unregister(self)


_collectors: WeakKeyDictionary[CollectorRegistry, ClientCollector] = WeakKeyDictionary()
"""What is in which registry, which doesn't tell itself."""


def _family(one: Series, looks: Looks) -> Metric:
    labels, meaning = (*LABELS, *one.labels), one.measure.meaning
    found = [((name, stats.exchange, *more), value) for name, stats in looks for more, value in one.values(stats)]
    if one.measure.kind == "histogram":
        return _histogram(one.name, meaning, labels, [(each, value) for each, value in found if isinstance(value, Distribution)])
    family = (CounterMetricFamily if one.measure.kind == "counter" else GaugeMetricFamily)(one.name, meaning, labels=labels)
    for each, value in found:
        assert not isinstance(value, Distribution)
        family.add_metric(each, value)
    return family


def _histogram(name: str, meaning: str, labels: tuple[str, ...], found: Iterable[tuple[tuple[str, ...], Distribution]]) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for each, value in found:
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric(each, list(zip(bounds, accumulate(value.buckets), strict=True)), value.sum)
    return family
