"""What the service measures of itself, sent on by OpenTelemetry: the very families of ``GET /metrics``.

They are read from one registry, so that name, unit, labels and value are the same wherever they are looked at. They are
handed to the SDK's own exporters as what its readers hand them. Off, unless ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or
``OTEL_EXPORTER_OTLP_METRICS_ENDPOINT``) is set or the workspace names Azure Monitor.

References
----------
.. [1] OpenTelemetry, Metrics Data Model, and Prometheus and OpenMetrics Compatibility.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.network import in_force
from driftgate.service.access import Metrics

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricsData
    from prometheus_client.core import Metric

    from driftgate.api.workspace import OpenWorkspace

log = logging.getLogger(__name__)

_SCOPE = "driftgate.service"
_EVERY = "OTEL_METRIC_EXPORT_INTERVAL"
_SECONDS = 60.0
_TIMEOUT_MS = 10_000
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_KINDS = ("counter", "gauge", "histogram")


@dataclass
class Sender:
    """Reads a registry and hands what is in it to an exporter, as cumulative or as delta, as that prefers.

    Parameters
    ----------
    name : str
        What the exporter is called in ``driftgate_metrics_exports_total``.
    """

    name: str
    exporter: MetricExporter
    metrics: Metrics
    workspace: str
    began: int = field(default_factory=time.time_ns)
    _before: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = field(default_factory=dict)
    _last: int = 0
    _failed: bool = False

    def send(self) -> bool:
        """Send everything once, and say whether it was taken; that it was not is logged when it begins."""
        from opentelemetry.sdk.metrics.export import MetricExportResult

        try:
            taken = self.exporter.export(self._data(), timeout_millis=_TIMEOUT_MS) is MetricExportResult.SUCCESS
        except Exception:  # whatever an exporter raises, the service goes on
            log.debug("metrics could not be sent by %s", self.name, exc_info=True)
            taken = False
        self.metrics.exports.labels(self.name, "taken" if taken else "failed").inc()
        if not taken and not self._failed:
            log.warning("metrics could not be sent by %s; it is tried again", self.name)
        self._failed = not taken
        return taken

    def _data(self) -> MetricsData:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        now = time.time_ns()
        made = [one for family in self.metrics.registry.collect() for one in self._metrics(family, now)]
        self._last = now
        resource = Resource.create({"service.name": "driftgate", "service.namespace": self.workspace})
        return MetricsData([ResourceMetrics(resource, [ScopeMetrics(InstrumentationScope(_SCOPE), made, "")], "")])

    def _metrics(self, family: Metric, now: int) -> Iterator[Any]:
        from opentelemetry.sdk.metrics import export as sdk

        if family.type not in _KINDS:
            return
        name = family.name + ("_total" if family.type == "counter" else "")
        unit = "s" if family.name.endswith("_seconds") else "1"
        kind = {"counter": sdk.Sum, "gauge": sdk.Gauge, "histogram": sdk.Histogram}[family.type]
        temporality, begun = sdk.AggregationTemporality.CUMULATIVE, self.began
        if family.type != "gauge" and self._delta(family.type):
            temporality, begun = sdk.AggregationTemporality.DELTA, self._last or self.began
        delta = temporality is sdk.AggregationTemporality.DELTA
        points: list[Any] = []
        if family.type == "histogram":
            for labels, found in _histograms(family).items():
                counts, total = found.counts, found.total
                if delta:
                    was = self._before.get((name, labels), _Counts((0,) * len(counts), 0.0))
                    self._before[name, labels] = found
                    counts = tuple(new - old for new, old in zip(counts, was.counts, strict=True))
                    total -= was.total
                # What was the least and the most nobody kept.
                unknown: Any = None
                points.append(
                    sdk.HistogramDataPoint(
                        dict(labels), begun, now, sum(counts), total, counts, found.bounds, unknown, unknown
                    )
                )
            data: Any = sdk.Histogram(points, temporality)
        else:
            for sample in family.samples:
                if sample.name != name:  # when a counter was made
                    continue
                key, value = (name, tuple(sorted(sample.labels.items()))), float(sample.value)
                if delta:
                    value, self._before[key] = value - self._before.get(key, 0.0), value
                points.append(sdk.NumberDataPoint(dict(sample.labels), begun, now, value))
            data = sdk.Sum(points, temporality, True) if family.type == "counter" else kind(points)
        if points:
            yield sdk.Metric(name, family.documentation, unit, data)

    def _delta(self, kind: str) -> bool:
        from opentelemetry.sdk import metrics
        from opentelemetry.sdk.metrics.export import AggregationTemporality

        instrument = metrics.Counter if kind == "counter" else metrics.Histogram
        preferred: Mapping[type, Any] | None = self.exporter._preferred_temporality
        return (preferred or {}).get(instrument) is AggregationTemporality.DELTA


@dataclass(frozen=True)
class _Counts:
    """What a histogram counted."""

    counts: tuple[int, ...]
    total: float
    bounds: tuple[float, ...] = ()


def _histograms(family: Metric) -> dict[tuple[tuple[str, str], ...], _Counts]:
    """The histograms of a family by their labels: of each bucket what is in it alone."""
    upto: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    totals: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in family.samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            upto.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_sum"):
            totals[labels] = sample.value
    found = {}
    for labels, buckets in upto.items():
        counts = [count for _, count in sorted(buckets)]
        alone = tuple(int(now - before) for now, before in zip(counts, [0.0, *counts], strict=False))
        found[labels] = _Counts(alone, totals[labels], tuple(bound for bound, _ in sorted(buckets))[:-1])
    return found


def send_self_metrics(workspace: OpenWorkspace, metrics: Metrics) -> Callable[[], None]:
    """Send the service's metrics on where that is configured; returns what sends them a last time and ends it."""
    senders = [Sender(name, exporter, metrics, workspace.config.name) for name, exporter in _exporters(workspace)]
    if not senders:
        return lambda: None
    ended = threading.Event()
    every = _interval()

    def go() -> None:
        while not ended.wait(every):
            for sender in senders:
                sender.send()

    thread = threading.Thread(target=go, name="self-metrics", daemon=True)
    thread.start()

    def stop() -> None:
        ended.set()
        thread.join(_TIMEOUT_MS / 1000)
        for sender in senders:
            sender.send()
            sender.exporter.shutdown(timeout_millis=_TIMEOUT_MS)

    return stop


