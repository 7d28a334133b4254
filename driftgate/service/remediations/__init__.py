"""Remediations over HTTP."""

from driftgate.service.remediations._routes import remediation_routes

__all__ = ["remediation_routes"]
