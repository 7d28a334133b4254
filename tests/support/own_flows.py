"""Small flows of a workspace, and what the ledger holds of a run of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driftgate.benchmarks.scores import CellScores, score_cell
from driftgate.ledger import Ledger, cells_of, find_run, node_results, open_ledger

TOOL = "from promptflow.core import tool\nfrom driftgate.flows.line import ask as ask_model\n\n\n@tool\n"
ASK = f"{TOOL}async def ask(text: str) -> str:\n    return (await ask_model(text)).text\n"
ASKED = "- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {text: '${inputs.page}'}}\n"
Space = Callable[..., Path]
"""``space(files, suite, rows, **config)``: a workspace with these files below ``flows/mine``, or where they say."""


@contextmanager
def measured(folder: Path) -> Iterator[tuple[Ledger, CellScores]]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    yield ledger, score_cell(ledger, cell)
    ledger.close()


def outputs_of(folder: Path, node: str) -> list[Any]:
    with measured(folder) as (ledger, scores):
        results = node_results(ledger, scores.cell.id)
        return [results[int(sample)][node].output for sample in scores.frame["sample_id"]]


def flow(outputs: str, more: str = "") -> str:
    return f"inputs: {{page: {{type: string}}}}\noutputs: {outputs}\nnodes:\n{ASKED}{more}"
