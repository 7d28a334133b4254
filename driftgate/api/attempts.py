"""A further attempt at a repair, after the gate rejected a candidate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf

from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import (
    BudgetConfig,
    Remediation,
    ending,
    events_of,
    open_remediation,
    remediations,
    spent,
)
from driftgate.ledger import Ledger

_LATE = timedelta(days=2)
"""A rejection that is older calls for no further attempt: its evidence is old too."""


def attempt_of(remediation: Remediation) -> int:
    """Which attempt of its recipe a remediation is, counted from 1."""
    return int(remediation.evidence.get("attempt", 1))


def next_attempt(workspace: OpenWorkspace, ledger: Ledger, rejected: Remediation) -> Remediation | None:
    """Open the recipe's next attempt for a remediation whose candidate the gate rejected.

    It is a remediation of its own, for the same cause and with the same evidence: another candidate, with its own data,
    training and proof. None where something else ended the remediation, the recipe has no further attempt, or its
    budget does not suffice for all attempts together, if this one takes what the last one took.
    """
    recipe = workspace.config.recipes.get(str(rejected.evidence.get("recipe", "")))
    end = ending(events_of(ledger, rejected.id))
    number = attempt_of(rejected) + 1
    if (
        rejected.state != "rejected"
        or end is None
        or (end.step, end.status) != ("judge", "rejected")
        or recipe is None
        or number > 1 + len(recipe.further_attempts)
        or not _suffices(ledger, recipe.budget, rejected)
    ):
        return None
    evidence = {**rejected.evidence, "attempt": number, "after": rejected.id}
    return open_remediation(ledger, rejected.slot, rejected.cause, rejected.champion, evidence)[0]


def _suffices(ledger: Ledger, budget: BudgetConfig, last: Remediation) -> bool:
    known = {one.id: one for one in remediations(ledger, 1000)}
    chain = [last]
    while (before := known.get(str(chain[-1].evidence.get("after", "")))) is not None:
        chain.append(before)
    taken = [spent(ledger, one.id) for one in (last, *chain)]  # the last twice: for the next
    limits: list[tuple[float | None, list[float]]] = [
        (budget.calls, [one.calls for one in taken]),
        (budget.gpu_hours, [one.hours for one in taken]),
        (budget.money, [inf if one.money is None else one.money for one in taken]),
        (budget.days, [(datetime.now(UTC) - chain[-1].opened_at) / timedelta(days=1)]),
    ]
    return all(limit is None or sum(of_each) <= limit for limit, of_each in limits)


def due_attempts(workspace: OpenWorkspace, ledger: Ledger) -> list[Remediation]:
    """Open what a process that was killed between a rejection and the next attempt has left undone."""
    known = remediations(ledger, 1000)
    followed = {one.evidence.get("after") for one in known}
    newest = {one.slot: one for one in reversed(known)}.values()
    undone = [one for one in newest if one.state == "rejected" and one.id not in followed]
    recent = [one for one in undone if one.closed_at and datetime.now(UTC) - one.closed_at < _LATE]
    return [further for one in recent if (further := next_attempt(workspace, ledger, one)) is not None]
