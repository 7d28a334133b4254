"""Choose a few hundred samples whose score predicts the score on all of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from driftgate.api.compare import chosen_cells
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import SubsetPlan, load_dataset, write_subset
from driftgate.benchmarks.subset import Measured, Responses, choose, measure_methods, read_responses
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger


@dataclass(frozen=True)
class Chosen:
    """A subset that was chosen, where it was written, and how well each way of choosing would have done."""

    path: Path
    responses: Responses
    measured: Sequence[Measured]


def choose_subset(
    workspace: OpenWorkspace,
    ledger: Ledger,
    dataset: str,
    *,
    runs: Sequence[str] = (),
    models: Sequence[str] = (),
    size: int = 300,
    name: str = "small",
    seed: int = 0,
    draws: int = 200,
    advance: Callable[[int], None] = lambda models: None,
) -> Chosen:
    """Choose a subset by the runs in the ledger, measure its error, and write it as ``data/NAME.jsonl``.

    Parameters
    ----------
    advance : callable
        Told each time that one more model was left out, with the number of all models.

    Raises
    ------
    DriftgateError
        There is no such dataset, or too few models were run on it.
    """
    known = workspace.config.datasets
    if dataset not in known:
        raise DriftgateError(f"the workspace has no dataset '{dataset}'", nearest(dataset, known))
    responses = read_responses(ledger, chosen_cells(ledger, runs, models, [dataset]))
    of = len(responses.models)
    measured = measure_methods(responses, size, seed=seed, draws=draws, advance=lambda: advance(of))
    plan = choose(responses, size, measured, seed=seed)
    check_keys(workspace, dataset, plan)
    path = workspace.folder / "data" / f"{name}.jsonl"
    write_subset(plan, path)
    return Chosen(path, responses, measured)


def check_keys(workspace: OpenWorkspace, dataset: str, plan: SubsetPlan) -> None:
    """See that what was chosen is in the workspace's dataset.

    Raises
    ------
    DriftgateError
        It is not, or there is no such dataset.
    """
    if dataset not in workspace.config.datasets:
        raise DriftgateError(f"the workspace has no dataset '{dataset}'", nearest(dataset, workspace.config.datasets))
    whole = load_dataset(dataset, workspace.config.datasets[dataset], workspace.folder)
    there = {sample.key for sample in whole.samples}
    lost = sum(item.key not in there for item in plan.items)
    if lost:
        raise DriftgateError(
            f"{lost} of the {len(plan.items)} chosen samples are not in the workspace's dataset '{dataset}'",
            "the runs were of other files of it, or recorded without questions: choose by runs on this dataset",
        )
