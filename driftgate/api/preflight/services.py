"""What the service and Azure Monitor need: a token, a connection string, the packages of their extras."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed

_LEAST_TOKEN = 16
_SERVES = ("fastapi", "uvicorn", "duckdb", "pyarrow")
_SENDS = ("azure.monitor.opentelemetry", "opentelemetry")
_KEY = re.compile(r"InstrumentationKey=[^;\s]+", re.IGNORECASE)


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look at the service where it is used, and at what is sent where anything is."""
    if inspection.scope.serves:
        yield from _service(inspection)
    if inspection.scope.sends and inspection.workspace.config.azure_monitor is not None:
        yield from _azure_monitor(inspection)
    if inspection.scope.whole or inspection.scope.serves:
        try:
            inspection.workspace.reports, inspection.workspace.telemetry  # noqa: B018 - they say where they lie
        except DriftgateError as problem:
            yield Finding("error", "folders", problem.message, problem.remedy, "")


def _service(inspection: Inspection) -> Iterator[Finding]:
    service = inspection.workspace.config.service
    if not all(map(installed, _SERVES)):
        problem = MissingExtra("monitor", "the service")
        yield Finding("error", "service", problem.message, problem.remedy)
    where = inspection.where("service", "token")
    if not unset(inspection, "service", "token"):
        try:
            length = len(resolve_secret(service.token, "service.token"))
        except DriftgateError as missing:
            yield Finding("error", "service", missing.message, missing.remedy, where)
        else:
            if length < _LEAST_TOKEN:
                found = f"the service's token has {length} characters, at least {_LEAST_TOKEN} are needed"
                remedy = "export a longer one, for example from: openssl rand -hex 24"
                yield Finding("error", "service", found, remedy, where)


def _azure_monitor(inspection: Inspection) -> Iterator[Finding]:
    config = inspection.workspace.config.azure_monitor
    assert config is not None
    where = inspection.where("azure_monitor", "connection_string")
    if not all(map(installed, _SENDS)):
        problem = MissingExtra("azure", "sending to Azure Monitor")
        yield Finding("error", "azure_monitor", problem.message, problem.remedy, where)
    if unset(inspection, "azure_monitor"):
        return
    if not _KEY.search(resolve_secret(config.connection_string, "azure_monitor.connection_string")):
        names = ", ".join(re.findall(r"\{env:(\w+)\}", config.connection_string))
        yield Finding(
            "error",
            "azure_monitor",
            f"what {names} holds is no connection string of Application Insights",
            "copy it from the resource's overview: InstrumentationKey=…;IngestionEndpoint=…",
            where,
        )
    else:
        yield Finding("good", "azure_monitor", "a connection string; it is not tried")


CHECK = Check(look)
