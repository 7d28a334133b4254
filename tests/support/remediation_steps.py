"""Steps of a remediation that note their name, wait, or fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from driftgate.finetune.remediation import (
    STEPS,
    Agreement,
    BudgetConfig,
    Choice,
    Held,
    Judgement,
    Material,
    Progress,
    Promoted,
    Proved,
    Remediation,
    RolledOut,
    StepResult,
    Steps,
    Trained,
    _store,
    approval_of,
)
from driftgate.finetune.remediation import advance as advance_with
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger

RESULTS: Mapping[str, StepResult] = {
    "choose": Choice(),
    "synthesise": Material(items="items.jsonl", sha256="0f", count=40),
    "train": Trained(model="m"),
    "evaluate": Proved(run="r"),
    "judge": Judgement(),
    "approve": Agreement(),
    "roll_out": RolledOut(),
    "promote": Promoted(model="m", run="r"),
}
Step = Callable[[Progress], Awaitable[Any]]


def steps(done: list[str], **special: Step) -> Steps:
    """Steps that note their name; some behave otherwise."""

    def plain(name: str) -> Step:
        async def step(progress: Progress) -> StepResult:
            done.append(name)
            return RESULTS[name]

        return step

    return Steps(**{name: special.get(name, plain(name)) for name in STEPS})


async def nothing(progress: Progress) -> None:
    """Nothing is to be taken back."""


async def advance(ledger: Ledger, remediation: Remediation, steps: Steps, budget: BudgetConfig | None = None) -> Any:
    return await advance_with(ledger, remediation, steps, nothing, budget, seconds=0.4)


def asking(what: str) -> Step:
    """A step that wants a person's agreement to ``what``."""

    async def ask(progress: Progress) -> StepResult:
        given = approval_of(progress.ledger, progress.remediation, what)
        if given is None:
            raise Held("waits for a person", awaits=what)
        return Agreement(who=given.who)

    return ask


def earlier(ledger: Ledger, days: float) -> None:
    """Let everything that happened have happened earlier."""
    ago = timedelta(days=days)
    with ledger.write() as connection:
        for row in connection.execute(select(_store._events.c.id, _store._events.c.at)).all():
            here = _store._events.c.id == row.id
            connection.execute(update(_store._events).where(here).values(at=row.at - ago))
        opened = _store._remediations.c.opened_at
        for moment in connection.execute(select(opened)).scalars().all():
            connection.execute(update(_store._remediations).values(opened_at=moment - ago))


def failing(words: str) -> Step:
    async def step(progress: Progress) -> StepResult:
        raise DriftgateError(words)

    return step
