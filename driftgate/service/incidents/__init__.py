"""Incidents within the process that serves: their routes, and what keeps them up to date and told."""

from driftgate.service.incidents._keeping import keep_incidents
from driftgate.service.incidents._routes import channel_routes, incident_routes

__all__ = ["channel_routes", "incident_routes", "keep_incidents"]
