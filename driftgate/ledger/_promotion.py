"""The one door to a champion's place: a stored ``pass`` that names the very runs it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger._cells import cells_of
from driftgate.ledger._champions import PromotionRow, champion_of, move
from driftgate.ledger._content import run_hash
from driftgate.ledger._results import VerdictRow, verdicts_of
from driftgate.ledger._runs import find_run
from driftgate.ledger._schema import promotion_evidence
from driftgate.ledger._store import Ledger


class PromotionRefused(DriftgateError):
    """The verdicts do not allow it."""


def promote(
    ledger: Ledger,
    slot: str,
    model: str,
    *,
    run_id: str,
    gates: Mapping[str, str],
    reason: str,
    who: str,
    traffic: Mapping[str, Any] | None = None,
) -> bool:
    """Make a model the champion of a slot; the verdicts that allow it are kept beside the move.

    Parameters
    ----------
    run_id, gates
        Those of :func:`evidence_for`.
    traffic : mapping, optional
        What was done to an endpoint's traffic for it, as JSON values: a rollback is to undo that too.

    Returns
    -------
    bool
        Whether the pointer moved; False where the model is champion already.

    Raises
    ------
    PromotionRefused
        See :func:`evidence_for`.
    """
    if champion_of(ledger, slot) == model:
        return False
    evidence = evidence_for(ledger, slot, model, run_id=run_id, gates=gates)
    with ledger.write() as connection:
        number = move(ledger, connection, slot, model, "promote", find_run(ledger, run_id).id, reason, who)
        details = evidence | ({"traffic": dict(traffic)} if traffic is not None else {})
        connection.execute(insert(promotion_evidence).values(promotion_id=number, details=details))
    return True


def traffic_of(ledger: Ledger, promotion: PromotionRow) -> dict[str, Any] | None:
    """What was done to an endpoint's traffic for a promotion; None where it was the pointer alone."""
    query = select(promotion_evidence.c.details).where(promotion_evidence.c.promotion_id == promotion.id)
    with ledger.read() as connection:
        details = connection.execute(query).scalar_one_or_none()
    found = (details or {}).get("traffic")
    return None if found is None else dict(found)


def evidence_for(ledger: Ledger, slot: str, model: str, *, run_id: str, gates: Mapping[str, str]) -> dict[str, Any]:
    """What allows a model to take a slot: the gates that passed it, and the content hash of every run they rest on.

    Parameters
    ----------
    gates : mapping
        The gates that must have passed the run, each with the hash of its rules as they are now.

    Raises
    ------
    PromotionRefused
        The run is not complete or did not ask the model; a gate has not judged it, did not pass it, measured another
        model, or judged by other rules; a run that a verdict rests on has changed since; the champion has.
    """
    current = champion_of(ledger, slot)
    run = find_run(ledger, run_id)
    if run.status != "complete":
        raise PromotionRefused(f"run {run.id} is {run.status}", run.how_to_finish)
    models = {cell.model for cell in cells_of(ledger, run.id)}
    if model not in models:
        raise PromotionRefused(f"run {run.id} did not ask the model '{model}'", nearest(model, models))
    if not gates:
        raise PromotionRefused(f"no gate judges run {run.id}", "add one under gates, then: driftgate gate")
    newest: dict[str, VerdictRow] = {}
    for row in verdicts_of(ledger, run.id):
        newest.setdefault(row.gate, row)
    hashes: dict[str, str] = {}
    for gate, rules in gates.items():
        row = _passed(newest.get(gate), gate, run.id)
        again = f"judge it again: driftgate gate {run.id} --gate {gate}"
        if row.details.get("rules_hash") != rules:
            raise PromotionRefused(f"the rules of gate '{gate}' have changed since it passed run {run.id}", again)
        meant = row.details.get("champion")
        if meant is not None and meant != current:
            found = f"gate '{gate}' compared with {meant}, and the champion of '{slot}' is {current}"
            raise PromotionRefused(found, again)
        named: Mapping[str, str] = row.details.get("runs") or {}
        if run.id not in named:
            raise PromotionRefused(f"the verdict of gate '{gate}' does not say what run {run.id} held", again)
        for one, known in named.items():
            hashes.setdefault(one, run_hash(ledger, one))
            if hashes[one] != known:
                raise PromotionRefused(f"run {one} has changed since gate '{gate}' passed it", again)
    # A first run passes "no worse than the previous one" for want of one: that is no evidence.
    rules_said = [rule for gate in gates for rule in newest[gate].details.get("rules", ())]
    if model not in {rule.get("model") for rule in rules_said if rule.get("value") is not None}:
        raise PromotionRefused(
            f"no rule of {', '.join(gates)} measured the model '{model}'", "add a rule about it, then: driftgate gate"
        )
    return {"gates": dict(gates), "runs": hashes}


def _passed(row: VerdictRow | None, gate: str, run_id: str) -> VerdictRow:
    if row is None:
        raise PromotionRefused(
            f"gate '{gate}' has not judged run {run_id}", f"judge it: driftgate gate {run_id} --gate {gate}"
        )
    if row.verdict != "pass":
        why: list[Any] = [rule for rule in row.details.get("rules", ()) if rule["verdict"] == row.verdict]
        told = f": {why[0]['cell']}: {why[0]['rule']}: {why[0]['reason']}" if why else ""
        raise PromotionRefused(f"gate '{gate}' says {row.verdict} of run {run_id}{told}", "only a pass promotes")
    return row
