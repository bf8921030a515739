"""Figures about requests for Prometheus, by the class of the handler, never by the address."""

from prometheus_client import CollectorRegistry, Histogram

# Seconds. The five-second bucket is WeChat's limit for a push.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestMetrics:
    """Durations and counts of answered requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "bianmin_request_seconds",
            "Seconds from the request's headers to the end of the answer",
            ["handler", "method", "status"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, handler: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (handler, method, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._seconds.labels(handler, method, str(status))
        child.observe(seconds)
