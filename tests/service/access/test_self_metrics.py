"""The service's metrics leave by OpenTelemetry as they stand at ``/metrics``, where that is configured."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from driftgate.flows.errors import DriftgateError
from driftgate.service import _self_metrics
from driftgate.service._self_metrics import Sender
from driftgate.service.access import Metrics

from .conftest import TOKEN, Serve, bearer

Points = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Collector(ThreadingHTTPServer):
    """A receiver of OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[ExportMetricsServiceRequest] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/metrics" and self.server.status == 200:
            self.server.got.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def sent(request: ExportMetricsServiceRequest) -> Points:
    """What a request says, as lines of Prometheus say it."""
    found: Points = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        assert metric.unit == ("s" if metric.name.endswith("_seconds") else "1"), metric.name
        kind = metric.WhichOneof("data")
        assert kind == ("sum" if metric.name.endswith("_total") else kind) and metric.description
        for point in getattr(metric, kind).data_points:
            labels = frozenset((one.key, one.value.string_value) for one in point.attributes)
            if kind == "histogram":
                upto = 0
                for bound, count in zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True):
                    upto += count
                    le = "+Inf" if bound == float("inf") else str(bound)
                    found[f"{metric.name}_bucket", labels | {("le", le)}] = upto
                found |= {(f"{metric.name}_sum", labels): point.sum, (f"{metric.name}_count", labels): point.count}
            else:
                found[metric.name, labels] = point.as_double
    return found


def shown(text: str) -> Points:
    families = text_string_to_metric_families(text)
    samples = (one for family in families for one in family.samples if not one.name.endswith("_created"))
    return {(one.name, frozenset(one.labels.items())): one.value for one in samples}


def last(collector: Collector, after: int = 0) -> ExportMetricsServiceRequest:
    until = time.monotonic() + 10
    while len(collector.got) <= after and time.monotonic() < until:
        time.sleep(0.02)
    return collector.got[-1]


def test_what_is_sent_is_what_is_shown(serve: Serve, collector: Collector) -> None:
    client = serve()
    client.get("/api/runs/someones-private-run", headers=bearer(TOKEN))
    client.get("/somewhere-private")
    page = client.get("/metrics", headers=bearer(TOKEN)).text
    request = last(collector, len(collector.got) + 1)
    told, stands = sent(request), shown(page)
    moving = ("driftgate_http_", "driftgate_metrics_exports")
    names = {name for name, _ in told} - {"driftgate_metrics_exports_total"}
    assert names == {name for name, _ in stands} - {"driftgate_metrics_exports_total"}
    still = {key: value for key, value in stands.items() if not key[0].startswith(moving)}
    assert still and {key: told[key] for key in still} == still
    asked = ("driftgate_http_requests_total", frozenset({"method": "GET", "route": "none", "status": "404"}.items()))
    assert told[asked] == stands[asked] == 1.0
    buckets = [key for key in stands if key[0] == "driftgate_http_request_seconds_bucket"]
    assert buckets and set(buckets) <= told.keys()
    where = {one.key: one.value.string_value for one in request.resource_metrics[0].resource.attributes}
    assert where["service.name"] == "driftgate" and "private" not in str(collector.got)


def test_nothing_is_sent_without_configuration(
    serve: Serve, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    serve()
    assert "self-metrics" not in {thread.name for thread in threading.enumerate()} and not collector.got


def test_what_fails_is_counted_and_what_cannot_be_used_is_said(
    serve: Serve, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 400
    client = serve()
    line = 'driftgate_metrics_exports_total{exporter="otlp",result="failed"}'
    until = time.monotonic() + 10
    while line not in (page := client.get("/metrics", headers=bearer(TOKEN)).text) and time.monotonic() < until:
        time.sleep(0.05)
    assert line in page and caplog.text.count("metrics could not be sent by otlp") == 1
    collector.status = 200
    assert sent(last(collector))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    serve()
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'" in caplog.text


def test_of_an_exporter_that_adds_up_itself_only_what_is_new_is_sent(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
    metrics = Metrics()
    sender = Sender("otlp", OTLPMetricExporter(), metrics, "team")
    said = []
    for calls in (3, 2, 0):
        metrics.calls.inc(calls)
        for _ in range(calls):
            metrics.seconds.labels("/").observe(0.3)
        assert sender.send()
        told = sent(collector.got[-1])
        count = told["driftgate_http_request_seconds_count", frozenset({("route", "/")})]
        said.append((told["driftgate_telemetry_calls_total", frozenset()], count))
    assert said == [(3, 3), (2, 2), (0, 0)]
    (scope,) = collector.got[-1].resource_metrics[0].scope_metrics
    assert {one.sum.aggregation_temporality for one in scope.metrics if one.WhichOneof("data") == "sum"} == {1}


def test_azure_monitor_gets_them_under_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftgate.monitor.azure import metrics_exporter

    connection = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:9/"
    exporter = metrics_exporter(connection)
    envelopes: list[Any] = []
    monkeypatch.setattr(exporter, "_transmit", lambda made: envelopes.extend(made) or 0)
    metrics = Metrics()
    metrics.calls.inc(3)
    metrics.seconds.labels("/").observe(0.3)
    sender = Sender("azure", exporter, metrics, "team")
    sender.send()
    points = {one.data.base_data.metrics[0].name: one.data.base_data.metrics[0] for one in envelopes}
    calls, seconds = points["driftgate_telemetry_calls_total"], points["driftgate_http_request_seconds"]
    assert (calls.value, seconds.value, seconds.count) == (3.0, 0.3, 1)
    with pytest.raises(DriftgateError, match="connection string"):
        metrics_exporter("nonsense")
    assert _self_metrics._SECONDS == 60.0
