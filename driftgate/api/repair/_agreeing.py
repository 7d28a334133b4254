"""What a person says of a repair: yes to just what was shown, no, or that it is to end."""

from __future__ import annotations

from contextlib import suppress

from driftgate.api.repair._context import recipe_of
from driftgate.api.repair._going import carry_out_end
from driftgate.api.repair._opening import switched_off
from driftgate.api.repair._proposal import basis_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import (
    Approval,
    Busy,
    Found,
    Remediation,
    abandon,
    approve,
    asked_for,
    events_of,
    find_remediation,
    reject,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, PromotionRefused


def approve_repair(
    workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, who: str, shown: str = ""
) -> Approval:
    """Agree to the promotion that a remediation asks approval for: to its verdict, data, candidate and rollout as they
    are now, and to nothing else.

    Parameters
    ----------
    who : str
        The person.
    shown : str
        Hash of what they were shown, where that may be some time ago; see :class:`Proposal`.

    Raises
    ------
    DriftgateError
        It waits for no approval, or what it asked approval for is not what is there now, or was shown.
    """
    if why := switched_off(workspace, ledger):
        raise DriftgateError(f"nothing is approved now: {why}")
    asked = asked_for(ledger, remediation)
    look = f"look at it now: driftgate remediation run, then: driftgate remediation show {remediation.id}"
    found = Found.of(remediation.id, events_of(ledger, remediation.id))
    try:
        basis = basis_of(workspace, ledger, recipe_of(workspace, remediation), remediation, found)
    except PromotionRefused as problem:
        words = f"remediation {remediation.id} can no longer be approved: {problem.message}"
        raise DriftgateError(words, look) from problem
    for earlier, when in ((asked, f"remediation {remediation.id} asked for approval"), (shown, "it was shown")):
        if earlier and basis.what != earlier:
            changed = basis.changed_since(earlier)
            raise DriftgateError(f"{changed} {'have' if ',' in changed else 'has'} changed since {when}", look)
    return approve(ledger, remediation, asked, who)


def reject_repair(
    workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, who: str, reason: str
) -> Remediation:
    """Refuse the promotion that a remediation asks approval for; it ends.

    Raises
    ------
    DriftgateError
        It waits for no approval, no reason is given, or what it did outside could not be taken back yet.
    """
    reject(ledger, remediation, who, reason)
    return _ended(workspace, ledger, remediation)


def abandon_repair(
    workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, who: str, reason: str
) -> Remediation:
    """End a remediation, however far it is: its traffic is given back and its training cancelled.

    Returns
    -------
    Remediation
        As it is then; still open where another process is at it, which ends it within seconds.

    Raises
    ------
    DriftgateError
        It has ended, no reason is given, or what it did outside could not be taken back yet: that is tried again.
    """
    abandon(ledger, remediation, who, reason)
    return _ended(workspace, ledger, remediation)


def _ended(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation) -> Remediation:
    with suppress(Busy):
        carry_out_end(workspace, ledger, remediation)
    return find_remediation(ledger, remediation.id)
