"""Ask a champion's canaries again and in other forms: how far do its answers hang on what should not matter?"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from driftgate.api import preflight, session, watching
from driftgate.api._waiting import wait_for
from driftgate.api.champions import champion
from driftgate.api.made_suites import canary_suite
from driftgate.api.session import Planned
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import AdaptiveLimit, RetryPolicy, resilient
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, RunRow, find_run, latest_runs
from driftgate.monitor.config import MonitorConfig, PromptDriftConfig
from driftgate.monitor.otherwise import OtherForm, as_before, other_forms, paraphrased
from driftgate.monitor.paraphrases import ask_for_paraphrases, kept_paraphrases
from driftgate.monitor.perturbations import PERTURBATIONS
from driftgate.monitor.prompt_look import (
    FEWEST,
    PromptLook,
    could_not_look_at_prompts,
    look_at_prompts,
    newest_look_at_prompts,
)

log = logging.getLogger(__name__)

_AGAIN = 0.1
"""After what part of the days between two looks one that could not measure is taken again."""


def is_due(ledger: Ledger, name: str, monitor: MonitorConfig, now: datetime | None = None) -> bool:
    """Whether a monitor's next look at prompts is to be taken."""
    if monitor.prompt_drift is None:
        return False
    newest = newest_look_at_prompts(ledger, name)
    if newest is None:
        return True
    told = newest.conclusion.result if newest.conclusion is not None else "unmeasurable"
    days = monitor.prompt_drift.every_days * (_AGAIN if told == "unmeasurable" else 1.0)
    return (now or datetime.now(UTC)) - newest.at >= timedelta(days=days)


def take_prompt_look(
    workspace: OpenWorkspace,
    ledger: Ledger,
    name: str,
    display: Display,
    *,
    repeats: int | None = None,
    limit: int | None = None,
) -> PromptLook:
    """Ask the canaries of a monitor of its champion, several times and in every form, and keep what was found.

    A model that cannot be asked is a finding as well: the look is unmeasurable, and says why.

    Parameters
    ----------
    repeats, limit : int, optional
        In place of the monitor's own.

    Raises
    ------
    DriftgateError
        There is no such monitor or slot, the monitor is to be mended before anything is asked, or the ledger refuses.
    """
    monitor = watching.find_monitor(workspace, name)
    config = _config(monitor, repeats, limit)
    live = champion(workspace, ledger, monitor.champion)
    installed = watching.installed(ledger, monitor, live)
    try:
        preflight.prepare_look(workspace, ledger, name)
    except Exception as raised:
        could_not_look_at_prompts(ledger, name, installed, in_words(raised))
        raise
    run: RunRow | None = None
    try:
        planned = _plan(workspace, ledger, name, monitor, config, live)
        models = session.open_models(workspace, ledger, [live])
        run = session.begin(ledger, planned, "canary")
        wait_for(session.work(ledger, run, planned, models, display))
        for scores in score_run(ledger, run.id):
            if scores.unasked:
                raise DriftgateError(scores.unasked, f"correct the flow '{monitor.canaries.flow}'")
        level = monitor.prompt_budget.level
        return look_at_prompts(ledger, name, installed, find_run(ledger, run.id), config, level=level)
    except Exception as raised:  # also a defect leaves the model unwatched, and is no reason to forget it
        log.debug("the prompts of %s could not be looked at", name, exc_info=True)
        return could_not_look_at_prompts(ledger, name, installed, in_words(raised), run.id if run else "")


def _config(monitor: MonitorConfig, repeats: int | None, limit: int | None) -> PromptDriftConfig:
    own = monitor.prompt_drift or PromptDriftConfig()
    given = {key: value for key, value in (("repeats", repeats), ("limit", limit)) if value is not None}
    return PromptDriftConfig.model_validate(own.model_dump() | given)


def _suite(monitor: str) -> str:
    """What the runs at a monitor's prompts are called."""
    return f"prompts-{monitor}"


def _plan(
    workspace: OpenWorkspace,
    ledger: Ledger,
    name: str,
    monitor: MonitorConfig,
    config: PromptDriftConfig,
    live: str,
) -> Planned:
    canaries = monitor.canaries
    own = canary_suite(canaries, live).model_copy(
        update={
            "limit": min(config.limit, canaries.limit or config.limit),
            "repeats": config.repeats,
            "max_minutes": config.max_minutes,
        }
    )
    planned = session.plan_suite(workspace, ledger, _suite(name), own)
    (cell,) = planned.cells
    names = PERTURBATIONS.names() if config.perturbations is None else config.perturbations
    forms = other_forms(cell, names, times=config.otherwise, seed=config.seed)
    if config.perturbations is None:  # what applies to a few questions says nothing, and costs
        forms = [form for form in forms if len(form.samples) >= min(FEWEST, len(cell.samples))]
    cells: list[Cell] = [cell, *forms]
    if config.paraphraser is not None:
        cells += _paraphrases(workspace, ledger, name, config, cell)
    if config.before is not None:
        version = {
            "flow": config.before.flow or own.flow,
            "variants": [config.before.variant] * bool(config.before.variant),
        }
        before = session.plan_suite(workspace, ledger, _suite(name), own.model_copy(update=version))
        cells += [as_before(one) for one in before.cells]
    return replace(planned, cells=cells)


def _paraphrases(
    workspace: OpenWorkspace, ledger: Ledger, name: str, config: PromptDriftConfig, cell: Cell
) -> list[OtherForm]:
    assert config.paraphraser is not None
    kept: dict[str, str] = {}
    for run in reversed(latest_runs(ledger, 3, suite=_suite(name))):
        kept |= kept_paraphrases(ledger, run)
    model = session.open_models(workspace, ledger, [config.paraphraser])[config.paraphraser]
    settings = session.model_config(workspace, ledger, config.paraphraser)
    policy = RetryPolicy(timeout=settings.timeout, attempts=settings.attempts)

    async def ask() -> dict[str, str]:
        try:
            patient = resilient(model, policy, AdaptiveLimit(settings.in_flight), seed=config.seed)
            return await ask_for_paraphrases(patient, cell.samples, kept, at_once=settings.in_flight)
        finally:
            await model.aclose()

    return paraphrased(cell, wait_for(ask()), times=config.otherwise)
