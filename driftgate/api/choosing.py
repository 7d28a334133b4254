"""Choose a monitor's canaries by the information that each carries about a change of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.attribution import only_cell
from driftgate.api.subset import check_keys
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import SubsetItem, SubsetPlan, write_subset
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, ask_frame, check_asked
from driftgate.monitor.choosing import Informed, chosen, chosen_for_probe, informed
from driftgate.monitor.config import PROBE

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ChosenCanaries:
    """Canaries that were chosen, and where they were written."""

    path: Path
    dataset: str
    every: tuple[Informed, ...]
    """All that they were chosen from."""
    chosen: tuple[Informed, ...]

    @property
    def probe_limits(self) -> str:
        """How a monitor's probe asks them, as many times as it may."""
        number = len(self.chosen)
        return f"limit: {number}, repeats: {max(1, PROBE['requests'] // number)}"

    @property
    def tokens(self) -> tuple[float, float] | None:
        """What a look at them costs, and one at as many drawn at random; None where that is not known."""
        costs = [one.tokens for one in self.every if one.tokens is not None]
        picked = [one.tokens for one in self.chosen if one.tokens is not None]
        if len(costs) < len(self.every):
            return None
        return sum(picked), sum(costs) / len(costs) * len(picked)


def choose_canaries(
    workspace: OpenWorkspace,
    ledger: Ledger,
    run: str,
    *,
    others: Sequence[str] = (),
    n: int = 50,
    name: str = "canaries",
    seed: int = 0,
    probe: bool = False,
) -> ChosenCanaries:
    """Choose canaries by a run with repeats, by those of other models, or by both; write ``data/NAME.jsonl``.

    Parameters
    ----------
    probe : bool
        For ``canaries.probe``: those that are now and then answered otherwise, about one time in five.

    Raises
    ------
    DriftgateError
        A name fits no cell or several, the runs are of several datasets, nothing was answered, or the run neither has
        repeats nor others beside it.
    """
    cell, *beside = (only_cell(ledger, one) for one in (run, *others))
    for one in (cell, *beside):
        check_asked(ledger, one)
        if one.dataset != cell.dataset:
            raise DriftgateError(
                f"run {one.run_id} is of dataset '{one.dataset}' and run {cell.run_id} of '{cell.dataset}'",
                "name runs on one dataset",
            )
    frame = _answered(ledger, cell)
    if not beside and not frame.duplicated("key").any():
        raise DriftgateError(
            f"run {cell.run_id} asked each sample once, which does not tell how steady it is",
            "name a run with repeats (repeats: 5 of its suite), or runs of other models with --others",
        )
    said = [
        dict(zip(other["key"], other["answer"], strict=True))
        for other in (_answered(ledger, one).drop_duplicates("key") for one in beside)
    ]
    every = informed(frame, said, tokens=_tokens(frame))
    picked = (chosen_for_probe if probe else chosen)(every, n, seed=seed)
    items = [
        SubsetItem(key=one.key, unsteady=one.unsteady, changes=one.changes, information=one.information)
        for one in picked
    ]
    plan = SubsetPlan(
        of=cell.dataset,
        n=len(every),
        method="unsteadiness, for a probe" if probe else "information about a change",
        models=list(dict.fromkeys(one.model for one in (cell, *beside))),
        runs=[one.run_id for one in (cell, *beside)],
        seed=seed,
        items=items,
    )
    check_keys(workspace, cell.dataset, plan)
    path = workspace.folder / "data" / f"{name}.jsonl"
    write_subset(plan, path)
    return ChosenCanaries(path, cell.dataset, tuple(every), tuple(picked))


def _answered(ledger: Ledger, cell: CellRow) -> pd.DataFrame:
    """A row for every reply; one without an answer is an answer of its own."""
    frame = ask_frame(ledger, cell.id)
    frame = frame[frame["outcome"].isin(("answered", "unparsed", "truncated"))]
    if frame.empty:
        raise DriftgateError(f"run {cell.run_id} has no reply of '{cell.model}'", "name a run that has")
    return frame.assign(key=frame["key"].astype(str), answer=frame["answer"].fillna(""))


def _tokens(frame: pd.DataFrame) -> dict[str, float]:
    spent = (frame["input_tokens"] + frame["output_tokens"]).astype(float).groupby(frame["key"]).mean().dropna()
    return {str(key): float(tokens) for key, tokens in spent.items()}
