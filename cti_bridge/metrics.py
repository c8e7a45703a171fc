"""What is counted, for /metrics. Labels carry kinds and outcomes only: never a number, a name or an id."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """One bridge's counters, in a registry of their own so that several apps in one process do not collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
