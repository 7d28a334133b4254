"""What whoever is on call does with a workspace: look at what is live, repair it, and send what was found."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.api.azure import Part
    from driftgate.api.backtest import AnswersBacktest, Backtest
    from driftgate.api.choosing import ChosenCanaries
    from driftgate.api.explaining import Explanation
    from driftgate.api.night import Looked, NightDisplay
    from driftgate.api.training import Order, TrainingView
    from driftgate.finetune.remediation import Remediation
    from driftgate.monitor.azure import Published, Template
    from driftgate.monitor.prompt_look import PromptLook
    from driftgate.monitor.replay import Replay
    from driftgate.monitor.rereference import Rereference
    from driftgate.monitor.telemetry import Reason, Removed
    from driftgate.monitor.telemetry.sources import CollectionResult


@dataclass(frozen=True)
class OnCall:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns what is live."""

    files: OpenWorkspace
    ledger: Ledger

    def prompt_drift(
        self,
        monitor: str,
        display: NightDisplay | None = None,
        *,
        repeats: int | None = None,
        limit: int | None = None,
    ) -> PromptLook:
        """Ask a monitor's canaries again and in other forms, and keep what was found.

        Parameters
        ----------
        repeats, limit : int, optional
            How often each is asked as it stands, and how many are asked, in place of the monitor's own.

        Raises
        ------
        DriftgateError
            There is no such monitor, or something is to be mended before it can look.
        """
        from driftgate.api import night

        told = display or night.NightDisplay()
        found = night.look_at_prompts(self.files, self.ledger, monitor, told, repeats=repeats, limit=limit)
        night.tell_of(self.files, self.ledger, told)
        night.send(self.files, self.ledger, told)
        return found

    def check(self, monitor: str, display: NightDisplay | None = None) -> Looked:
        """Look at a monitor's canaries and traffic, keep what was found, and open a repair if the model got worse.

        Raises
        ------
        DriftgateError
            There is no such monitor, or something is to be mended before it can look.
        """
        from driftgate.api import night

        told = display or night.NightDisplay()
        try:
            looked = night.look(self.files, self.ledger, monitor, told)
        finally:
            night.tell_of(self.files, self.ledger, told)
        night.send(self.files, self.ledger, told)
        return looked

    def explain(self, alert: str) -> Explanation:
        """What moved, since when and by how much, in which looks and slices, and what speaks for and against whom.

        Parameters
        ----------
        alert : str
            Its key, a part of it, or ``latest``.

        Raises
        ------
        DriftgateError
            None or more than one fits.
        """
        from driftgate.api.explaining import explain

        return explain(self.files, self.ledger, alert)

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
        self,
        run: str,
        *,
        others: Sequence[str] = (),
        n: int = 50,
        name: str = "canaries",
        seed: int = 0,
        probe: bool = False,
    ) -> ChosenCanaries:
        """Choose canaries by what each tells of a change; see :func:`driftgate.api.choosing.choose_canaries`."""
        from driftgate.api.choosing import choose_canaries

        return choose_canaries(self.files, self.ledger, run, others=others, n=n, name=name, seed=seed, probe=probe)

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

    def backtest_answers(
        self,
        file: Path,
        before: str,
        after: str,
        columns: Mapping[str, str] | None = None,
        *,
        reads: str = "",
        orders: int = 200,
        seed: int = 0,
    ) -> AnswersBacktest:
        r"""Replay a file of recorded answers of two models, or of two times.

        Parameters
        ----------
        before, after : str
            Values of the column that says which model or time an answer is of.
        columns : mapping of str to str, optional
            The file's column of a field, by field; see :func:`driftgate.api.backtest.backtest_answers`.
        reads : str
            A regular expression whose last match in a reply is its answer, such as ``\[(Yes|No)\]``.

        Raises
        ------
        DriftgateError
            The file cannot be read that way.
        """
        from driftgate.api.backtest import backtest_answers

        return backtest_answers(file, columns or {}, before, after, reads=reads, orders=orders, seed=seed)

    def replay_traffic(
        self,
        monitor: str = "",
        file: Path | None = None,
        columns: Mapping[str, str] | None = None,
        *,
        signals: Sequence[str] | None = None,
        sizes: Sequence[float] = (),
        starts: int = 6,
        seed: int = 0,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> Replay:
        """Look at stored calls, or those of a file, as a monitor would have, and again with changes put into them.

        See :func:`driftgate.api.replay.replay_traffic`.

        Raises
        ------
        DriftgateError
            There is no such monitor, or the calls cannot be read or are of too few days.
        """
        from driftgate.api.replay import replay_traffic

        return replay_traffic(
            self.files,
            monitor,
            file,
            columns,
            signals=signals,
            sizes=sizes,
            starts=starts,
            seed=seed,
            advance=advance,
        )

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

    def removed_telemetry(self) -> list[Removed]:
        """The days of telemetry that ``keep.telemetry_days`` or ``keep.telemetry_megabytes`` removed, oldest first."""
        from driftgate.monitor.telemetry import removed

        return removed(self.files.telemetry)

    def steps(self, days: int = 7) -> pd.DataFrame:
        """What agents and tools did in the newest days; see :func:`driftgate.monitor.telemetry.steps`."""
        from driftgate.api.telemetry import steps_of

        return steps_of(self.files, days)

    def publish(self, run: str = "latest") -> list[Published]:
        """Put a run into the workspace's Foundry project, with a dataset for each cell; nothing is made twice.

        Raises
        ------
        DriftgateError
            There is no such run, it has not ended, the workspace names no project, or the project refuses.
        """
        from driftgate.api.azure import publish_to_foundry

        return publish_to_foundry(self.files, self.ledger, run)

    def azure_template(self, part: Part = "monitoring") -> Template:
        """The template of the workbook with its alert rules, or of ``driftgate serve`` on Container Apps.

        Its methods ``as_bicep()`` and ``as_json()`` give the two languages.
        """
        from driftgate.api.azure import template

        return template(self.files, part)

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

    def training(self, remediation: str) -> TrainingView:
        """How the training job of a remediation stands, as who trains tells it.

        Raises
        ------
        DriftgateError
            The remediation has begun no training, or who trains does not answer.
        """
        from driftgate.api.training import look_at_training

        return look_at_training(self.files, self.ledger, remediation)

    def order_training(self, remediation: str, order: Order) -> TrainingView:
        """Cancel, pause or resume the training job of a remediation; see :mod:`driftgate.api.training`.

        Raises
        ------
        DriftgateError
            The remediation has begun no training, or who trains refuses.
        """
        from driftgate.api.training import order_training

        return order_training(self.files, self.ledger, remediation, order)
