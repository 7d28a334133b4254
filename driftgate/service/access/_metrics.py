"""What the service measures of itself, for Prometheus: ``GET /metrics``."""

from __future__ import annotations

import time
from collections import Counter as TallyOf
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from driftgate.ledger import Ledger
from driftgate.monitor.incidents import SEVERITIES, State, incidents
from driftgate.monitor.looks import latest_looks, looks_by_result
from driftgate.monitor.notifications import ChannelStatus
from driftgate.service._auth import Access
from driftgate.service.access._headers import App, Message, Receive, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MOST_INCIDENTS = 1000
_STANDING: tuple[State, ...] = ("open", "acknowledged")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass
class Metrics:
    """The counters of one service."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("driftgate_http_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "driftgate_http_request_seconds",
            "Seconds until a request was answered whole.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "driftgate_http_requests_under_way", "Requests that are being answered.", registry=self.registry
        )
        self.calls = Counter("driftgate_telemetry_calls", "Model calls received and kept.", registry=self.registry)
        self.not_kept = Counter(
            "driftgate_telemetry_not_kept", "Records received and not kept.", ("reason",), registry=self.registry
        )
        self.exports = Counter(
            "driftgate_metrics_exports",
            "Times these metrics were sent on by OpenTelemetry, by what became of it.",
            ("exporter", "result"),
            registry=self.registry,
        )

    def received(self, calls: int, left: Mapping[str, int]) -> None:
        """Count what an application sent."""
        self.calls.inc(calls)
        for reason, count in left.items():
            self.not_kept.labels(f"{reason}").inc(count)


class Measured:
    """Middleware that counts requests by route, never by address: a path may hold what is private.

    Parameters
    ----------
    app : callable
        The ASGI application.
    metrics : Metrics
        Where they are counted.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.under_way.track_inprogress():
            try:
                await self._app(scope, receive, noted)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, route, str(status)).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - began)


@dataclass(frozen=True)
class Gauges(Collector):
    """What is read from the ledger when it is asked for."""

    ledger: Ledger
    jobs: Callable[[], Mapping[str, int]]
    """How many of the newest jobs ended in which way."""
    channels: Callable[[], Sequence[ChannelStatus]]
    """How each channel does by which people are told."""

    def collect(self) -> Iterable[Metric]:
        """Looks by result, how old the last that could tell is, incidents that stand, jobs, and who is not told."""
        looks = GaugeMetricFamily("driftgate_looks", "Looks in the ledger.", labels=("monitor", "result"))
        for (monitor, result), count in looks_by_result(self.ledger).items():
            looks.add_metric((monitor, result), count)
        yield looks
        age = GaugeMetricFamily(
            "driftgate_last_conclusive_look_age_seconds",
            "Seconds since the last look that could tell; a monitor that never could is missing here.",
            labels=("monitor", "of"),
        )
        now = datetime.now(UTC)
        for look in latest_looks(self.ledger, good=True):
            age.add_metric((look.monitor, look.of), max((now - look.at).total_seconds(), 0.0))
        yield age
        standing = GaugeMetricFamily(
            "driftgate_incidents", "Incidents that are not resolved.", labels=("severity", "state")
        )
        found = TallyOf(
            (one.severity, one.state) for one in incidents(self.ledger, states=_STANDING, limit=_MOST_INCIDENTS)
        )
        for severity in SEVERITIES:
            for state in _STANDING:
                standing.add_metric((severity, state), found[severity, state])
        yield standing
        jobs = GaugeMetricFamily("driftgate_jobs", "The newest jobs, by what became of them.", labels=("result",))
        for result, count in self.jobs().items():
            jobs.add_metric((result,), count)
        yield jobs
        yield from self._delivery(now)

    def _delivery(self, now: datetime) -> Iterable[Metric]:
        messages = GaugeMetricFamily(
            "driftgate_notifications", "Messages that a channel has not taken.", labels=("channel", "state")
        )
        failing = GaugeMetricFamily(
            "driftgate_channel_failing", "1 where people are not told by a channel.", labels=("channel",)
        )
        age = GaugeMetricFamily(
            "driftgate_notification_oldest_age_seconds",
            "Seconds since the oldest was to be told that a channel has not taken; 0 where none waits.",
            labels=("channel",),
        )
        for one in self.channels():
            for state, count in (
                ("waiting", one.waiting),
                ("refused", one.refused),
                ("given up", one.given_up),
                ("superseded", one.superseded),
            ):
                messages.add_metric((one.channel, state), count)
            failing.add_metric((one.channel,), float(bool(one.trouble(now))))
            age.add_metric((one.channel,), max((now - (one.oldest_at or now)).total_seconds(), 0.0))
        yield from (messages, failing, age)


def metrics_route(metrics: Metrics, gauges: Collector, access: Access) -> APIRouter:
    """Make ``GET /metrics``."""
    metrics.registry.register(gauges)
    routes = APIRouter(tags=["health"], dependencies=[Depends(access("read"))])

    @routes.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def show() -> Response:
        # As the text format of Prometheus, whatever is accepted: it is read by every scraper.
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
