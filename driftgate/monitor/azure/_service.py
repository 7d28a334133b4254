"""Sends records through Azure Monitor's own exporters and reads what the service answers about each of them.

The exporters are those that ``configure_azure_monitor`` installs. Here they are driven directly: it hands them to batch
processors, which drop the result of an export, and to global providers, which belong to the application.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import in_force, read_json, rule_azure
from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._records import Channel, Record

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource


@dataclass(frozen=True)
class Reply:
    """What the ingestion service answered to one request."""

    status: int
    """HTTP status; 0 where there was no answer."""
    received: int = 0
    accepted: int = 0
    errors: Mapping[int, tuple[int, str]] | None = None
    """Status and message by the record's position in the request."""

    @property
    def acknowledged(self) -> bool:
        """Whether the answer says what became of every record."""
        return self.status in (200, 206) and self.accepted + len(self.errors or {}) == self.received


class Service:
    """An Application Insights resource, open for sending."""

    def __init__(self, connection_string: str, workspace: str, credential: Any | None) -> None:
        from azure.monitor.opentelemetry.exporter import (
            AzureMonitorLogExporter,
            AzureMonitorMetricExporter,
            AzureMonitorTraceExporter,
        )
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self.resource = resource(workspace)
        self._scope = InstrumentationScope(names.SERVICE)
        self._reply = Reply(0)
        options: dict[str, Any] = {
            "connection_string": connection_string,
            "disable_offline_storage": True,  # the outbox is the store
            "retry_total": 0,  # and the next drain the retry
            "redirect_max": 0,  # it would send what it holds, and its token, wherever it is told to
            "raw_response_hook": self._read,
        }
        if credential is not None:
            options["credential"] = credential
        rule_azure()
        with explained():
            self._exporters: dict[Channel, Any] = {
                "metrics": AzureMonitorMetricExporter(**options),
                "events": AzureMonitorLogExporter(**options),
                "spans": AzureMonitorTraceExporter(**options),
            }
        for exporter in self._exporters.values():  # which keeps what its requests fail with to itself
            in_force().check(exporter._endpoint)

    def send(self, channel: Channel, records: Sequence[Record]) -> Reply:
        """Send records in one request; never raises for what the service or the network does."""
        self._reply = Reply(0)
        # A metric travels in the SDK's frame of resource and scope, the others bring theirs along.
        with _unlogged():
            self._exporters[channel].export(self._framed(records) if channel == "metrics" else records)
        return self._reply

    def close(self) -> None:
        """Give back the connections."""
        for exporter in self._exporters.values():
            exporter.shutdown()
            exporter.client.close()

    def _framed(self, metrics: Sequence[Record]) -> Any:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics

        return MetricsData([ResourceMetrics(self.resource, [ScopeMetrics(self._scope, list(metrics), "")], "")])

    def _read(self, response: Any) -> None:
        """Keep an answer; called by the Azure SDK's pipeline."""
        http = response.http_response
        try:
            body = read_json(http.text())
            told = body.get("errors") or []
            errors = {int(one["index"]): (int(one["statusCode"]), str(one.get("message", ""))) for one in told}
            self._reply = Reply(http.status_code, int(body["itemsReceived"]), int(body["itemsAccepted"]), errors)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            self._reply = Reply(http.status_code)


@contextmanager
def connected(connection_string: str, workspace: str, credential: Any | None) -> Iterator[Service]:
    """An open service; closed at the end of the block.

    Raises
    ------
    DriftgateError
        The connection string is not one.
    """
    quieten()
    service = Service(connection_string, workspace, credential)
    try:
        yield service
    finally:
        service.close()


def resource(workspace: str) -> Resource:
    """Where telemetry comes from: the role ``workspace.driftgate``."""
    from opentelemetry.sdk.resources import Resource

    return Resource({"service.name": names.SERVICE} | ({"service.namespace": workspace} if workspace else {}))


@contextmanager
def explained() -> Iterator[None]:
    """Say what is wrong with a connection string in words for the person who set it."""
    try:
        yield
    except ValueError as problem:
        raise DriftgateError(
            f"the connection string of Azure Monitor cannot be used: {problem}",
            "copy it from the Application Insights resource's overview: InstrumentationKey=…;IngestionEndpoint=…",
        ) from problem


def quieten() -> None:
    """Keep Azure Monitor's distribution from calling anywhere but the resource it is given.

    Its switches are environment variables, read when an exporter is made. What the operator has set stays.
    """
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    os.environ.setdefault("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "otel")
    # An extra envelope before the spans would shift the positions by which the service names refused records.
    os.environ["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true"


@contextmanager
def _unlogged() -> Iterator[None]:
    """Drop what the exporter logs in this thread: the drain reports it, and the log would print whole records."""
    here = threading.get_ident()
    logger = logging.getLogger("azure.monitor.opentelemetry.exporter.export._base")

    def elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(elsewhere)
