"""What is counted, for /metrics. Labels carry kinds and outcomes only: never a number, a name or an id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from cti_bridge.errors import StoreUnavailable
from cti_bridge.model import Usage


class Figures(Protocol):
    """What ``backlog`` counts."""

    @property
    def standing(self) -> Mapping[Any, int]: ...
    @property
    def late(self) -> timedelta: ...
    @property
    def delivered(self) -> int: ...


class Metrics:
    """One bridge's counters, in a registry of their own so that several apps in one process do not collide."""

    def __init__(self, connector: str, crm_usage: Callable[[], Iterable[Usage]]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_CrmUsage(connector, crm_usage))
        self.webhooks = Counter(
            "cti_webhooks", "Webhooks by kind and what became of them", ["kind", "outcome"], registry=self.registry
        )
        self.webhook_seconds = Histogram(
            "cti_webhook_seconds",
            "Time to answer a webhook",
            ["kind"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 15),
            registry=self.registry,
        )
        self.lookups = Counter(
            "cti_lookups", "Callers looked up in the CRM, by what became of it", ["outcome"], registry=self.registry
        )
        self.lookup_seconds = Histogram(
            "cti_lookup_seconds",
            "Time from the ring to the CRM's answer on the card",
            buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
            registry=self.registry,
        )
        self.sockets = Gauge("cti_sockets", "Live sockets open in this process", registry=self.registry)
        self.frames = Counter("cti_frames", "Frames sent to agents", ["type"], registry=self.registry)
        self.sockets_dropped = Counter(
            "cti_sockets_dropped", "Sockets cut because they could not take a frame", registry=self.registry
        )
        self.unsent_logs = Gauge("cti_call_logs_unsent", "Call logs due and not yet in the CRM", registry=self.registry)
        self.parked_logs = Gauge("cti_call_logs_parked", "Call logs that need an administrator", registry=self.registry)

    def note_lookup(self, outcome: str, seconds: float) -> None:
        """One caller was looked up, or could not be."""
        self.lookups.labels(outcome).inc()
        self.lookup_seconds.observe(seconds)

    def watch_logs(self, figures: Callable[[], Figures]) -> None:
        """Tell also of the outbox, whose figures these are, whenever the metrics are read."""
        self.registry.register(_CallLogs(figures))

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)


class _CrmUsage(Collector):
    """The CRM's request budget, asked of the connector whenever the metrics are read."""

    def __init__(self, connector: str, usage: Callable[[], Iterable[Usage]]) -> None:
        self._connector = connector
        self._usage = usage

    def collect(self) -> Iterable[Metric]:
        names = ["connector", "resource"]
        used = GaugeMetricFamily("cti_crm_usage", "What the CRM says is used of its budgets", labels=names)
        limits = GaugeMetricFamily("cti_crm_usage_limit", "The CRM's limits of the same", labels=names)
        for usage in self._usage():
            used.add_metric([self._connector, usage.resource], usage.used)
            if usage.limit is not None:
                limits.add_metric([self._connector, usage.resource], usage.limit)
        return (used, limits)


class _CallLogs(Collector):
    """The outbox of all processes, asked of the database whenever the metrics are read; silent while that is gone."""

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterable[Metric]:
        try:
            figures = self._figures()
        except StoreUnavailable:
            return
        standing, late, delivered = self._families()
        for name, count in figures.standing.items():
            standing.add_metric([str(name)], count)
        late.add_metric([], figures.late.total_seconds())
        delivered.add_metric([], figures.delivered)
        yield from (standing, late, delivered)

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily]:
        return (
            GaugeMetricFamily(
                "cti_call_logs", "Call logs that are not in the CRM, by how they stand", labels=["standing"]
            ),
            GaugeMetricFamily("cti_call_logs_late_seconds", "Since when the oldest call log is due", labels=[]),
            CounterMetricFamily("cti_call_logs_delivered", "Call logs written to the CRM, by all processes", labels=[]),
        )
