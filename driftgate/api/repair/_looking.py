"""A remediation as people look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from driftgate.api.repair._opening import switched_off
from driftgate.api.repair._proposal import Proposal, proposal_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.choice import Option
from driftgate.finetune.remediation import (
    Choice,
    Event,
    Found,
    Judgement,
    Material,
    Proved,
    Remediation,
    Spent,
    StepResult,
    approval_of,
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

_Result = TypeVar("_Result", bound=StepResult)


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
    options: Sequence[Option] = ()
    """What was measured side by side, the champion as it is first; empty where its recipe names no choice."""
    proposed_option: str = ""
    """Name of the option that is proposed instead of training; empty where none is."""


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
    events = events_of(ledger, one.id)
    chosen, options = options_of(ledger, one, events)
    return RemediationView(one, events, spent(ledger, one.id), proposal, why, off, options, chosen)


def options_of(ledger: Ledger, remediation: Remediation, events: Sequence[Event]) -> tuple[str, list[Option]]:
    """The option that is proposed instead of training, and all that were measured, with those that were trained.

    Of a further attempt the alternatives are those that its first attempt measured.
    """
    found = Found.of(remediation.id, events)
    first, seen = remediation, {remediation.id}
    while (made := _kept(Found.of(first.id, events_of(ledger, first.id)), Choice)) is None:
        before = str(first.evidence.get("after", ""))
        if not before or before in seen:
            break
        first = find_remediation(ledger, before)
        seen.add(first.id)
    made, proved = made or Choice(), _kept(found, Proved)
    tuned = list(proved.options) if proved is not None else []
    if tuned:
        tuned[0] = tuned[0].model_copy(update=_word_of(events, found))
    return made.proposal, [*made.options, *tuned]


def _kept(found: Found, kind: type[_Result]) -> _Result | None:
    """What a step found; None where it is not finished, or an older driftgate kept too little of it."""
    try:
        return found.get(kind)
    except DriftgateError:
        return None


def _word_of(events: Sequence[Event], found: Found) -> dict[str, str]:
    """What the gate said of what was trained."""
    if (judged := _kept(found, Judgement)) is not None:
        return {"verdict": str(judged.verdict.get("verdict", ""))}
    end = next((event for event in events if (event.step, event.status) == ("judge", "rejected")), None)
    return {} if end is None else {"verdict": "not passed", "why": end.message}


def _waits(ledger: Ledger, remediation: Remediation) -> bool:
    try:
        asked = asked_for(ledger, remediation)
    except DriftgateError:
        return False
    return approval_of(ledger, remediation, asked) is None


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
