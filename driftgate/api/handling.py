"""What a person does with incidents: see them, acknowledge, silence, resolve and reopen them."""

from __future__ import annotations

import getpass
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import check_known
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.monitor.incidents import Happening, Incident, Severity, State
    from driftgate.monitor.notifications import ChannelStatus, Delivered


@dataclass(frozen=True)
class Handling:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns incidents."""

    files: OpenWorkspace
    ledger: Ledger

    def incidents(
        self,
        *,
        states: Collection[State] = (),
        monitor: str | None = None,
        least: Severity = "low",
        limit: int = 100,
    ) -> list[Incident]:
        """Incidents, those opened last first; see :func:`driftgate.monitor.incidents.incidents`.

        Raises
        ------
        DriftgateError
            There is no such monitor, and never was one that had an incident.
        """
        from driftgate.monitor.incidents import incidents

        if monitor:
            check_known("monitor", monitor, self.watched())
        return incidents(self.ledger, states=states, monitor=monitor, least=least, limit=limit)

    def watched(self) -> list[str]:
        """Monitors that may have incidents: the workspace's, and those that had one when it named them."""
        from driftgate.monitor.incidents import monitors_of

        return sorted({*self.files.config.monitors, *monitors_of(self.ledger)})

    def incident(self, name: str) -> Incident:
        """An incident by its id or a part of it; ``latest`` is the one opened last.

        Raises
        ------
        DriftgateError
            None, or more than one, fits.
        """
        from driftgate.monitor.incidents import find_incident

        return find_incident(self.ledger, name)

    def incident_history(self, name: str, *, limit: int = 1000) -> list[Happening]:
        """What happened to an incident, in order: each look that added to it, and who did what with it."""
        from driftgate.monitor.incidents import find_incident, history

        return history(self.ledger, find_incident(self.ledger, name).id, limit=limit)

    def acknowledge(self, name: str, note: str = "", *, who: str = "") -> Incident:
        """Say that somebody has taken an incident on; see :func:`driftgate.monitor.incidents.acknowledge`.

        Parameters
        ----------
        who : str
            Who does it; by default the user that runs this.

        Raises
        ------
        DriftgateError
            There is none of that name, or it is resolved.
        """
        from driftgate.monitor.incidents import acknowledge

        return acknowledge(self.ledger, name, who or getpass.getuser(), note)

    def silence(self, name: str, until: datetime, note: str = "", *, who: str = "") -> Incident:
        """Tell nobody of an incident until a moment; see :func:`driftgate.monitor.incidents.silence`.

        Raises
        ------
        DriftgateError
            There is none of that name, it is resolved, or the moment has no time zone.
        """
        from driftgate.monitor.incidents import silence

        return silence(self.ledger, name, until, who or getpass.getuser(), note)

    def resolve(self, name: str, note: str = "", *, who: str = "") -> Incident:
        """End an incident; where it goes on, the next look reopens it.

        Raises
        ------
        DriftgateError
            There is none of that name, or it is resolved already.
        """
        from driftgate.monitor.incidents import resolve

        return resolve(self.ledger, name, who or getpass.getuser(), note)

    def reopen(self, name: str, note: str = "", *, who: str = "") -> Incident:
        """Take back that an incident is resolved.

        Raises
        ------
        DriftgateError
            There is none of that name, it is not resolved, or another one of its cause is open.
        """
        from driftgate.monitor.incidents import reopen

        return reopen(self.ledger, name, who or getpass.getuser(), note)

    def review(self) -> None:
        """Bring incidents up to date: nights that failed or never came, approvals that wait, deployments that end."""
        from driftgate.api.reviewing import review

        review(self.files, self.ledger)

    def tell(self) -> Delivered:
        """Tell people of incidents, by the workspace's channels, unless ``driftgate serve`` does."""
        from driftgate.api.telling import tell

        return tell(self.files, self.ledger)

    def tell_test(self, channel: str) -> None:
        """Send a test by one channel.

        Raises
        ------
        DriftgateError
            There is no such channel, or it did not take it.
        """
        from driftgate.api.telling import tell_test

        tell_test(self.files, self.ledger, channel)

    def channels(self) -> list[ChannelStatus]:
        """How each channel does by which people are told: what it took last, what waits, and why it fails."""
        from driftgate.api.telling import channel_statuses

        return channel_statuses(self.files, self.ledger)
