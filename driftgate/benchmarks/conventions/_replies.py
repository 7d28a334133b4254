"""Stored replies with what is needed to read them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.ledger import CellRow, Ledger, sample_data
from driftgate.ledger._details import detail_rows
from driftgate.ledger._schema import node_outputs

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("sample_id", "text", "finish_reason", "first_token", "choices", "gold")


def reply_node(ledger: Ledger, cell: CellRow) -> str | None:
    """The last node of a cell's flow whose outputs are a model's replies; None where none is stored."""
    for node in reversed(cell.details.get("nodes", [])):
        equal = {"node": node, "status": "completed"}
        for row in detail_rows(ledger, node_outputs, cell.id, ["output"], equal=equal, most=1):
            if isinstance(row.output, dict) and isinstance(row.output.get("text"), str):
                return str(node)
    return None


def stored_prompt(ledger: Ledger, cell: CellRow) -> str | None:
    """A prompt of a cell, from the last node before the reply whose output is text; None where none is stored."""
    nodes = list(cell.details.get("nodes", []))
    reply = reply_node(ledger, cell)
    for node in reversed(nodes[: nodes.index(reply)] if reply in nodes else []):
        for row in detail_rows(ledger, node_outputs, cell.id, ["output"], equal={"node": node}, most=1):
            if isinstance(row.output, str):
                return row.output
    return None


def reply_frame(ledger: Ledger, cell: CellRow) -> pd.DataFrame:
    """The latest stored reply to every sample of a cell that has one.

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, ``text``, ``finish_reason``, ``first_token`` (log-probability by token, or None), ``choices``
        and ``gold``, one row a sample.
    """
    import pandas as pd

    stored = detail_rows(ledger, node_outputs, cell.id, ["output"], equal={"node": reply_node(ledger, cell) or ""})
    data = sample_data(ledger, list({row.sample_id for row in stored}))
    rows = [
        (
            row.sample_id,
            out["text"],
            out.get("finish_reason") or "",
            out.get("first_token"),
            own.get("choices") or (),
            gold,
        )
        for row in sorted(stored, key=lambda row: row.round)
        for out, own in [(row.output, data[row.sample_id])]
        if isinstance(out, dict) and isinstance(out.get("text"), str)
        for gold in [own.get("answer")]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("sample_id", keep="last")
