"""Repairs on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from rich.markup import escape

import driftgate
from driftgate.api.repair import Proposal, RemediationView, switched_off
from driftgate.cli._console import console
from driftgate.finetune.choice_words import option_rows
from driftgate.finetune.remediation import Spent, State, remediations
from driftgate.flows.errors import DriftgateError, nearest

_NOT_YET = 3
"""Exit code where another process is to do it."""


def run_list(folder: Path, state: str | None, champion: str | None, recipe: str | None, limit: int) -> int:
    """List remediations, the newest first."""
    if state is not None and state not in get_args(State):
        raise DriftgateError(f"there is no state '{state}'", nearest(state, get_args(State)))
    with driftgate.open(folder) as ws:
        found = remediations(ws.ledger, limit, state=cast("State | None", state), slot=champion, recipe=recipe)
        for row in found:
            console.print(f"{row.id} {row.state} {escape(row.slot)}: {escape(row.cause)}")
        if not found:
            console.print("no such remediation" if state or champion or recipe else "no remediation")
        if off := switched_off(ws.files, ws.ledger):
            console.print(f"no remediation is opened or goes on: {escape(off)}", soft_wrap=True)
        return 0


def run_show(folder: Path, name: str) -> int:
    """Show how a remediation went, and what it wants of a person."""
    with driftgate.open(folder) as ws:
        view = ws.remediation(name)
        one = view.remediation
        console.print(f"{one.id} · {escape(one.slot)} · {escape(one.cause)} · [bold]{one.state}[/]")
        for event in view.events:
            console.print(f"  {event.at:%Y-%m-%d %H:%M:%S} {event.step} {event.status} {escape(event.message)}")
        console.print(f"taken so far: {_spent(view.spent)}")
        _print_options(view)
        if view.switched_off:
            console.print(f"no remediation goes on: {escape(view.switched_off)}", soft_wrap=True)
        _print_proposal(view)
        return 0


def _print_options(view: RemediationView) -> None:
    """What was measured side by side, a line for each option and dataset."""
    if not view.options:
        return
    console.print("options on the recipe's proof, cost of 1,000 answers, 95% intervals:")
    for row in option_rows(view.options, view.proposed_option):
        told = [f"quality {row.quality}", row.difference and f"{row.difference} from the base", f"cost {row.cost}"]
        told += [
            f"latency {row.latency}",
            row.unanswered if row.unanswered == "not asked" else f"not answered {row.unanswered}",
            row.gate and f"gate: {row.gate}",
        ]
        line = "; ".join(filter(None, told))
        on = f" on {row.dataset}" if row.dataset else ""
        console.print(f"  {escape(row.option + on)}: {escape(line)}", soft_wrap=True)
    for option in view.options:
        if option.why and option.verdict not in ("", "pass"):
            console.print(f"  {escape(option.name)}: {escape(option.why)}", soft_wrap=True)


def _print_proposal(view: RemediationView) -> None:
    if view.why_none:
        console.print(f"there is nothing to approve now: {escape(view.why_none)}", soft_wrap=True)
    if view.proposal is None:
        return
    for line in _lines(view.proposal):
        console.print(line, soft_wrap=True)
    name = view.remediation.id
    console.print(f"to agree: driftgate remediation approve {name}")
    console.print(f"not to:   driftgate remediation reject {name} --reason WHY")


def _lines(proposal: Proposal) -> list[str]:
    dropped = ", ".join(f"{name} {count}" for name, count in proposal.dropped.items() if count) or "none"
    return [
        f"[bold]it would make {escape(proposal.candidate)} champion of {escape(proposal.slot)}[/], "
        f"in the place of {escape(proposal.champion)}",
        f"gate {escape(proposal.gate)} on run {proposal.run}, report {escape(proposal.report)}:",
        *(f"  {score.verdict}: {escape(score.rule)}: {escape(score.told)}" for score in proposal.scores),
        f"trained on {proposal.items} items (dropped by filters: {escape(dropped)}), the first of them:"
        if proposal.items
        else "nothing was trained for it: it is a model of the workspace",
        *(f"  {escape(' '.join(text.split()))}" for text in proposal.sample),
        f"then: {escape(proposal.rollout)}",
    ]


def _spent(spent: Spent) -> str:
    money = "what they cost is not known" if spent.money is None else f"they cost {spent.money:.4g}"
    return f"{spent.calls} calls ({money}), {spent.hours:.2f} hours of training"


def run_approve(folder: Path, name: str) -> int:
    """Agree to the promotion that a remediation waits for; refused unless it waits for that."""
    with driftgate.open(folder) as ws:
        view = ws.remediation(name)
        if view.proposal is not None:
            for line in _lines(view.proposal):
                console.print(line, soft_wrap=True)
        shown = view.proposal.what if view.proposal is not None else ""
        given = ws.approve_remediation(view.remediation.id, shown=shown)
        when = f"{given.at.astimezone():%Y-%m-%d %H:%M}"
        goes_on = "the process that serves" if ws.serving() is not None else "the next nightly run"
        console.print(f"approved {view.remediation.id} ({escape(given.who)}, {when}); {goes_on} goes on with it")
        return 0


def run_reject(folder: Path, name: str, reason: str) -> int:
    """Refuse the promotion that a remediation waits for."""
    with driftgate.open(folder) as ws:
        after = ws.reject_remediation(name, reason)
        return _ended(after.id, after.state)


def run_abandon(folder: Path, name: str, reason: str) -> int:
    """End a remediation; 3 where another process is at it and ends it."""
    with driftgate.open(folder) as ws:
        after = ws.abandon_remediation(name, reason)
        return _ended(after.id, after.state)


def _ended(name: str, state: str) -> int:
    if state != "open":
        console.print(f"{name} is {state}")
        return 0
    console.print(f"{name} is to end: the process that is at it ends it in a moment")
    return _NOT_YET


def run_stop(folder: Path, reason: str) -> int:
    """Stop all repairs."""
    with driftgate.open(folder) as ws:
        off = ws.stop_repairs(reason)
        console.print(f"in every process: {escape(off.told)}", soft_wrap=True)
        return 0


def run_resume(folder: Path) -> int:
    """Let repairs go on."""
    with driftgate.open(folder) as ws:
        if not ws.resume_repairs():
            raise DriftgateError("nobody has stopped the repairs", "there is nothing to resume")
        if off := switched_off(ws.files, ws.ledger):
            console.print(f"repairs are still off: {escape(off)}")
        else:
            console.print("repairs go on: driftgate remediation run, or the next nightly run")
        return 0
