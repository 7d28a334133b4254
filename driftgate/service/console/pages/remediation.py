"""One repair: its steps, its evidence, what it trained on, and the approval that it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from driftgate.api.repair import Proposal
from driftgate.finetune.choice_words import option_rows
from driftgate.finetune.remediation import STEPS, Event, Spent, find_remediation
from driftgate.flows.errors import DriftgateError
from driftgate.service.console._concerns import approvals
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._render import to_plain
from driftgate.service.console._table import Column, Found, Table, Wanted, in_memory

EVENTS = (
    Column("happened", "time"),
    Column("step", filter=True),
    Column("status", "status", filter=True),
    Column("message", "long", sort=False),
)
ITEMS = (
    Column("filters", "long", sort=False),
    Column("kept", filter=True),
    Column("content", "long", sort=False),
)
OPTIONS = (
    Column("option", filter=True),
    Column("dataset", filter=True),
    Column("quality", sort=False),
    Column("difference", sort=False),
    Column("cost", sort=False),
    Column("latency", sort=False),
    Column("unanswered", sort=False),
    Column("gate", sort=False),
)
_ENDS = ("finished", "held", "failed", "rejected", "abandoned", "proposed", "approved", "started")


@dataclass(frozen=True)
class StepFacts:
    """How far a step is."""

    step: str
    status: str
    """Empty where it has not begun."""
    message: str
    at: datetime | None
    run: str
    """The run that it made; empty where it made none."""


@dataclass(frozen=True)
class RemediationFacts:
    """A repair."""

    id: str
    slot: str
    cause: str
    state: str
    champion: str
    opened: datetime
    closed: datetime | None
    evidence: Mapping[str, Any]
    steps: Sequence[StepFacts]
    waits: str
    """What a person is to agree to; empty where it waits for nobody."""
    proposal: Proposal | None
    """All that is to be looked at before; None where there is nothing to agree to."""
    why_none: str
    """Where it waits for a person and there is nothing to agree to: why."""
    spent: Spent
    switched_off: str
    """Why no remediation goes on now; empty where they do."""
    options: Sequence[Mapping[str, Any]]
    """What was measured side by side; empty where the recipe names no choice."""


def _load(console: Console, asked: Asked) -> Content:
    ledger = console.workspace.ledger
    try:
        name = find_remediation(ledger, asked.path["remediation"]).id
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem
    view = console.workspace.remediation(name)
    one, events = view.remediation, view.events
    waits = next((told for open_one, told, _ in approvals(console) if open_one.id == one.id), "")
    facts = RemediationFacts(
        one.id,
        one.slot,
        one.cause,
        one.state,
        one.champion,
        one.opened_at,
        one.closed_at,
        to_plain(one.evidence),
        [step for name in STEPS if (step := _step(name, events)).status or name != "choose"],
        waits,
        view.proposal,
        view.why_none,
        view.spent,
        view.switched_off,
        [option.model_dump(mode="json") for option in view.options],
    )
    rows = [{"happened": e.at, "step": e.step, "status": e.status, "message": e.message} for e in events]
    options = [asdict(row) for row in option_rows(view.options, view.proposed_option)]
    tables = (
        Table("events", EVENTS, in_memory(rows), sort="-happened"),
        Table("items", ITEMS, lambda wanted: _items(console, one.id, wanted)),
        Table("options", OPTIONS, in_memory(options)),
    )
    return Content(facts, tables, one.id)


def _step(name: str, events: Sequence[Event]) -> StepFacts:
    own = [event for event in events if event.step == name and event.status in _ENDS]
    if not own:
        return StepFacts(name, "", "", None, "")
    runs = [str(event.detail["run"]) for event in own if event.detail.get("run")]
    return StepFacts(name, own[-1].status, own[-1].message, own[-1].at, runs[-1] if runs else "")


def _items(console: Console, name: str, wanted: Wanted) -> Found:
    """What it trained on; nothing before its items are made."""
    try:
        frame = console.memo.get(("items", name), 60.0, lambda: console.workspace.training_items(name))
    except DriftgateError:
        return Found([], 0)
    kept = frame.astype(object).where(frame.notna(), None)
    rows = []
    for one in kept.to_dict("records"):
        plain = to_plain(one)
        passed = plain.pop("filters", None) or plain.pop("passed", None)
        rows.append({"kept": str(plain.get("kept", "")), "filters": str(passed or ""), "content": _words(plain)})
    return in_memory(rows)(wanted)


def _words(plain: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in plain.items() if value not in (None, "", [], {}))


PAGE = Page("/remediations/{remediation}", "remediation", _load, section="remediations")
