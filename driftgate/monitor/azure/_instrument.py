"""Self-telemetry: the jobs of ``driftgate serve`` as live traces, by Azure Monitor's own distribution.

What must arrive goes through the outbox; these spans tell an operator what the service is doing, and may be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from driftgate.flows.network import in_force, rule_azure
from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._service import explained, quieten, resource

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter

_CAME_TO_A_RESULT = frozenset({0, 1, 3})
"""Exit codes of commands: good, bad and inconclusive."""
_LIBRARIES = ("azure_sdk", "django", "fastapi", "flask", "psycopg2", "requests", "urllib", "urllib3")


def instrument(connection_string: str, *, workspace: str = "", credential: Any | None = None) -> Callable[[], None]:
    """Send this process's spans, and its warnings, to Azure Monitor. Call it once, from the service.

    It sets OpenTelemetry's global providers, which is why it belongs to the application and not to a library. The
    distribution's automatic instrumentation stays off: it would record every request of every health probe.

    Returns
    -------
    Callable
        Sends what is still waiting; to be called when the service stops.

    Raises
    ------
    DriftgateError
        The connection string is not one.
    """
    from azure.monitor.opentelemetry import configure_azure_monitor
    from opentelemetry import _logs, metrics, trace

    quieten()
    rule_azure()
    with explained():
        configure_azure_monitor(
            connection_string=connection_string,
            resource=resource(workspace),
            logger_name=names.SERVICE,
            disable_offline_storage=True,
            redirect_max=0,
            enable_performance_counters=False,
            instrumentation_options={library: {"enabled": False} for library in _LIBRARIES},
            **({} if credential is None else {"credential": credential}),
        )
    providers: list[Any] = [trace.get_tracer_provider(), _logs.get_logger_provider(), metrics.get_meter_provider()]

    def stop() -> None:
        for provider in providers:
            provider.shutdown()

    return stop


def metrics_exporter(connection_string: str) -> MetricExporter:
    """What sends metrics to Azure Monitor and nowhere else.

    Raises
    ------
    DriftgateError
        The connection string is not one, or its host may not be asked.
    """
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter

    quieten()
    rule_azure()
    with explained():
        exporter: Any = AzureMonitorMetricExporter(
            connection_string=connection_string, disable_offline_storage=True, retry_total=0, redirect_max=0
        )
    in_force().check(exporter._endpoint)
    return exporter  # type: ignore[no-any-return]


@contextmanager
def job_span(job: str, scheduled_at: datetime) -> Iterator[Callable[[int], None]]:
    """One firing of a job as a span; without :func:`instrument` it costs nothing and goes nowhere.

    It gives a function that is told the job's exit code. A job that came to no result (an error, unmeasurable, killed)
    marks the span as failed; one that found something did its work. An exception marks it too, with the exception's
    type and text, and passes through.
    """
    from opentelemetry import trace

    attributes = {names.JOB: job, names.SCHEDULED_AT: scheduled_at.isoformat()}
    with trace.get_tracer(names.SERVICE).start_as_current_span(
        f"job {job}", kind=trace.SpanKind.CONSUMER, attributes=attributes
    ) as span:

        def ended(code: int) -> None:
            span.set_attribute(names.EXIT_CODE, code)
            if code not in _CAME_TO_A_RESULT:
                span.set_status(trace.StatusCode.ERROR, f"exit code {code}")

        yield ended
