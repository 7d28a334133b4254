"""Ask a champion's canaries again and in other words, and say how far its answers hang on what should not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from driftgate.api import preflight, session, watching
from driftgate.api._waiting import wait_for
from driftgate.api.champions import champion
from driftgate.api.made_suites import canary_suite
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.inputs import EXAMPLES_INPUT
from driftgate.flows.engines import ENGINES, Engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Call, Line
from driftgate.flows.models import AdaptiveLimit, Model, ModelError, RetryPolicy, resilient
from driftgate.flows.sample import need_answers
from driftgate.ledger import Ledger
from driftgate.monitor.perturbations import Prompt
from driftgate.monitor.prompt_drift import Repeatability, Sensitivity, ask_all, repeatability, sensitivity


@dataclass(frozen=True)
class Steadiness:
    """Both tables of prompt drift."""

    champion: str
    repeatability: Repeatability
    sensitivity: tuple[Sensitivity, ...]


def measure_steadiness(
    workspace: OpenWorkspace, ledger: Ledger, monitor_name: str, *, repeats: int, limit: int, seed: int = 0
) -> Steadiness:
    """Ask the canaries of a monitor of its champion, ``repeats`` times and in every perturbation.

    Raises
    ------
    DriftgateError
        The monitor or what it needs is missing, or the model cannot be reached.
    """
    monitor = watching.find_monitor(workspace, monitor_name)
    live = champion(workspace, ledger, monitor.champion)
    preflight.prepare_look(workspace, ledger, monitor_name)
    suite = canary_suite(monitor.canaries, live)
    suite = suite.model_copy(update={"limit": min(limit, suite.limit or limit)})
    cell = session.plan_suite(workspace, ledger, "steadiness", suite).cells[0]
    model = session.open_models(workspace, ledger, [live])[live]
    return Steadiness(live, *wait_for(_ask(cell, model, suite.engine, repeats, seed)))


async def _ask(
    cell: Cell, model: Model, engine_name: str, repeats: int, seed: int
) -> tuple[Repeatability, tuple[Sensitivity, ...]]:
    config = cell.model_config
    policy = RetryPolicy(timeout=config.timeout, attempts=config.attempts)
    patient = resilient(model, policy, AdaptiveLimit(config.in_flight), seed=seed)
    engine = ENGINES.get(engine_name)(cell.flow)
    need_answers(cell.samples, "prompt drift")
    calls: list[Call] = []
    try:
        answers = await ask_all(
            cell.samples,
            lambda sample, prompt, repeat: _one(cell, engine, patient, sample, prompt, calls),
            examples=lambda sample: cell.dataset.examples(sample, cell.shots) if cell.shots else (),
            pool=[shot.data for shot in cell.dataset.shots] if cell.shots else (),
            perturbations=None if cell.shots else ["option_order", "whitespace", "politeness"],
            repeats=repeats,
            seed=seed,
            at_once=config.in_flight,
        )
    finally:
        await engine.aclose()
        await model.aclose()
        if cell.retriever is not None:
            await cell.retriever.aclose()
    if not calls:
        raise DriftgateError(f"no line asked the model '{cell.model}'", f"correct the flow '{cell.flow.name}'")
    return repeatability(answers), sensitivity(answers)


async def _one(
    cell: Cell, engine: Engine, model: Model, sample: Sample, prompt: Prompt, calls: list[Call]
) -> str | None:
    line = Line({"": model}, sample.id, cell.retriever)
    inputs = cell.line_inputs(replace(sample, data={**sample.data, **prompt.data}))  # also what a mapping takes from it
    if prompt.examples:
        inputs[EXAMPLES_INPUT] = list(prompt.examples)
    result = await engine.run_line(inputs, line)
    calls += line.calls
    failed = next((call.error for call in line.calls if call.error is not None), None)
    if failed is not None or result.output is None:
        raise failed or ModelError(result.error)
    answer = result.output.get("answer")
    return None if answer is None else str(answer)
