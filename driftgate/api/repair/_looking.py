"""A remediation as people look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.api.repair._opening import switched_off
from driftgate.api.repair._proposal import Proposal, proposal_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import (
    Event,
    Found,
    Material,
    Remediation,
    Spent,
    asked_for,
    events_of,
    find_remediation,
    spent,
)
from driftgate.finetune.synthesis import recorded_lineage
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class RemediationView:
    """Where a remediation stands, what it has taken, and what it wants of a person."""

    remediation: Remediation
    events: Sequence[Event]
    spent: Spent
    proposal: Proposal | None
    """What a person is asked to agree to; None where it waits for nobody, or there is nothing to agree to."""
    why_none: str
    """Where it waits for a person and there is nothing to agree to: why."""
    switched_off: str
    """Why no remediation goes on now; empty where they do."""


def look_at(workspace: OpenWorkspace, ledger: Ledger, name: str) -> RemediationView:
    """Look at a remediation.

    Raises
    ------
    DriftgateError
        None, or more than one, has this in its id.
    """
    one = find_remediation(ledger, name)
    proposal, why = None, ""
    if _waits(ledger, one):
        try:
            proposal = proposal_of(workspace, ledger, one)
        except DriftgateError as problem:
            why = str(problem)
    off = switched_off(workspace, ledger)
    return RemediationView(one, events_of(ledger, one.id), spent(ledger, one.id), proposal, why, off)


def _waits(ledger: Ledger, remediation: Remediation) -> bool:
    try:
        asked_for(ledger, remediation)
    except DriftgateError:
        return False
    return True


def training_items(ledger: Ledger, name: str) -> DataFrame:
    """The training items of a remediation; see :meth:`driftgate.api.facade.Workspace.training_items`."""
    from pandas import DataFrame

    one = find_remediation(ledger, name)
    found = Found.of(one.id, events_of(ledger, one.id))
    if not found.has(Material):
        raise DriftgateError(
            f"remediation {one.id} has made no training items yet",
            f"see how far it is: driftgate remediation show {one.id}",
        )
    return DataFrame(recorded_lineage(ledger, found.get(Material).lineage))
