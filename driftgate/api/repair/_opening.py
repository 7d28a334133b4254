"""When a repair is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from driftgate.api.champions import champion as champion_live
from driftgate.api.repair._choice import settings_of
from driftgate.api.repair._context import REPLACES, recipe_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import (
    Choice,
    Found,
    Remediation,
    ending,
    events_of,
    open_remediation,
    remediations,
    stopped,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger


class NotOpened(DriftgateError):
    """Something calls for a repair, and none is opened now; the message says why."""


def switched_off(workspace: OpenWorkspace, ledger: Ledger) -> str:
    """Why no repair is opened or goes on now, in words; empty where they may."""
    if not workspace.config.repairs:
        return "the workspace says 'repairs: false'"
    off = stopped(ledger)
    return off.told if off is not None else ""


def begin_repair(
    workspace: OpenWorkspace,
    ledger: Ledger,
    recipe: str,
    champion: str,
    evidence: Mapping[str, Any],
    *,
    cause: str = "",
) -> tuple[Remediation, bool]:
    """Open a remediation for an alert that says the model moved, or for a failed gate; one at a time for a champion.

    Parameters
    ----------
    cause : str
        What calls for it, in words; by default the recipe.

    Returns
    -------
    tuple
        The remediation, and whether it is new: one that is open already is the same.

    Raises
    ------
    NotOpened
        Repairs are switched off, or the last one of this champion ended too short a time ago.
    """
    slot, budget = workspace.config.recipes[recipe].champion, workspace.config.recipes[recipe].budget
    known = remediations(ledger, 20, slot=slot)
    if (under_way := next((one for one in known if one.state == "open"), None)) is not None:
        return under_way, False
    if why := switched_off(workspace, ledger):
        raise NotOpened(f"no repair of '{slot}' is opened: {why}")
    last = max((one.closed_at for one in known if one.closed_at is not None), default=None)
    until = last + timedelta(hours=budget.cool_down_hours) if last is not None else None
    if last is not None and until is not None and datetime.now(UTC) < until:
        raise NotOpened(
            f"no repair of '{slot}' is opened: the last one ended at {last:%Y-%m-%d %H:%M} UTC, and the recipe "
            f"'{recipe}' waits {budget.cool_down_hours:g} hours",
            f"one is opened when it is called for after {until:%Y-%m-%d %H:%M} UTC (cool_down_hours)",
        )
    stands = standing_proposal(workspace, ledger, slot)
    if stands is not None and (REPLACES in stands.remediation.evidence) == (REPLACES in evidence):
        raise NotOpened(
            f"no repair of '{slot}' is opened: remediation {stands.remediation.id} proposed {stands.option}, which "
            "nobody has put in place",
            "put it in place and change the recipe accordingly, or take it out of the recipe's choice",
        )
    return open_remediation(ledger, slot, cause or f"recipe {recipe}", champion, {"recipe": recipe, **evidence})


@dataclass(frozen=True)
class StandingProposal:
    """Something that a remediation proposed to a person, and nobody has put in place."""

    remediation: Remediation
    option: str
    """Its name."""
    told: str
    """What is to be done."""


def standing_proposal(workspace: OpenWorkspace, ledger: Ledger, slot: str) -> StandingProposal | None:
    """What a slot's last remediation proposed, while champion and recipe are what they were; None where nothing is."""
    last = next(iter(remediations(ledger, 1, slot=slot)), None)
    if last is None or last.state != "proposed" or last.champion != champion_live(workspace, ledger, slot):
        return None
    try:
        events = events_of(ledger, last.id)
        made, settings = Found.of(last.id, events).get(Choice), settings_of(recipe_of(workspace, last))
    except DriftgateError:  # its recipe is another one by now, or none
        return None
    end = ending(events)
    return StandingProposal(last, made.proposal, end.message) if end and made.settings == settings else None
