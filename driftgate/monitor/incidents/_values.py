"""An incident, what it is made of, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the gravest."""
State = Literal["open", "acknowledged", "resolved"]
STATES: tuple[State, ...] = get_args(State)
What = Literal[
    "opened", "seen", "worse", "quiet", "acknowledged", "silenced", "resolved", "reopened", "still_open"
]  # fmt: skip
"""What can happen to an incident; ``seen`` and ``quiet`` are looks that added to it."""
ITSELF = "driftgate"
"""Who did it, where no person did."""


@dataclass(frozen=True)
class Sign:
    """One thing that is wrong, as one look or another check saw it."""

    monitor: str
    """Of which monitor; empty where it concerns the workspace."""
    cause: str
    """What groups signs: those of one monitor and cause are one incident."""
    kind: str
    """Its name, such as ``endpoint_down``; see :mod:`driftgate.monitor.incidents._kinds`."""
    severity: Severity
    subject: str
    """What was looked at: ``canaries``, ``traffic``, ``prompts``, ``answers``, or the name of another check."""
    summary: str
    """One sentence for the person who is told."""
    remedy: str = ""
    """What to do next."""
    signals: tuple[str, ...] = ()
    """Signals that moved; empty where something could not be measured."""
    since: datetime | None = None
    """When it was first so; None: now."""
    good_at: datetime | None = None
    """When it was last known not to be so."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What to look at: run, alerts, and so on, as JSON has it."""


@dataclass(frozen=True)
class Part:
    """What one subject of looks contributes to an incident, and how far it has been quiet since."""

    subject: str
    signals: tuple[str, ...] = ()
    """Signals that moved."""
    blind: bool = False
    """It could not be measured."""
    quiet: int = 0
    """How many looks in a row since saw nothing."""


@dataclass(frozen=True)
class Incident:
    """What a person handles."""

    id: str
    monitor: str
    """Empty where it concerns the workspace, as a nightly does."""
    cause: str
    kind: str
    state: State
    severity: Severity
    """The gravest it had since it was opened."""
    summary: str
    """What the gravest sign says, of equals the newest."""
    remedy: str
    since: datetime
    """When the first sign was seen."""
    good_at: datetime | None
    """When it was last known not to be so: it began between the two. None where that was never known."""
    opened_at: datetime
    seen_at: datetime
    """When the last sign was seen."""
    signs: int
    """How many looks added a sign."""
    parts: tuple[Part, ...]
    acknowledged_by: str
    """Empty where nobody did."""
    acknowledged_at: datetime | None
    silenced_until: datetime | None
    resolved_by: str
    """``driftgate`` where looks were quiet again; empty while it is not resolved."""
    resolved_at: datetime | None

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal that moved."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.signals))

    def silenced(self, now: datetime | None = None) -> bool:
        """Whether nobody is told of it now."""
        return self.silenced_until is not None and self.silenced_until > (now or datetime.now(UTC))


@dataclass(frozen=True)
class Happening:
    """Something that happened to an incident."""

    id: int
    incident: str
    what: What
    who: str
    note: str
    severity: Severity
    """The incident's afterwards."""
    detail: Mapping[str, Any]
    at: datetime


def graver(one: Severity, other: Severity) -> Severity:
    """The graver of two.

    Examples
    --------
    >>> graver("low", "high")
    'high'
    """
    return max(one, other, key=SEVERITIES.index)


def raised(severity: Severity, by: int) -> Severity:
    """A severity so many steps graver, or below 0 less grave.

    Examples
    --------
    >>> raised("medium", 1), raised("critical", 1), raised("low", -1)
    ('high', 'critical', 'low')
    """
    return SEVERITIES[min(max(SEVERITIES.index(severity) + by, 0), len(SEVERITIES) - 1)]
