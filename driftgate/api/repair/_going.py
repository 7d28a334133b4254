"""Take a repair as far as it goes now, or carry out its end."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NoReturn

from driftgate.api._waiting import wait_for
from driftgate.api.attempts import attempt_of
from driftgate.api.preflight import prepare_repair
from driftgate.api.repair._choice import ChoiceStep
from driftgate.api.repair._context import Context, recipe_of
from driftgate.api.repair._material import MaterialStep
from driftgate.api.repair._promotion import ApproveStep, PromoteStep, RollOutStep
from driftgate.api.repair._proof import JudgeStep, ProofStep
from driftgate.api.repair._swapping import put_back
from driftgate.api.repair._training import TrainingStep, cancel_training
from driftgate.api.rollout import withdraw
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.progress import Display
from driftgate.finetune.remediation import (
    BudgetConfig,
    Progress,
    Remediation,
    Steps,
    advance,
    ending,
    events_of,
    settle,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger


def go_on(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, display: Display) -> Remediation:
    """Take a remediation as far as it goes now.

    Before anything of it is done, its recipe is seen to be one that can be followed to its end.

    Raises
    ------
    Busy
        Another process is at it.
    DriftgateError
        A step failed, or the recipe cannot be followed; it is tried again the next time, for as many nights as its
        budget says.
    """

    async def undo(progress: Progress) -> None:
        await take_back(workspace, progress)

    events = events_of(ledger, remediation.id)
    if ending(events) is not None:
        return wait_for(settle(ledger, remediation, undo))
    budget = BudgetConfig()
    try:
        recipe = recipe_of(workspace, remediation)
        budget = recipe.budget
        if not any(event.status == "finished" for event in events):
            prepare_repair(workspace, ledger, remediation.recipe)
        steps = _steps(Context(workspace, ledger, recipe, display), first=attempt_of(remediation) == 1)
    except DriftgateError as problem:
        steps = _refusing(problem)
    return wait_for(advance(ledger, remediation, steps, undo, budget))


def carry_out_end(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation) -> Remediation:
    """Carry out the end that somebody gave a remediation; nothing is done where nobody did.

    Raises
    ------
    Busy
        Another process is at it, and ends it in a moment.
    DriftgateError
        What it did outside could not be taken back; that is tried again at the next turn.
    """

    async def undo(progress: Progress) -> None:
        await take_back(workspace, progress)

    return wait_for(settle(ledger, remediation, undo))


async def take_back(workspace: OpenWorkspace, progress: Progress) -> None:
    """Give traffic back, delete what was deployed and cancel a training: of a remediation that promotes nothing.

    Raises
    ------
    DriftgateError
        A service refused, or someone else moved the traffic; it can be tried again.
    """
    rolling_out = progress.of("roll_out")
    await (put_back(rolling_out) if "account" in rolling_out.notes else withdraw(workspace, rolling_out))
    await cancel_training(workspace, progress.of("train"))


def _steps(context: Context, *, first: bool) -> Steps:
    chooses = first and context.recipe.choice is not None  # a further attempt trains, as nothing else had passed
    return Steps(
        choose=ChoiceStep(context) if chooses else None,
        synthesise=MaterialStep(context),
        train=TrainingStep(context),
        evaluate=ProofStep(context),
        judge=JudgeStep(context),
        approve=ApproveStep(context),
        roll_out=RollOutStep(context),
        promote=PromoteStep(context),
    )


def _refusing(problem: DriftgateError) -> Steps:
    """Steps of a recipe that cannot be followed: the history says so, and for how many nights."""

    def refuse(progress: Progress) -> Awaitable[NoReturn]:
        raise problem

    return Steps(*[refuse] * 7)
