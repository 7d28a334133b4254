"""A champion taken back: the traffic that its rollout moved, then the pointer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from driftgate.api.champions import champion
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.deploy import Retired, SwapMove, TrafficMove, read_move
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, record_audit, reversal, rollback, standing_promotions, traffic_of


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did."""

    model: str
    """The champion again."""
    undone: str
    """The champion until then."""
    move: TrafficMove | SwapMove | None
    """What a rollout had done for it; None where it had been promoted without one."""
    restored: bool
    """Whether the endpoint's traffic, or the deployment's model, is as it was before that rollout."""


def roll_back_champion(
    workspace: OpenWorkspace, ledger: Ledger, slot: str, *, reason: str, who: str, traffic: bool = True
) -> RolledBack:
    """Put the champion before back into its place, in production and in the ledger.

    The traffic goes first: users are out of harm's way before anything else can fail, and as long as the pointer
    stands, the same command finds the same promotion to undo. So it can be cut off anywhere and given again.

    Parameters
    ----------
    traffic : bool
        Whether the traffic is restored where a rollout moved it; without it the pointer alone moves.

    Raises
    ------
    DriftgateError
        There is no champion to go back to, or the traffic cannot be restored: then the pointer stands too.
    """
    champion(workspace, ledger, slot)
    found = reversal(ledger, slot)
    kept = traffic_of(ledger, found.undone)
    move = None if kept is None else read_move(kept)
    if move is not None and traffic:
        _restore(slot, move)
    model = rollback(ledger, slot, reason=reason, who=who, undoing=found.undone)
    return RolledBack(model, found.undone.model, move, restored=move is not None and traffic)


def _restore(slot: str, move: TrafficMove | SwapMove) -> None:
    alone = f"or move only the pointer: driftgate champion rollback {slot} --without-traffic --reason WHY"
    stands = f"'{slot}' is not rolled back, neither its traffic nor its champion"
    if isinstance(move, TrafficMove) and not move.before:
        raise DriftgateError(
            f"{stands}: before deployment '{move.deployment}' nobody answered on endpoint '{move.endpoint}'",
            f"lead your application to where it was answered before, {alone}",
        )
    try:
        now = asyncio.run(move.undo())
    except DriftgateError as problem:
        raise DriftgateError(f"{stands}: {problem.message}", f"{problem.remedy or 'try again'}, {alone}") from problem
    if isinstance(move, TrafficMove) and dict(now or {}) != dict(move.before):
        raise DriftgateError(
            f"{stands}: endpoint '{move.endpoint}' sends its traffic to {dict(now or {})}, which someone else gave it, "
            f"and not to '{move.deployment}' any more; before the rollout it was {dict(move.before)}",
            f"restore that map, then try again, {alone}",
        )


def retire_replaced(workspace: OpenWorkspace, ledger: Ledger, slot: str, *, who: str) -> tuple[str, Retired]:
    """Delete the deployments that a slot's champion took the traffic from: they are paid for, and serve nobody.

    Returns
    -------
    tuple
        The endpoint, and what became of its deployments. The rollback of that promotion is refused from then on.

    Raises
    ------
    DriftgateError
        No rollout brought the champion into its place, or the service refused; it can be tried again.
    """
    model = champion(workspace, ledger, slot)
    kept = traffic_of(ledger, standing_promotions(ledger, slot)[-1])
    move = None if kept is None else read_move(kept)
    if not isinstance(move, TrafficMove):
        raise DriftgateError(
            f"nothing is to be deleted for '{slot}': no rollout to an endpoint brought {model} into its place",
            "delete by hand what your services keep",
        )
    retired = asyncio.run(move.retire())
    record_audit(ledger, who, "champion.retire", slot, f"{move.endpoint}: {retired.told}")
    return move.endpoint, retired
