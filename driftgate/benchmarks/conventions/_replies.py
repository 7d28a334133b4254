"""Stored replies with what is needed to read them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from driftgate.ledger import CellRow, Ledger
from driftgate.ledger._schema import asked, node_outputs, samples

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("sample_id", "text", "finish_reason", "first_token", "choices", "gold")


def reply_node(ledger: Ledger, cell: CellRow) -> str | None:
    """The last node of a cell's flow whose outputs are a model's replies; None where none is stored."""
    with ledger.read() as connection:
        for node in reversed(cell.details.get("nodes", [])):
            here = and_(node_outputs.c.cell_id == cell.id, node_outputs.c.node == node)
            query = select(node_outputs.c.output).where(here, node_outputs.c.status == "completed").limit(1)
            output = connection.execute(query).scalar_one_or_none()
            if isinstance(output, dict) and isinstance(output.get("text"), str):
                return str(node)
    return None


def stored_prompt(ledger: Ledger, cell: CellRow) -> str | None:
    """A prompt of a cell, from the last node before the reply whose output is text; None where none is stored."""
    nodes = list(cell.details.get("nodes", []))
    reply = reply_node(ledger, cell)
    with ledger.read() as connection:
        for node in reversed(nodes[: nodes.index(reply)] if reply in nodes else []):
            here = and_(node_outputs.c.cell_id == cell.id, node_outputs.c.node == node)
            output = connection.execute(select(node_outputs.c.output).where(here).limit(1)).scalar_one_or_none()
            if isinstance(output, str):
                return output
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

    query = (
        select(samples.c.id, samples.c.data, node_outputs.c.output)
        .select_from(
            asked.join(samples, samples.c.id == asked.c.sample_id).join(
                node_outputs,
                and_(node_outputs.c.cell_id == asked.c.cell_id, node_outputs.c.sample_id == asked.c.sample_id),
            )
        )
        .where(asked.c.cell_id == cell.id, node_outputs.c.node == (reply_node(ledger, cell) or ""))
        .order_by(node_outputs.c.round)
    )
    with ledger.read() as connection:
        rows = [
            (id_, out["text"], out.get("finish_reason") or "", out.get("first_token"), data.get("choices") or (), gold)
            for id_, data, out in connection.execute(query)
            if isinstance(out, dict) and isinstance(out.get("text"), str)
            for gold in [data.get("answer")]
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("sample_id", keep="last")
