"""What a person does with jobs: list, look at, ask for and cancel them."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import check_known
from driftgate.ledger import Ledger, record_audit

if TYPE_CHECKING:
    from driftgate.api.jobs import Job, JobHistory, JobKind, Serving


@dataclass(frozen=True)
class Working:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns jobs."""

    files: OpenWorkspace
    ledger: Ledger

    def jobs(self, limit: int = 50, *, name: str = "", states: Sequence[str] = (), offset: int = 0) -> list[Job]:
        """Jobs of ``driftgate serve``, those due last first: what waits, runs and ended.

        Parameters
        ----------
        name : str
            Only of this name, such as ``nightly`` or ``look-MONITOR``.
        states : sequence of str
            Only in these states: ``waiting, running, done, failed, cancelled, missed``.

        Raises
        ------
        DriftgateError
            There is no such state, or no such job and never was one.
        """
        from driftgate.api.jobs import list_jobs

        if name:
            check_known("job", name, self.job_names())
        return list_jobs(self.ledger, limit, name=name, states=states, offset=offset)

    def job_names(self) -> list[str]:
        """Names of jobs: of those that the workspace has, and of those that it had when it did them."""
        from driftgate.api.jobs import job_kinds, names_of_jobs

        return sorted({*job_kinds(self.files), *names_of_jobs(self.ledger)})

    def job(self, id: str) -> JobHistory:
        """A job with what happened to it and the end of what it printed.

        Parameters
        ----------
        id : str
            Its id, a part of it that only one has, or what is done, as ``nightly``: then the newest.

        Raises
        ------
        DriftgateError
            None or more than one fits.
        """
        from driftgate.api.jobs import job_history

        return job_history(self.ledger, id)

    def job_kinds(self) -> list[JobKind]:
        """What the workspace has done by ``driftgate serve``, and when."""
        from driftgate.api.jobs import job_kinds

        return list(job_kinds(self.files).values())

    def run_job(self, name: str, *, who: str = "") -> tuple[Job, bool]:
        """Ask that a job be done now, by a serving process; it is done once however often it is asked for meanwhile.

        Returns
        -------
        tuple
            The job, and whether it is new: one that waits already is the same. :meth:`serving` says who will do it.

        Raises
        ------
        DriftgateError
            The workspace has no such job.
        """
        from driftgate.api.jobs import ask_for, find_kind

        by = who or getpass.getuser()
        job, new = ask_for(self.ledger, find_kind(self.files, name).name, by)
        if new:
            record_audit(self.ledger, by, "job.run", job.id)
        return job, new

    def cancel_job(self, id: str, *, who: str = "") -> Job:
        """Cancel a job that waits, or have one that runs stopped within seconds.

        Raises
        ------
        DriftgateError
            No job, or more than one, fits; or it has ended.
        """
        from driftgate.api.jobs import cancel, find_job

        by = who or getpass.getuser()
        before = find_job(self.ledger, id, unfinished=True)
        job = cancel(self.ledger, before.id, by)
        if before.cancel_by is None:
            record_audit(self.ledger, by, "job.cancel", job.id)
        return job

    def serving(self) -> Serving | None:
        """The process that leads the schedule now; None where none gives a sign of life."""
        from driftgate.api.jobs import serving

        return serving(self.ledger)