def _interval() -> float:
    """Seconds between two times, as the SDK's own readers have it."""
    text = os.environ.get(_EVERY, "")
    return max(0.1, int(text) / 1000) if text.isascii() and text.isdigit() else _SECONDS


def _exporters(workspace: OpenWorkspace) -> Sequence[tuple[str, MetricExporter]]:
    """What is configured; what cannot be used is said once, and the service runs without it."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_METRICS_EXPORTER") == "none":
        return []
    found: list[tuple[str, MetricExporter]] = []
    for name, make in (("otlp", _otlp), ("azure", _azure)):
        try:
            exporter = make(workspace)
        except DriftgateError as problem:
            log.error("metrics are not sent by %s: %s", name, problem)
            continue
        if exporter is not None:
            found.append((name, exporter))
    return found


def _otlp(workspace: OpenWorkspace) -> MetricExporter | None:
    endpoint = next((found for name in _ENDPOINTS if (found := os.environ.get(name, "").strip())), "")
    if not endpoint:
        return None
    protocol = next((found for name in _PROTOCOLS if (found := os.environ.get(name, "").strip())), _HTTP)
    if protocol != _HTTP:
        raise DriftgateError(f"{_PROTOCOLS[1]} is '{protocol[:40]}'", f"it may be: {_HTTP}")
    if not urlsplit(endpoint).hostname:
        raise DriftgateError(f"{_ENDPOINTS[1]} is no address", "give one such as http://collector:4318")
    in_force().check(endpoint)
    if not installed("opentelemetry.exporter.otlp.proto.http"):
        raise MissingExtra("instrument", "sending metrics by OTLP")
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()  # reads endpoint, headers and all else where the SDK's users set them


def _azure(workspace: OpenWorkspace) -> MetricExporter | None:
    config = workspace.config.azure_monitor
    if config is None:
        return None
    from driftgate.monitor.azure import metrics_exporter

    return metrics_exporter(resolve_secret(config.connection_string, "azure_monitor.connection_string"))
