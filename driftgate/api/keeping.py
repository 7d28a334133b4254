"""How long the ledger keeps what was asked and answered: moved to the archive, or removed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.forgetting import remove_pages
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Archived, Expired, Ledger, Packed, archive_details, expire_texts, find_run, pack_details

if TYPE_CHECKING:
    from driftgate.monitor.telemetry import Removed


@dataclass(frozen=True)
class Kept:
    """What ``driftgate nightly`` moved and removed as the workspace says; None where it says nothing."""

    expired: Expired | None
    archived: Archived | None
    packed: Packed
    """What else has ended; it is packed whatever the workspace says."""
    pages: tuple[Path, ...]
    """Reports and evidence of the runs that expired, which are removed."""
    telemetry: tuple[Removed, ...] = ()
    """Days of telemetry past their retention."""


def archive(workspace: OpenWorkspace, ledger: Ledger, run: str = "", older_than: int | None = None) -> Archived:
    """See :meth:`driftgate.api.facade.Workspace.archive_ledger`."""
    if run:
        _only_one("archive", older_than)
        return archive_details(ledger, run=find_run(ledger, run).id)
    return archive_details(ledger, before=_before("archive", "details_days", older_than, workspace))


def expire(workspace: OpenWorkspace, ledger: Ledger, run: str = "", older_than: int | None = None) -> Expired:
    """See :meth:`driftgate.api.facade.Workspace.expire`."""
    if run:
        _only_one("expire", older_than)
        return expire_texts(ledger, run=find_run(ledger, run).id)
    return expire_texts(ledger, before=_before("expire", "texts_days", older_than, workspace))


def keep(workspace: OpenWorkspace, ledger: Ledger) -> Kept:
    """Do what the workspace says under ``keep``, and pack the rest; texts that are to go are not moved before."""
    settings = workspace.config.keep
    expired = None if settings.texts_days is None else expire(workspace, ledger)
    limits = (settings.telemetry_days, settings.telemetry_bytes, settings.texts_days)
    gone: Sequence[Removed] = ()
    if any(limit is not None for limit in limits) and workspace.telemetry.is_dir():
        from driftgate.monitor.telemetry import Store, compact_others

        days, size, texts = limits
        # A service that writes a part of it removes and blanks them itself.
        done = compact_others(
            lambda place: Store(place, keep_days=days, keep_bytes=size, texts_days=texts), workspace.telemetry
        )
        gone = [one for each in done for one in each.removed]
    return Kept(
        expired,
        None if settings.details_days is None else archive(workspace, ledger),
        pack_details(ledger),
        tuple(remove_pages(workspace, expired.runs)) if expired is not None and expired.runs else (),
        tuple(gone),
    )


def _before(command: str, setting: str, days: int | None, workspace: OpenWorkspace) -> datetime:
    wanted = getattr(workspace.config.keep, setting) if days is None else days
    if wanted is None:
        raise DriftgateError(
            f"it is not said what to {command}",
            f"name a run with --run, say --older-than DAYS, or set keep.{setting} in driftgate.yaml",
        )
    if wanted < 0:
        raise DriftgateError(f"--older-than is {wanted}", "give it a number of days, 0 or more")
    return datetime.now(UTC) - timedelta(days=wanted)


def _only_one(command: str, older_than: int | None) -> None:
    if older_than is not None:
        raise DriftgateError(f"a run and an age are given to {command}", "give one of --run and --older-than")
