"""Who answered what right: the matrix that a subset is chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.metrics import is_binary, right
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, check_asked, check_whole, outcome_frame


@dataclass(frozen=True, eq=False)
class Responses:
    """Right or wrong of every model on every sample of a dataset; what was not answered is wrong."""

    dataset: str
    models: Sequence[str]
    keys: Sequence[str]
    right: NDArray[np.float64]
    """0 or 1, shape (n_models, n)."""
    groups: NDArray[np.int64]
    """The category of each sample as a number from 0, shape (n,)."""

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.keys)


def read_responses(ledger: Ledger, cells: Sequence[CellRow]) -> Responses:
    """The matrix of some cells on one dataset, one cell a model, over the samples that all of them were asked.

    Raises
    ------
    DriftgateError
        There are no cells, they are of several datasets, share no samples, or are graded and not right or wrong.
    """
    if not cells or len({cell.dataset for cell in cells}) != 1:
        names = ", ".join(sorted({cell.dataset for cell in cells})) or "none"
        raise DriftgateError(f"a subset is chosen of one dataset, found {names}", "name runs on one dataset")
    for cell in cells:
        check_asked(ledger, cell)
        check_whole(cell, "a subset")
    first: dict[str, CellRow] = {}
    for cell in cells:
        first.setdefault(cell.model, cell)
    frames = [outcome_frame(ledger, cell.id).assign(right=lambda frame: right(frame)) for cell in first.values()]
    for cell, frame in zip(first.values(), frames, strict=True):
        if not is_binary(frame["right"].to_numpy()):
            raise DriftgateError(f"{cell.name} is graded", "a subset can be chosen where answers are right or wrong")
    shared = frames[0][["key", "category"]]
    for frame in frames[1:]:
        shared = shared[shared["key"].isin(frame["key"])]
    if shared.empty:
        raise DriftgateError("the models share no samples", "choose runs on the same samples")
    keys = [str(key) for key in shared["key"]]
    matrix = np.array([frame.set_index("key")["right"].reindex(keys).to_numpy() for frame in frames])
    groups = np.unique(shared["category"].to_numpy(dtype=str), return_inverse=True)[1]
    return Responses(cells[0].dataset, list(first), keys, matrix, np.asarray(groups, dtype=np.int64).reshape(-1))
