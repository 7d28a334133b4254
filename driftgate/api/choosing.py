"""``driftgate subset``: choose a few hundred samples whose score predicts the score on all of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from driftgate.api.commands import console, opened
from driftgate.api.comparing import chosen_cells, names
from driftgate.api.session import shown
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import SubsetPlan, load_dataset, write_subset
from driftgate.benchmarks.subset import Measured, Responses, best, choose, measure_methods, read_responses
from driftgate.flows.errors import DriftgateError, nearest


def run_subset(
    folder: Path, dataset: str, runs: Sequence[str], models: str, *, size: int, name: str, seed: int, draws: int
) -> int:
    """Choose a subset by the runs in the ledger, measure its error, and write it as a dataset."""
    with opened(folder) as (workspace, ledger):
        known = workspace.config.datasets
        if dataset not in known:
            raise DriftgateError(f"the workspace has no dataset '{dataset}'", nearest(dataset, known))
        responses = read_responses(ledger, chosen_cells(ledger, runs, names(models), [dataset]))
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("leaving out one model at a time", total=len(responses.models))
            measured = measure_methods(responses, size, seed=seed, draws=draws, advance=lambda: bar.advance(task))
        plan = choose(responses, size, measured, seed=seed)
        _check_keys(workspace, dataset, plan)
        path = workspace.folder / "data" / f"{name}.jsonl"
        write_subset(plan, path)
        print_measured(console, responses, measured, size)
        console.print(f"wrote {escape(shown(path.resolve()))}; use it as a dataset of driftgate.yaml:", soft_wrap=True)
        console.print(
            f"  {name}: {{kind: subset, of: {dataset}, path: data/{name}.jsonl}}", soft_wrap=True, markup=False
        )
        return 0


def _check_keys(workspace: OpenWorkspace, dataset: str, plan: SubsetPlan) -> None:
    whole = load_dataset(dataset, workspace.config.datasets[dataset], workspace.folder)
    there = {sample.key for sample in whole.samples}
    lost = sum(item.key not in there for item in plan.items)
    if lost:
        raise DriftgateError(
            f"{lost} of the {len(plan.items)} chosen samples are not in the workspace's dataset '{dataset}'",
            "the runs were of other files of it, or recorded without questions: choose by runs on this dataset",
        )


def print_measured(console: Console, responses: Responses, measured: Sequence[Measured], size: int) -> None:
    """How well each method predicts the models that were left out."""
    table = Table(
        title=f"{size} of {responses.n:,} samples of {escape(responses.dataset)}: "
        f"error on {len(responses.models)} models, each left out once, {measured[0].errors.shape[1]} draws, in points",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("method")
    for column in ("standard error", "of the worst model", "largest bias", "against random"):
        table.add_column(column, justify="right")
    table.add_column("how")
    chosen, yardstick = best(measured), measured[0].error
    for row in measured:
        mark = "[bold]" if row is chosen else ""
        table.add_row(
            f"{mark}{row.method.name}",
            f"{100 * row.error:.2f} ± {100 * row.simulation_error:.2f}",
            f"{100 * row.worst:.2f}",
            f"{100 * row.bias:.2f}",
            f"{100 * (row.error / yardstick - 1):+.0f}%",
            row.method.words,
        )
    console.print(table)
    worth = (yardstick / chosen.error) ** 2 - 1
    console.print(
        f"chosen: [bold]{chosen.method.name}[/], the simplest that the simulation cannot tell from the best; a random "
        f"subset would need {100 * worth:.0f}% more samples to be as good"
    )
