"""The models of a cell's lines: asked request by request, or in batches, and remembering what they were answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import cast

from driftgate.benchmarks.cell import Cell
from driftgate.flows.models import (
    AdaptiveLimit,
    Batchable,
    BatchBook,
    Batches,
    Model,
    Patience,
    Prices,
    Purse,
    Reserving,
    RetryPolicy,
    batched,
    cached,
    resilient,
)
from driftgate.ledger import LedgerReplies


def line_models(
    models: Mapping[str, Model],
    cell: Cell,
    limit: AdaptiveLimit,
    replies: LedgerReplies | None,
    *,
    seed: int,
    purse: Purse | None = None,
    prices: Mapping[str, Prices] = MappingProxyType({}),
) -> dict[str, Model]:
    """The models of a cell's lines, the empty name its own, patient within ``limit`` and, if told to, remembering.

    Their requests are paid from ``purse`` by ``prices``, each model's own or else the cell's.
    """
    if purse is not None and purse.limit is not None:
        own = cell.model_config.prices
        models = {name: Reserving(model, prices.get(name, own), purse) for name, model in models.items()}
    policy = RetryPolicy(timeout=cell.model_config.timeout, attempts=cell.model_config.attempts)
    return _of_lines(
        cell, {name: resilient(model, policy, limit, seed=seed) for name, model in models.items()}, replies
    )


def batch_models(
    models: Mapping[str, Model],
    cell: Cell,
    cell_id: int,
    batches: Mapping[str, Batches],
    replies: LedgerReplies | None,
) -> dict[str, Model]:
    """As :func:`line_models`, of models whose requests are delivered in ``batches``, by model."""
    attempts = cell.model_config.attempts
    live = {
        name: batched(cast("Batchable", models[name]), of_model, attempts, f"cell {cell_id}")
        for name, of_model in batches.items()
    }
    return _of_lines(cell, live, replies)


def model_batches(model: Model, book: BatchBook, patience: Patience, tell: Callable[[str, str], None]) -> Batches:
    """The batches of a model, which its suite was found to deliver in such.

    Parameters
    ----------
    tell : callable
        Tells the user what concerns the model of a name.
    """
    return Batches(cast("Batchable", model).batch_service(), book, patience, partial(tell, model.name))


def _of_lines(cell: Cell, live: Mapping[str, Model], replies: LedgerReplies | None) -> dict[str, Model]:
    if replies is not None:
        live = {name: cached(model, replies) for name, model in live.items()}
    return {"": live[cell.model], **live}
