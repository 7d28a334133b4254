"""What a workspace says of notifications: who is told of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.monitor.incidents import Severity
from driftgate.monitor.incidents._kinds import KINDS
from driftgate.monitor.notifications.channels import ChannelConfig, parse_config

Event = Literal["opened", "worse", "reopened", "still_open", "resolved"]
"""What people are told of an incident."""


def _parsed(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "kind" not in value:
        raise ValueError("'kind' is missing")
    try:
        return parse_config(value)
    except DriftgateError as problem:
        raise ValueError(str(problem)) from problem


class RuleConfig(BaseModel):
    """Who is told of which incidents."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    to: list[str] = Field(min_length=1)
    """Channels."""
    events: list[Event] = Field(["opened", "worse", "reopened", "still_open", "resolved"], min_length=1)
    """What of an incident is told."""
    kinds: list[str] = []
    """Names of incidents, such as ``endpoint_down`` or ``nightly_failed``; empty: all."""
    monitors: list[str] = []
    """Monitors; empty: all, and the workspace's own incidents, as of its nightly, too."""
    least_severity: Severity = "low"
    """The least severity that is told."""

    @model_validator(mode="after")
    def _known_kinds(self) -> Self:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"there is no kind of incident '{kind}'; {nearest(kind, KINDS)}")
        return self


class NotificationsConfig(BaseModel):
    """Who is told of incidents, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    channels: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)],
        Annotated[ChannelConfig, BeforeValidator(_parsed)],
    ] = {}
    """Ways to tell people, by name."""
    rules: list[RuleConfig] = []
    """Who is told of what; unset: every channel of everything."""
    renotify_hours: float | None = Field(24.0, gt=0, le=8784, allow_inf_nan=False)
    """Hours after which an incident that is open, and that nobody has acknowledged, is told of again; null: never."""
    group_seconds: float = Field(60.0, ge=0, le=3600, allow_inf_nan=False)
    """Seconds for which ``driftgate serve`` gathers what comes together into one message. A command that sends by
    itself gathers what it has found."""
    give_up_hours: float = Field(72.0, gt=0, le=8784, allow_inf_nan=False)
    """Hours after which a message that a channel does not take is given up; the channel's failure stays visible."""

    @model_validator(mode="after")
    def _known_channels(self) -> Self:
        for rule in self.rules:
            for name in rule.to:
                if name not in self.channels:
                    raise ValueError(f"there is no channel '{name}'; {nearest(name, self.channels)}")
        return self

    def to(self, event: Event, kind: str, monitor: str, severity: Severity) -> Iterator[str]:
        """The channels by which an event of an incident is told."""
        from driftgate.monitor.incidents import SEVERITIES

        for name in self.channels:
            if not self.rules or any(
                name in rule.to
                and event in rule.events
                and (not rule.kinds or kind in rule.kinds)
                and (not rule.monitors or monitor in rule.monitors)
                and SEVERITIES.index(severity) >= SEVERITIES.index(rule.least_severity)
                for rule in self.rules
            ):
                yield name
