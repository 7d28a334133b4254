"""Look at everything a workspace needs, and say what is missing and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from driftgate.api.session import flow_of
from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.benchmarks.datasets import load_dataset
from driftgate.benchmarks.suite import plan_cells
from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatorContext, load_evaluators
from driftgate.flows.models import PROVIDERS
from driftgate.flows.retrieval import RETRIEVERS
from driftgate.ledger import latest_runs, open_ledger

_LEAST_FREE = 1e9


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found."""

    subject: str
    good: bool
    found: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """Check the file, the ledger, and every model, dataset and suite, each as it is found."""
    workspace: OpenWorkspace | None = None

    def read() -> str:
        nonlocal workspace
        workspace = open_workspace(folder)
        config = workspace.config
        return f"{len(config.models)} models, {len(config.datasets)} datasets, {len(config.suites)} suites"

    yield _try("workspace file", read)
    if workspace is None:
        return
    yield _try("ledger", partial(_ledger, workspace))
    yield _disk(folder)
    for kind, look, names in (
        ("model", _model, workspace.config.models),
        ("dataset", _dataset, workspace.config.datasets),
        ("retriever", _retriever, workspace.config.retrievers),
        ("suite", _suite, workspace.config.suites),
    ):
        for name in names:
            yield _try(f"{kind} {name}", partial(look, workspace, name))


def _try(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except DriftgateError as problem:
        return Finding(subject, False, problem.message, problem.remedy)


def _ledger(workspace: OpenWorkspace) -> str:
    ledger = open_ledger(workspace.ledger, workspace.folder)
    try:
        return f"{ledger.engine.dialect.name}, {len(latest_runs(ledger, 1000))} runs"
    finally:
        ledger.close()


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free"
    return Finding("disk", free > _LEAST_FREE, found, "" if free > _LEAST_FREE else "free at least 1 GB")


def _model(workspace: OpenWorkspace, name: str) -> str:
    config = workspace.config.models[name]
    return PROVIDERS.get(config.provider).check(name, config, workspace.folder)


def _dataset(workspace: OpenWorkspace, name: str) -> str:
    dataset = load_dataset(name, workspace.config.datasets[name], workspace.folder)
    return f"{len(dataset.samples):,} samples, {len(dataset.shots)} for examples, {dataset.source}"


def _retriever(workspace: OpenWorkspace, name: str) -> str:
    config = workspace.config.retrievers[name]
    return RETRIEVERS.get(config.kind).check(name, config, workspace.folder)


def _suite(workspace: OpenWorkspace, name: str) -> str:
    suite = workspace.config.suites[name]
    datasets = {one: load_dataset(one, workspace.config.datasets[one], workspace.folder) for one in suite.datasets}
    flow = flow_of(workspace, name, suite, datasets)
    for variant in suite.variants or [""]:
        ENGINES.get(suite.engine)(flow.with_variant(variant))
    context = EvaluatorContext(workspace.config.models, workspace.folder, workspace.config.connections)
    plan_cells(suite, workspace.config.models, datasets, flow, context=context)
    evaluators = load_evaluators(flow, context)
    evaluators.open()
    return f"flow {flow.name}: {len(flow.node_names)} nodes, {len(evaluators.bindings)} evaluators, valid"
