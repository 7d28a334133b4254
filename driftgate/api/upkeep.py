"""What is done with the ledger itself: check, archive, pack, expire and forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api.run import Run, name_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Archived, Checked, Expired, Ledger, Packed, check_ledger, pack_details

if TYPE_CHECKING:
    from driftgate.api.forgetting import Done


@dataclass(frozen=True)
class Upkeep:
    """The part of :class:`driftgate.api.facade.Workspace` that keeps its ledger."""

    files: OpenWorkspace
    ledger: Ledger

    def check_ledger(self) -> Checked:
        """Read the ledger whole: is everything there that belongs together, and how large is it?"""
        return check_ledger(self.ledger)

    def archive_ledger(self, run: Run | str = "", *, older_than: int | None = None) -> Archived:
        """Move node outputs and evaluations to the archive, where they are still read.

        Parameters
        ----------
        run : Run or str
            Only of this run.
        older_than : int, optional
            Of all runs that began more than so many days ago; by default ``keep.details_days``.

        Raises
        ------
        DriftgateError
            Neither is said; pyarrow is missing; or the archive cannot be written to.
        """
        from driftgate.api.keeping import archive

        return archive(self.files, self.ledger, name_of(run), older_than)

    def pack_ledger(self) -> Packed:
        """Pack node outputs and evaluations of runs that have ended, each text once; they are read as before."""
        return pack_details(self.ledger)

    def expire(self, run: Run | str = "", *, older_than: int | None = None) -> Expired:
        """Remove the texts of a run for good, from ledger and archive; its scores and verdicts stand.

        Parameters
        ----------
        run : Run or str
            Only of this run.
        older_than : int, optional
            Of all runs that began more than so many days ago; by default ``keep.texts_days``.

        Raises
        ------
        DriftgateError
            Neither is said, the run is being asked, or its archive cannot be read.
        """
        from driftgate.api.keeping import expire

        return expire(self.files, self.ledger, name_of(run), older_than)

    def forget(
        self, *, sample: str = "", matching: str = "", run: Run | str = "", user: str = "", dry: bool = False
    ) -> Done:
        """Remove what somebody asked to have removed, wherever driftgate keeps it; scores and verdicts stand.

        Parameters
        ----------
        sample : str
            A sample by its key or id: its text and what was said of it in every run.
        matching : str
            Whatever has this text, in whatever case.
        run : Run or str
            All texts of a run, as :meth:`expire`, and its pages.
        user : str
            Every call of production made for a user, by the id that the application sends, or by what stands for it in
            the telemetry.
        dry : bool
            Only count.

        Raises
        ------
        DriftgateError
            Not exactly one is said, there is no such sample or run, a run that has it is being asked, the telemetry is
            being written, or the archive cannot be read. What is left can be forgotten by another call.
        """
        from driftgate.api.forgetting import forget

        named = name_of(run)
        return forget(self.files, self.ledger, sample=sample, matching=matching, run=named, user=user, dry=dry)
