"""The outcomes of a cell with what is not known of their tokens and costs, whichever driftgate wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from driftgate.ledger import CellRow, Ledger, ask_frame

if TYPE_CHECKING:
    import pandas as pd

REPLIED = ("answered", "unparsed", "truncated")
"""Outcomes of samples to which a model replied."""
PRICED = "priced"
"""What a cell's description says where its unknown costs are empty: whether its model has prices. Older cells lack it:
in them 0 may stand for what nobody stated."""

PRICE_LIST = "price_list"
"""What a cell's description says where its model's prices are from a list, as :class:`driftgate.flows.models.PriceList`
has it as JSON."""


def cell_frame(ledger: Ledger, cell: CellRow, *, whole: bool = False) -> pd.DataFrame:
    """The outcomes of a cell as :func:`driftgate.ledger.ask_frame` has them, NaN where tokens or cost are unknown.

    Of an older cell, a reply to no tokens is none that a service could give, nor is an answer of none; a negative
    number is none either; and a cost of 0 is one only where the model runs here.

    Parameters
    ----------
    whole : bool
        Also the samples that were not needed, as ``missing``.
    """
    return known_costs(ask_frame(ledger, cell.id, whole=whole), cell)


def known_costs(frame: pd.DataFrame, cell: CellRow) -> pd.DataFrame:
    """A frame of a cell's outcomes, NaN where tokens or cost are unknown; see :func:`cell_frame`."""
    if PRICED in cell.details:
        return frame
    provider = (cell.details.get("model_config") or {}).get("provider")
    asked = frame["outcome"].isin(REPLIED) & ~frame["cached"].eq(True)
    unread = frame["outcome"].isin(REPLIED) & ~frame["input_tokens"].gt(0)
    unwritten = frame["output_tokens"].eq(0) & (unread | frame["outcome"].eq("answered"))
    uncounted = unread | unwritten
    if provider == "local":
        guessed = uncounted & False
    elif provider == "recorded":  # an imported file says what a reply cost, or says nothing
        guessed = asked & frame["cost"].eq(0)
    else:
        guessed = asked & (uncounted | (frame["cost"].eq(0) & unpriced(cell.details)))
    return frame.assign(
        input_tokens=frame["input_tokens"].where(frame["input_tokens"].ge(0) & ~unread),
        output_tokens=frame["output_tokens"].where(frame["output_tokens"].ge(0) & ~unwritten),
        cost=frame["cost"].where(frame["cost"].ge(0) & ~guessed),
    )


def at_most(frame: pd.DataFrame, details: Mapping[str, Any]) -> pd.Series[bool]:
    """Of which rows of a cell the cost is an upper bound only, as it is not known what their cached input cost.

    Part of the input came from the service's cache, and there is no price of it; or there is one, and the service did
    not say which part that was. Of prices from a list it may be known that they are bounds themselves.
    """
    prices = (details.get("model_config") or {}).get("prices") or {}
    priced = frame["cost"].gt(0)
    if not prices.get("input"):
        return priced & False
    if listed_bound(details):
        return priced
    if prices.get("cached_input") is None:
        return priced & frame["cached_tokens"].gt(0)
    return priced & frame["cached_tokens"].isna()


def listed_bound(details: Mapping[str, Any]) -> str:
    """Why every cost of a cell is an upper bound, as its prices are from a list; empty where it is not."""
    return str((details.get(PRICE_LIST) or {}).get("at_most", ""))


def states_prices(details: Mapping[str, Any]) -> bool:
    """Whether somebody stated what a cell's model takes, 0 where it is free; older cells kept 0 where nobody did."""
    prices = (details.get("model_config") or {}).get("prices") or {}
    return bool(details.get(PRICED, prices.get("input") or prices.get("output")))


def unpriced(details: Mapping[str, Any]) -> bool:
    """Whether a cell's model has no prices, from the workspace or a list; an older cell kept those as prices of 0."""
    config = details.get("model_config") or {}
    if PRICED in details or not config or config.get("provider") == "local":
        return not details.get(PRICED, True)
    prices = config.get("prices") or {}
    return not any(prices.get(name) for name in ("input", "output"))
