"""From a workspace to a finished run: plan, run, score, judge, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from driftgate.api.champions import champion_meant, with_live
from driftgate.api.deployments import keep, known_as, remember
from driftgate.api.prices import PricedModels, kept_prices, pricing_of, with_prices
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import TOLD, Cell
from driftgate.benchmarks.datasets import Dataset, load_dataset
from driftgate.benchmarks.gate import GateStops, GateVerdict, check_stops, judge
from driftgate.benchmarks.inputs import EXAMPLES_INPUT, parse_inputs
from driftgate.benchmarks.looks import Looks, Stops
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.relevant import check_relevant
from driftgate.benchmarks.report import ReportFiles, write_report
from driftgate.benchmarks.runner import run_suite
from driftgate.benchmarks.scores import CellScores
from driftgate.benchmarks.spending import check_budget
from driftgate.benchmarks.suite import JUDGES, MODELS, SuiteConfig, describe_plan, plan_cells, stopped_by
from driftgate.flows import mapping
from driftgate.flows.definition import FlowDefinition, GivenEvaluators, load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators import EvaluatorContext
from driftgate.flows.foreign import own_copy
from driftgate.flows.models import PROVIDERS, Model, ModelConfig
from driftgate.flows.models import parse_config as parse_model
from driftgate.flows.own_prompt import prompt_flow, read_prompt
from driftgate.flows.retrieval import Retriever, open_retriever
from driftgate.flows.text import as_name
from driftgate.ledger import (
    REFUSED,
    Ledger,
    RunKind,
    RunRow,
    add_verdict,
    check_texts,
    expired_at,
    find_run,
    latest_runs,
    start_run,
    trained_model,
    verdicts_of,
)


@dataclass(frozen=True)
class Planned:
    """A suite ready to run."""

    name: str
    suite: SuiteConfig
    cells: Sequence[Cell]

    @property
    def retriever(self) -> Retriever | None:
        """What the suite's flow searches; one for all cells."""
        return self.cells[0].retriever


def plan_suite(
    workspace: OpenWorkspace,
    ledger: Ledger | None,
    name: str,
    suite: SuiteConfig,
    *,
    asks: bool = True,
    load: Callable[[str], Dataset] | None = None,
) -> Planned:
    """Load what any suite needs, whether it stands in the workspace file or was made for a canary or a candidate.

    Parameters
    ----------
    ledger : Ledger or None
        Knows the models that were trained; None: there are none.
    asks : bool
        Its scores are to be the models', and not only outputs of programs.
    load : callable, optional
        Gives a dataset of the workspace by its name, where some are at hand already.

    Raises
    ------
    DriftgateError
        A model, a dataset, the flow or a variant is missing or malformed.
    """
    workspace.hold()
    suite = with_live(workspace, ledger, suite)
    folder = workspace.folder
    load = load or (lambda d: load_dataset(d, workspace.config.datasets[d], folder))
    datasets = {d: load(d) for d in suite.datasets}
    pricing = pricing_of(workspace, ledger, suite.delivery)
    judges = pricing_of(workspace, ledger)  # who grades is asked directly
    models = {m: pricing(m, model_config(workspace, ledger, m)) for m in suite.models}
    flow, retriever = flow_of(workspace, name, suite, datasets), retriever_of(workspace, suite)
    context = EvaluatorContext(
        PricedModels(workspace.config.models, judges),
        folder,
        workspace.config.connections,
        lambda name: known_as(ledger, name),
    )
    cells = plan_cells(suite, models, datasets, flow, retriever, context, asks=asks)
    check_relevant(cells)
    return Planned(name, suite, cells)


def priced_anew(workspace: OpenWorkspace, ledger: Ledger, planned: Planned) -> Planned:
    """The same with prices of those that had none, as more is known of deployments by now."""
    asked, judging = pricing_of(workspace, ledger, planned.suite.delivery), pricing_of(workspace, ledger)
    return replace(planned, cells=with_prices(planned.cells, asked, judging))


