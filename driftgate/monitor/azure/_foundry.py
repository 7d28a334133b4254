"""Runs as evaluations in a Microsoft Foundry project, where they are compared and shown beside its own.

Each cell becomes a dataset (a row for every sample asked for, with its outcome, and no text) and a run of the
evaluation of its suite and dataset. The evaluation checks two things of each row by comparing texts, so nothing is
asked of a model and nothing is paid: was the sample answered, and was the answer right. What driftgate says of the
cell, its accuracy with the interval and its signature, travels as metadata.

What is there already is not made again: a dataset is found by its version, which is the run, an evaluation and its
runs by their metadata.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.flows.private_text import write_text
from driftgate.flows.scrubbing import told
from driftgate.ledger import RunRow
from driftgate.monitor.foundry_project import opened

if TYPE_CHECKING:
    from driftgate.benchmarks.scores import CellScores

_FIELDS = ("key", "category", "outcome", "correct")
_SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in _FIELDS},
    "required": ["key", "outcome", "correct"],
}
_CRITERIA = [
    {
        "type": "string_check",
        "name": name,
        "input": f"{{{{item.{field}}}}}",
        "operation": "eq",
        "reference": reference,
    }
    for name, field, reference in (("answered", "outcome", "answered"), ("right", "correct", "yes"))
]
_LONGEST = 512
"""Characters of a metadata value."""


@dataclass(frozen=True)
class Published:
    """A cell of a run as it stands in the project."""

    cell: int
    dataset: str
    """Name of the dataset; its version is the run."""
    evaluation: str
    """Id of the evaluation,"""
    run: str
    """and of its run."""
    new: bool
    """Whether the run was made now; otherwise it was there."""
    address: str = ""
    """Of its report in the portal, where the service says so."""


def publish(endpoint: str, run: RunRow, scored: Sequence[CellScores]) -> list[Published]:
    """Put the cells of a run into a project.

    Parameters
    ----------
    endpoint : str
        Address of the project.

    Raises
    ------
    DriftgateError
        The project cannot be reached, refuses, or the identity may not write to it.
    """
    with opened(endpoint, f"publishing run {run.id}") as (project, client):
        return [_cell(project, client, run, scores) for scores in scored]


def _cell(project: Any, client: Any, run: RunRow, scores: CellScores) -> Published:
    cell = scores.cell
    name = resource_name(f"driftgate-{run.suite}-{cell.ordinal}-{cell.model}")
    about = f"{run.suite} / {cell.flow} / {cell.dataset}"
    evaluation = _evaluation(client, about)
    mine = {"driftgate_run": run.id, "driftgate_cell": str(cell.ordinal)}
    for made in client.evals.runs.list(evaluation, limit=100):
        if mine.items() <= (made.metadata or {}).items():
            return Published(cell.ordinal, name, evaluation, made.id, False, made.report_url or "")
    made = client.evals.runs.create(
        evaluation,
        name=_cut(f"{cell.model} {run.id}"),
        metadata={**mine, **_metadata(scores)},
        data_source={"type": "jsonl", "source": {"type": "file_id", "id": _dataset(project, name, run.id, scores)}},
    )
    return Published(cell.ordinal, name, evaluation, made.id, True, made.report_url or "")


def _dataset(project: Any, name: str, version: str, scores: CellScores) -> str:
    """Id of the cell's dataset; uploaded where it is not there."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return str(project.datasets.get(name, version).id)
    except ResourceNotFoundError:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.jsonl"
            write_text(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(scores)))
            return str(project.datasets.upload_file(name=name, version=version, file_path=str(file)).id)


def rows(scores: CellScores) -> Iterator[dict[str, str]]:
    """A row for every sample asked for; what was not judged is not right, and its outcome says why."""
    frame = scores.frame
    for key, category, outcome, correct in zip(
        frame["key"], frame["category"], frame["outcome"], frame["correct"], strict=True
    ):
        right = "unknown" if correct is None or correct != correct else "yes" if correct == 1 else "no"
        yield {"key": told(str(key)), "category": told(str(category or "")), "outcome": str(outcome), "correct": right}


def _evaluation(client: Any, about: str) -> str:
    """Id of the evaluation of a suite's dataset, which its runs are compared in."""
    for made in client.evals.list(limit=100):
        if (made.metadata or {}).get("driftgate") == about:
            return str(made.id)
    config = {"type": "custom", "item_schema": _SCHEMA, "include_sample_schema": False}
    made = client.evals.create(
        name=_cut(f"driftgate {about}"),
        metadata={"driftgate": about},
        data_source_config=config,
        testing_criteria=_CRITERIA,
    )
    return str(made.id)


def _metadata(scores: CellScores) -> dict[str, str]:
    accuracy = scores.get("accuracy")
    measured = {
        name: f"{value:.6g}"
        for name, value in (
            ("accuracy", accuracy and accuracy.value),
            ("accuracy_low", accuracy and accuracy.low),
            ("accuracy_high", accuracy and accuracy.high),
        )
        if value is not None
    }
    return {**measured, "model": _cut(scores.cell.model), "signature": _cut(scores.cell.signature)}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def resource_name(text: str) -> str:
    """A name that the service takes; of two texts that come to the same letters each has one of its own.

    Examples
    --------
    >>> resource_name("driftgate-nightly-0-gpt")
    'driftgate-nightly-0-gpt'
    >>> resource_name("driftgate-nightly-0-gpt 5.1")
    'driftgate-nightly-0-gpt-5-1-a22f9a4f'
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:100]
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
