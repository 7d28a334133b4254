"""What whoever is on call does with a workspace: look at what is live, repair it, and send what was found."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.api.backtest import Backtest
    from driftgate.api.choosing import ChosenCanaries
    from driftgate.api.night import Looked, NightDisplay
    from driftgate.api.prompt_drift import Steadiness
    from driftgate.finetune.remediation import Remediation
    from driftgate.monitor.rereference import Rereference
    from driftgate.monitor.telemetry import Reason
    from driftgate.monitor.telemetry.sources import CollectionResult


@dataclass(frozen=True)
class OnCall:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns what is live."""

    files: OpenWorkspace
    ledger: Ledger

    def prompt_drift(self, monitor: str, *, repeats: int = 3, limit: int = 50) -> Steadiness:
        """Ask a monitor's canaries again and in other words; see `driftgate.api.prompt_drift`."""
        from driftgate.api.prompt_drift import measure_steadiness

        return measure_steadiness(self.files, self.ledger, monitor, repeats=repeats, limit=limit)

    def check(self, monitor: str, display: NightDisplay | None = None) -> Looked:
        """Look at a monitor's canaries and traffic, keep what was found, and open a repair if the model got worse.

        Raises
        ------
        DriftgateError
            There is no such monitor, or something is to be mended before it can look.
        """
        from driftgate.api import night

        told = display or night.NightDisplay()
        looked = night.look(self.files, self.ledger, monitor, told)
        night.send(self.files, self.ledger, told)
        return looked

    def rereference(self, monitor: str, *, reason: str) -> Rereference:
        """Let a monitor's next looks be what its canaries are compared with; who wanted it, and why, is recorded.

        Raises
        ------
        DriftgateError
            There is no such monitor, or no reason is given.
        """
        from driftgate.api.watching import rereference

        return rereference(self.files, self.ledger, monitor, reason=reason, who=getpass.getuser())

    def choose_canaries(
        self, run: str, *, others: Sequence[str] = (), n: int = 50, name: str = "canaries", seed: int = 0
    ) -> ChosenCanaries:
        """Choose canaries by what each tells of a change; see :func:`driftgate.api.choosing.choose_canaries`."""
        from driftgate.api.choosing import choose_canaries

        return choose_canaries(self.files, self.ledger, run, others=others, n=n, name=name, seed=seed)

    def nightly(self, display: NightDisplay | None = None) -> int:
        """Do everything the workspace names under ``nightly``; the exit code is the gravest of all its parts.

        Raises
        ------
        DriftgateError
            There is nothing to do, or a part could not be done; the others were.
        """
        from driftgate.api.night import NightDisplay, run_night

        return run_night(self.files, self.ledger, display or NightDisplay())

    def mend(self, display: NightDisplay | None = None) -> list[Remediation]:
        """Take every open remediation as far as it goes."""
        from driftgate.api.night import NightDisplay, mend

        return mend(self.files, self.ledger, display or NightDisplay())

    def send(self, display: NightDisplay | None = None) -> None:
        """Send what waits for Azure Monitor, where the workspace names it."""
        from driftgate.api.night import NightDisplay, send

        send(self.files, self.ledger, display or NightDisplay())

    def backtest(self, before: str, after: str, *, by: str = "category", orders: int = 200, seed: int = 0) -> Backtest:
        """Replay two runs as canaries asked one by one: how soon would the change have been noticed?

        Parameters
        ----------
        before, after : str
            A run, or ``RUN/PART`` where it has more than one cell; see :func:`driftgate.api.backtest.backtest`.

        Raises
        ------
        DriftgateError
            A name fits no cell or several, or the two share no sample.
        """
        from driftgate.api.attribution import only_cell
        from driftgate.api.backtest import backtest

        sides = [only_cell(self.ledger, name) for name in (before, after)]
        return backtest(self.ledger, *sides, by=by, orders=orders, seed=seed)

    def collect(self) -> list[CollectionResult]:
        """Bring what the workspace's telemetry sources have come up with into its telemetry folder.

        Raises
        ------
        DriftgateError
            The folder cannot be written, or ``driftgate serve`` writes it, which collects itself.
        """
        from driftgate.api.telemetry import collect

        return collect(self.files, self.ledger)

    def not_kept(self, days: int = 7) -> Mapping[Reason, int]:
        """What ``driftgate serve`` received in the newest days and did not keep as a call of a model, by reason."""
        from driftgate.api.telemetry import not_kept

        return not_kept(self.files, days)

    def unpark(self) -> int:
        """Let what Azure Monitor kept refusing be sent again; says how many records there are."""
        from driftgate.monitor.azure import unpark

        return unpark(self.ledger)

    def training_items(self, remediation: str) -> pd.DataFrame:
        """What a remediation trained on, one row an item: what it was made from, by what, and the filters it passed.

        Parameters
        ----------
        remediation : str
            Its id, or a part of it that only one has.

        Raises
        ------
        DriftgateError
            None or more than one fits, or it has made no items yet.
        """
        from driftgate.api.repair import training_items

        return training_items(self.ledger, remediation)
