"""Parameters that the models of a cell were asked without, as their services refuse them: part of its signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import select

from driftgate.flows.scrubbing import told
from driftgate.ledger._insert import insert_new
from driftgate.ledger._plain import plain_text
from driftgate.ledger._schema import left_out, outcomes
from driftgate.ledger._store import Ledger

_REPLIED = ("answered", "unparsed", "truncated")


def add_left_out(ledger: Ledger, cell_id: int, model: str, refused: Mapping[str, str]) -> None:
    """Say which parameters a model of a cell is asked without; what is there already is left as it is.

    Parameters
    ----------
    refused : Mapping
        What the service said, by parameter.
    """
    now = datetime.now(UTC)
    with ledger.write() as connection:
        rows = [
            {"cell_id": cell_id, "model": model, "parameter": name, "words": plain_text(told(words)), "at": now}
            for name, words in refused.items()
        ]
        insert_new(connection, left_out, rows)


def left_out_of(ledger: Ledger, cell_id: int) -> dict[str, frozenset[str]]:
    """The parameters that each model of a cell was asked without; models that were asked with all are not named."""
    found: dict[str, set[str]] = {}
    with ledger.read() as connection:
        query = select(left_out.c.model, left_out.c.parameter).where(left_out.c.cell_id == cell_id)
        for model, parameter in connection.execute(query):
            found.setdefault(model, set()).add(parameter)
    return {model: frozenset(names) for model, names in found.items()}


def has_replies(ledger: Ledger, cell_id: int) -> bool:
    """Whether any sample of a cell has got a reply."""
    replied = (outcomes.c.cell_id == cell_id) & outcomes.c.outcome.in_(_REPLIED)
    with ledger.read() as connection:
        return connection.execute(select(outcomes.c.sample_id).where(replied).limit(1)).first() is not None
