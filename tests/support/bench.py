"""Run a suite of the project's own flow against a chat endpoint, without a workspace file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat_endpoint import ChatEndpoint

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Dataset, Sample
from driftgate.benchmarks.progress import CellProgress
from driftgate.benchmarks.runner import run_suite
from driftgate.benchmarks.suite import SuiteConfig, describe_plan, plan_cells
from driftgate.flows.definition import load_flow
from driftgate.flows.evaluators import EvaluatorContext
from driftgate.flows.models import PROVIDERS, Model, ModelConfig, parse_config
from driftgate.flows.retrieval import Retriever
from driftgate.ledger import Ledger, RunRow, find_run, latest_runs, outcome_frame, start_run


@dataclass
class Watcher:
    """A display that remembers what it was shown."""

    begun: list[int] = field(default_factory=list)
    """Samples already done when each cell began."""
    ended: list[CellProgress] = field(default_factory=list)
    advanced: Callable[[CellProgress], None] = lambda progress: None

    def begin(self, progress: CellProgress) -> None:
        self.begun.append(progress.done)

    def advance(self, progress: CellProgress) -> None:
        self.advanced(progress)

    def end(self, progress: CellProgress) -> None:
        self.ended.append(progress)


@dataclass
class Bench:
    """One suite: a model at the endpoint, one dataset, the shipped flow or one of ``folder``."""

    endpoint: ChatEndpoint
    ledger: Ledger
    folder: Path
    samples: Sequence[Sample]
    suite: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What a model of the suite has beside that, by its name."""
    watcher: Watcher = field(default_factory=Watcher)
    retriever: Retriever | None = None
    judges: dict[str, ModelConfig] = field(default_factory=dict)

    def cells(self) -> tuple[SuiteConfig, list[Cell]]:
        given = {
            "provider": "openai",
            "endpoint": f"{self.endpoint.url}/v1",
            "model": "gpt-test",
            "timeout": 5.0,
            "attempts": 2,
            "in_flight": 4,
            **self.model,
        }
        suite = SuiteConfig.model_validate({"models": ["m"], "datasets": ["d"], "variants": ["terse"]} | self.suite)
        flow = load_flow(suite.flow, self.folder)
        models = {name: parse_config({**given, **self.own.get(name, {})}) for name in suite.models}
        datasets = {"d": Dataset("d", self.samples)}
        return suite, plan_cells(
            suite, models, datasets, flow, self.retriever, EvaluatorContext(self.judges, self.folder)
        )

    def begin(self) -> RunRow:
        suite, cells = self.cells()
        plan, plan_hash = describe_plan("small", suite, cells)
        return start_run(self.ledger, "small", plan, plan_hash, suite.seed, "0.1")

    async def run(self, run: RunRow | None = None, **options: Any) -> RunRow:
        """Run or go on with a run; returns it as the ledger has it afterwards."""
        suite, cells = self.cells()
        run = run or self.begin()
        models: dict[str, Model] = {
            cell.model: PROVIDERS.get("openai").open(cell.model, cell.model_config, self.folder) for cell in cells
        }
        try:
            await run_suite(self.ledger, run, suite, cells, models, self.watcher, **options)
        finally:
            for model in models.values():
                await model.aclose()
        return find_run(self.ledger, run.id)

    def newest(self) -> RunRow:
        """The run that began last, however it ended."""
        return latest_runs(self.ledger, 1)[0]

    def frame(self, ordinal: int = 0) -> Any:
        """The newest run's outcomes by upstream id."""
        from driftgate.ledger import cells_of

        cell = cells_of(self.ledger, self.newest().id)[ordinal]
        return outcome_frame(self.ledger, cell.id).set_index("upstream_id")
