"""What a person handles: findings of one cause and monitor together, from the first sign until it is over."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.monitor.incidents._config import IncidentsConfig
    from driftgate.monitor.incidents._handling import acknowledge, reopen, resolve, silence
    from driftgate.monitor.incidents._kinds import titled
    from driftgate.monitor.incidents._nights import Night, begin_night, end_night, newest_night
    from driftgate.monitor.incidents._observe import observe
    from driftgate.monitor.incidents._severity import severity_of_retirement
    from driftgate.monitor.incidents._standing import settle
    from driftgate.monitor.incidents._store import find_incident, history, incidents, monitors_of
    from driftgate.monitor.incidents._values import SEVERITIES, STATES, Happening, Incident, Part, Severity, Sign, State
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "SEVERITIES",
    "STATES",
    "Happening",
    "Incident",
    "IncidentsConfig",
    "Night",
    "Part",
    "Severity",
    "Sign",
    "State",
    "acknowledge",
    "begin_night",
    "end_night",
    "find_incident",
    "history",
    "incidents",
    "monitors_of",
    "newest_night",
    "observe",
    "reopen",
    "resolve",
    "settle",
    "severity_of_retirement",
    "silence",
    "titled",
]
