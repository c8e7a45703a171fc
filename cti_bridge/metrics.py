"""What is counted, for /metrics. Labels carry kinds and outcomes only: never a number, a name or an id."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cti_bridge.model import Usage


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
        self.sockets = Gauge("cti_sockets", "Live sockets open in this process", registry=self.registry)
        self.frames = Counter("cti_frames", "Frames sent to agents", ["type"], registry=self.registry)
        self.sockets_dropped = Counter(
            "cti_sockets_dropped", "Sockets cut because they could not take a frame", registry=self.registry
        )
        self.unsent_logs = Gauge("cti_call_logs_unsent", "Call logs due and not yet in the CRM", registry=self.registry)
        self.parked_logs = Gauge("cti_call_logs_parked", "Call logs that need an administrator", registry=self.registry)

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