def flow_of(workspace: OpenWorkspace, name: str, suite: SuiteConfig, datasets: Mapping[str, Dataset]) -> FlowDefinition:
    """The flow of a suite, or the one that its prompt stands for, with the evaluators that it gives it.

    Parameters
    ----------
    datasets : Mapping
        Those of the suite, from which a prompt's variables come.

    Raises
    ------
    DriftgateError
        It cannot be read; of a prompt the message names file and line.
    """
    place = ("suites", name)
    if suite.prompt is None:
        flow = load_flow(suite.flow, workspace.folder, workspace.config.connections)
    else:
        prompt = read_prompt(suite.prompt, workspace.folder, workspace.document.where((*place, "prompt")))
        samples = [sample for dataset in datasets.values() for sample in dataset.samples]
        given = parse_inputs(suite.inputs)

        def values(variable: str) -> Iterator[Any]:
            name = as_name(variable)
            if name == EXAMPLES_INPUT and name not in given:
                return iter([[]])
            entry = given.get(name, mapping.Reference("data", (name,)))
            return (mapping.apply({name: entry}, {"data": sample.row})[name] for sample in samples)

        flow = prompt_flow(prompt, workspace.folder, values, workspace.config.connections)
        if not prompt.file:
            prompt.check(_given(datasets.values(), suite, prompt.variables))
    if suite.primary is None:
        return flow
    nodes = {
        node: {called: bound.model_dump(mode="json") for called, bound in by_name.items()}
        for node, by_name in suite.evaluators.items()
    }

    def where(location: Sequence[str]) -> str:
        return workspace.document.where((*place, *(("evaluators", *location) if location else ("primary",))))

    return replace(flow, given=GivenEvaluators(suite.primary, nodes, where))


