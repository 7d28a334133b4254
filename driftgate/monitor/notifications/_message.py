"""What is told in one go by one channel: the same words and the same key in every try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from driftgate.monitor.incidents import SEVERITIES, Happening, Incident, Severity
from driftgate.monitor.incidents._kinds import titled

_WORDS = {
    "opened": "opened",
    "worse": "worse",
    "reopened": "came back",
    "still_open": "still open",
    "resolved": "resolved",
}
_LONGEST = 600
"""Characters of a sentence in a message; all of it is in the incident."""


@dataclass(frozen=True)
class Message:
    """A message of one or several events, as it is kept until it was taken."""

    key: str
    """The same in every try: a receiver that has seen it has this message already."""
    workspace: str
    severity: Severity
    """The gravest of its events'."""
    over: bool
    """Everything in it is resolved."""
    title: str
    body: str
    events: Sequence[Mapping[str, Any]]

    @property
    def incidents(self) -> frozenset[str]:
        """Ids of the incidents that it tells of; of a test none."""
        return frozenset(event["incident"]["id"] for event in self.events if "incident" in event)

    def payload(self) -> dict[str, Any]:
        """What a program reads."""
        return {"version": 1, "key": self.key, "workspace": self.workspace, "title": self.title, "events": self.events}


def message_of(key: str, workspace: str, events: Sequence[tuple[Happening, Incident]]) -> Message:
    """Put events into one message, each incident's in the order they came."""
    severity = max((happening.severity for happening, _ in events), key=SEVERITIES.index)
    lines = [_paragraph(happening, incident) for happening, incident in events]
    if len(events) == 1:
        title = f"driftgate {workspace}: {_headline(*events[0])}"
    else:
        counts = {word: sum(_WORDS[h.what] == word for h, _ in events) for word in _WORDS.values()}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        title = f"driftgate {workspace}: incidents: {told} ({severity})"
    over = all(happening.what == "resolved" for happening, _ in events)
    plain = [_event(happening, incident) for happening, incident in events]
    return Message(key, workspace, severity, over, title, "\n\n".join(lines), plain)


def test_message(key: str, workspace: str, channel: str, now: datetime) -> Message:
    """A message that says nothing but that a channel works."""
    title = f"driftgate {workspace}: a test of channel '{channel}'"
    body = f"This is a test, sent at {_when(now)}. No incident is behind it."
    return Message(key, workspace, "low", False, title, body, [{"event": "test", "at": now.isoformat()}])


def _headline(happening: Happening, incident: Incident) -> str:
    where = f"{incident.monitor}: " if incident.monitor else ""
    return f"{_WORDS[happening.what]} ({happening.severity}): {where}{titled(incident.kind)}"


def _paragraph(happening: Happening, incident: Incident) -> str:
    between = f"; last known good at {_when(incident.good_at)}" if incident.good_at is not None else ""
    lines = [f"{_headline(happening, incident)} [{incident.id}]", f"since {_when(incident.since)}{between}"]
    if happening.what == "resolved":
        why = happening.note or "no reason given"
        lines.append(f"resolved at {_when(happening.at)} by {happening.who}: {_short(why)}")
    else:
        lines.append(_short(happening.note or incident.summary))
        if incident.remedy:
            lines.append(f"next: {_short(incident.remedy)}")
    lines.append(f"see: driftgate incidents show {incident.id}")
    return "\n".join(lines)


def _event(happening: Happening, incident: Incident) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "event": happening.what,
        "at": happening.at.isoformat(),
        "who": happening.who,
        "note": happening.note,
    }
    told = ("id", "monitor", "cause", "kind", "summary", "remedy")
    times = {name: getattr(incident, name) for name in ("since", "good_at", "opened_at")}
    return plain | {
        "incident": {name: getattr(incident, name) for name in told}
        | {"title": titled(incident.kind), "severity": happening.severity, "signals": list(incident.signals)}
        | {name: None if at is None else at.isoformat() for name, at in times.items()}
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
