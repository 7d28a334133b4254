"""Every address that is used may be asked, and what a workspace says of the network can be held to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection, texts_of
from driftgate.api.preflight.environment import unset
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import resolve

_ADDRESS = re.compile(r"https?://[^\s;,'\"]+")
_SAID_THERE = frozenset({"models", "retrievers"})
"""Parts whose own checks try their addresses."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Read the certificates, and look for an address that ``network.allow`` does not name."""
    if not inspection.scope.whole and not inspection.scope.reaches:
        return
    inspection.workspace.hold()
    if inspection.workspace.config.network.model_fields_set and not unset(inspection, "network"):
        yield from _stated(inspection)
    if inspection.scope.whole and inspection.workspace.config.network.allow is not None:
        yield from _unnamed(inspection)


def _stated(inspection: Inspection) -> Iterator[Finding]:
    network = inspection.workspace.network
    try:
        _ = network.tls  # it says what is wrong with the certificates
        proxy = network.proxy_for("https://example.net") if network.config.proxy else None
    except DriftgateError as problem:
        yield of_problem("network", problem, inspection.where("network"))
        return
    allow = network.config.allow
    told = ["any host may be asked" if allow is None else f"only {', '.join(allow) or 'no host'} may be asked"]
    told += [f"through the proxy {proxy.rpartition('@')[2].removeprefix('http://')}"] if proxy else []
    told += [f"certificates of {network.ca_file} are trusted"] if network.ca_file else []
    yield Finding("good", "network", "; ".join(told))


def _unnamed(inspection: Inspection) -> Iterator[Finding]:
    """Addresses anywhere in the workspace file: of connections, trainers, telemetry, the service that is sent to."""
    parts = [part for part in inspection.workspace.document.value if part not in (*_SAID_THERE, "network", "ledger")]
    for part in parts:
        for text, location in texts_of(inspection.workspace.document.value[part], (part,)):
            if unset(inspection, *location):
                continue
            for url in _ADDRESS.findall(resolve(text, ".".join(map(str, location)))):
                try:
                    inspection.workspace.network.check(url)
                except DriftgateError as problem:
                    yield of_problem(".".join(map(str, location)), problem, inspection.where(*location))


CHECK = Check(look)