def _given(
    datasets: Iterable[Dataset], suite: SuiteConfig, variables: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id of each sample, and what it gives the variables of a prompt, where it gives something for each of them."""
    given = parse_inputs(suite.inputs)
    wanted = {name: given.get(as_name(name), mapping.Reference("data", (as_name(name),))) for name in variables}
    for dataset in datasets:
        shots = min(suite.few_shot, len(dataset.shots))
        for sample in dataset.samples:
            values = own_copy(mapping.apply(wanted, {"data": sample.data}))  # a template may change what it is given
            if EXAMPLES_INPUT in wanted and EXAMPLES_INPUT not in given:
                values[EXAMPLES_INPUT] = dataset.examples(sample, shots) if shots else []
            if mapping.MISSING not in values.values():
                yield sample.id, values


def begin(ledger: Ledger, planned: Planned, kind: RunKind = "benchmark") -> RunRow:
    """Write a new run of some kind into the ledger.

    Raises
    ------
    DriftgateError
        The suite's limit on cost cannot be kept.
    """
    check_budget(planned.suite, planned.cells)
    described, plan_hash = describe_plan(planned.name, planned.suite, planned.cells)
    return start_run(ledger, planned.name, described, plan_hash, planned.suite.seed, version("driftgate"), kind=kind)


def sequential(workspace: OpenWorkspace, planned: Planned, looks: Looks) -> Planned:
    """A plan as it is asked where a gate may stop its run.

    Raises
    ------
    DriftgateError
        There is no such gate, it judges another suite, or it could not stop the run.
    """
    gates = workspace.config.gates
    if looks.gate not in gates:
        raise DriftgateError(f"the workspace has no gate '{looks.gate}'", nearest(looks.gate, gates))
    if (suite := gates[looks.gate].suite) not in (None, planned.name):
        raise DriftgateError(
            f"gate '{looks.gate}' judges the suite '{suite}'", f"name one of {planned.name}, or run {suite}"
        )
    looks = replace(looks, rules=gates[looks.gate].content_hash())
    cells = stopped_by(planned.suite, planned.cells, looks)
    check_stops(looks.gate, gates[looks.gate], [cell.describe() for cell in cells])
    return replace(planned, cells=cells)


def looks_of(run: RunRow) -> Looks | None:
    """How a run is asked that its gate may stop; None of one that asks everything."""
    return next((looks for cell in run.plan.get("cells", []) if (looks := Looks.of(cell)) is not None), None)


def stops_of(workspace: OpenWorkspace, ledger: Ledger, run: RunRow) -> GateStops | None:
    """The gate that may stop a run; None of one that asks everything.

    Raises
    ------
    DriftgateError
        The workspace has no such gate any more.
    """
    looks = looks_of(run)
    if looks is None:
        return None
    gates = workspace.config.gates
    if looks.gate not in gates:
        raise DriftgateError(f"the workspace has no gate '{looks.gate}' any more", nearest(looks.gate, gates))
    gate = gates[looks.gate]
    return GateStops(ledger, looks.gate, gate, run.id, champion_meant(workspace, ledger, gate))


def unfinished(ledger: Ledger, name: str, suite: str = "", *, retry_failed: bool = False) -> RunRow:
    """The benchmark to go on with: the one named, or the newest (of a suite) that is not complete.

    Where failed samples are to be asked again, a complete run will do.

    Raises
    ------
    DriftgateError
        There is none, or the one named is no benchmark or was expired.
    """
    if name:
        run = find_run(ledger, name)
        if run.kind not in ("benchmark", "trial"):
            raise DriftgateError(f"run {run.id} is no benchmark, its kind is {run.kind}", run.how_to_finish)
        check_texts(ledger, run.id)
        return run
    for run in latest_runs(ledger, 200, suite=suite or None, kinds=["benchmark"]):
        if (retry_failed or run.status != "complete") and run.status != REFUSED and expired_at(ledger, run.id) is None:
            return run
    raise DriftgateError("every benchmark in the ledger is complete", "begin one with: driftgate bench SUITE")


def is_same_plan(run: RunRow, planned: Planned) -> bool:
    """Whether a plan asks for what a run was begun to ask for."""
    return describe_plan(planned.name, planned.suite, planned.cells)[1] == run.plan_hash


def check_same_plan(run: RunRow, planned: Planned) -> None:
    """Refuse to go on with a run after what it asks for has changed.

    Raises
    ------
    DriftgateError
        A model, the flow, a dataset or the suite is not what it was when the run began.
    """
    if is_same_plan(run, planned):
        return
    described, _ = describe_plan(planned.name, planned.suite, planned.cells)
    pairs = zip(run.plan["cells"], described["cells"], strict=False)
    changed = sorted({key for old, new in pairs for key in new if old.get(key) != new[key]} - TOLD)
    if len(run.plan["cells"]) != len(described["cells"]):
        changed.append("number of cells")
    raise DriftgateError(
        f"run {run.id} cannot go on: {', '.join(changed) or 'the plan'} changed since it began",
        f"undo the change, or begin anew with: driftgate bench {planned.name}",
    )


async def work(
    ledger: Ledger,
    run: RunRow,
    planned: Planned,
    models: Mapping[str, Model],
    display: Display,
    *,
    retry_failed: bool = False,
    stops: Stops | None = None,
) -> None:
    """Run the cells, by the prices with which the run began, and close the models.

    Parameters
    ----------
    stops : Stops, optional
        May stop the run before all samples were asked.

    Raises
    ------
    DriftgateError
        A model is misconfigured, a limit was reached, or the ledger refuses.
    """
    try:
        cells = with_prices(planned.cells, kept_prices(run, MODELS), kept_prices(run, JUDGES))
        await run_suite(ledger, run, planned.suite, cells, models, display, retry_failed=retry_failed, stops=stops)
    finally:
        await close(ledger, planned, models)


async def close(ledger: Ledger, planned: Planned, models: Mapping[str, Model]) -> None:
    """Close what a run asked, and keep what was learnt of it."""
    for model in models.values():
        with suppress(DriftgateError):  # where the ledger itself is what failed, that is said already
            keep(ledger, model)
        await model.aclose()
    for retriever in {id(r): r for cell in planned.cells if (r := cell.retriever) is not None}.values():
        await retriever.aclose()


def retriever_of(workspace: OpenWorkspace, suite: SuiteConfig) -> Retriever | None:
    """The retriever a suite names.

    Raises
    ------
    DriftgateError
        There is none of that name, or its documents are missing.
    """
    if suite.retriever is None:
        return None
    workspace.hold()
    if suite.retriever not in workspace.config.retrievers:
        raise DriftgateError(
            f"there is no retriever '{suite.retriever}'", nearest(suite.retriever, workspace.config.retrievers)
        )
    return open_retriever(suite.retriever, workspace.config.retrievers[suite.retriever], workspace.folder)


def model_config(workspace: OpenWorkspace, ledger: Ledger | None, name: str) -> ModelConfig:
    """The configuration of a model of the workspace, or of one that was trained.

    Raises
    ------
    DriftgateError
        There is no such model, or a trained one leads out of the workspace.
    """
    if name in workspace.config.models:
        return workspace.config.models[name]
    if ledger is not None and (trained := trained_model(ledger, name)) is not None:
        config = parse_model(trained)
        for _, problem in workspace.roots.faults(config):  # the ledger is not the workspace
            raise problem
        return config
    raise DriftgateError(f"there is no model '{name}'", nearest(name, workspace.config.models))


def open_models(
    workspace: OpenWorkspace, ledger: Ledger, names: Sequence[str], *, check: bool = True
) -> dict[str, Model]:
    """Check that each model can be reached, unless it may be that none is asked, and make it.

    Raises
    ------
    DriftgateError
        A model cannot be reached, or a variable of the environment is not set.
    """
    configs = {name: model_config(workspace, ledger, name) for name in dict.fromkeys(names)}
    return {name: open_model(workspace, ledger, name, config, check=check) for name, config in configs.items()}


def open_model(
    workspace: OpenWorkspace, ledger: Ledger, name: str, config: ModelConfig, *, check: bool = True
) -> Model:
    """As :func:`open_models`, of one configuration; the model begins with what was learnt of its deployment."""
    workspace.hold()
    provider = PROVIDERS.get(config.provider)
    if check:
        provider.check(name, config, workspace.folder)
    model = provider.open(name, config, workspace.folder)
    remember(ledger, model)
    return model


def judge_run(
    workspace: OpenWorkspace,
    ledger: Ledger,
    run: RunRow,
    scored: Sequence[CellScores],
    gates: Sequence[str],
    *,
    champion: str | None = None,
) -> list[GateVerdict]:
    """Judge a run by the named gates and keep the verdicts.

    Parameters
    ----------
    champion : str, optional
        Whom the rules mean by champion; by default the model that is live in the gate's slot.
    """
    verdicts = []
    for name in gates:
        gate = workspace.config.gates[name]
        meant = champion or champion_meant(workspace, ledger, gate)
        verdicts.append(judge(ledger, name, gate, run.id, scored, champion=meant))
    for verdict in verdicts:
        add_verdict(ledger, run.id, verdict.gate, verdict.verdict, verdict.as_json())
    return verdicts


def gates_of(workspace: OpenWorkspace, suite: str) -> list[str]:
    """The gates of the workspace that judge a suite."""
    return [name for name, gate in workspace.config.gates.items() if gate.suite == suite]


def report(workspace: OpenWorkspace, ledger: Ledger, run: RunRow, scored: Sequence[CellScores]) -> ReportFiles:
    """Write the run's HTML page and Markdown summary."""
    return write_report(ledger, run, scored, verdicts_of(ledger, run.id), workspace.reports / run.id)
