"""Replay two recorded runs of the same questions as if they were asked one by one: when would it have been noticed?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, check_asked, check_whole, find_run, outcome_frame
from driftgate.monitor.canary_stream import CanaryStream

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


_NO_REPLY = ("failed", "missing", "filtered")
"""Outcomes that say nothing of what the model would have answered."""


@dataclass(frozen=True)
class Backtest:
    """What streams of the same pairs in other orders would have said."""

    before: str
    """The run that was compared with, and its cell."""
    after: str
    """The run that was watched, and its cell."""
    pairs: int
    """Samples of which either run has a reply."""
    left_out: int
    """Samples of both without a reply on one side: a call that failed says nothing of the model's answers."""
    scores: tuple[tuple[str, int, float, float], ...]
    """By slice: its name, its pairs, and the share correct before and after."""
    alarms: tuple[int | None, ...]
    """By order: after how many pairs the stream alarmed; None for never."""
    named: tuple[tuple[str, int], ...]
    """How many of the orders ended with these slices named, the commonest first."""
    false_alarms: int
    """Of as many streams in which the two answers of every pair were exchanged at random: how many alarmed."""
    alpha: float
    """The chance of ever raising a false alarm that a stream is made for."""
    seed: int
    """Decides the orders and the exchanges."""


def backtest(
    ledger: Ledger,
    before: CellRow,
    after: CellRow,
    *,
    by: str = "category",
    orders: int = 200,
    alpha: float = 0.05,
    floor: float = 0.05,
    seed: int = 0,
) -> Backtest:
    """Send the pairs of two cells through a canary stream, shuffled anew for every order.

    A reply without an answer is wrong, before as after. A sample without a reply on one side is left out and counted.

    Parameters
    ----------
    by : str
        The column of the outcomes whose values are slices.
    orders : int
        How many shuffles, and how many streams of exchanged pairs.
    alpha, floor : float
        As of :class:`driftgate.monitor.canary_stream.CanaryStream`.

    Raises
    ------
    DriftgateError
        A run is not complete, the cells share no sample with two replies, or one of them asked nobody.
    """
    import numpy as np

    for cell in (before, after):
        run = find_run(ledger, cell.run_id)
        if run.status != "complete":
            raise DriftgateError(f"run {run.id} is {run.status}", run.how_to_finish)
        check_asked(ledger, cell)
        check_whole(cell, "a backtest")
    pairs, left_out = _pairs(outcome_frame(ledger, before.id), outcome_frame(ledger, after.id), by)
    if pairs.empty:
        without = f" with a reply in both, and {left_out:,} without" if left_out else ""
        raise DriftgateError(
            f"{before.name} of run {before.run_id} and {after.name} of run {after.run_id} share no sample{without}",
            "name runs on the same data",
        )
    streams = [np.random.default_rng([seed, order]) for order in range(orders)]
    watched = [_watch(pairs, rng, alpha, floor, exchange=False) for rng in streams]
    exchanged = [_watch(pairs, rng, alpha, floor, exchange=True) for rng in streams]
    slices = [
        (str(name), len(part), float(part["before"].mean()), float(part["after"].mean()))
        for name, part in pairs.groupby("slice")
    ]
    named = Counter(" ".join(moved) for _, moved in watched if moved)
    return Backtest(
        before=f"{before.run_id} {before.name}",
        after=f"{after.run_id} {after.name}",
        pairs=len(pairs),
        left_out=left_out,
        scores=tuple(slices),
        alarms=tuple(alarm for alarm, _ in watched),
        named=tuple(named.most_common()),
        false_alarms=sum(alarm is not None for alarm, _ in exchanged),
        alpha=alpha,
        seed=seed,
    )


def _pairs(before: pd.DataFrame, after: pd.DataFrame, by: str) -> tuple[pd.DataFrame, int]:
    """Right and wrong of both runs on the samples with two replies, and how many shared samples have not two."""
    import pandas as pd

    if by not in after:
        raise DriftgateError(f"outcomes have no column '{by}'", "slice by category, or name another column")
    shared = set(before["key"]) & set(after["key"])
    sides = [
        side[side["key"].isin(shared) & ~side["outcome"].isin(_NO_REPLY)].set_index("key") for side in (before, after)
    ]
    both = sides[0].index.intersection(sides[1].index)
    pairs = pd.DataFrame(
        {
            "before": sides[0].loc[both, "correct"].astype(float).fillna(0.0),
            "after": sides[1].loc[both, "correct"].astype(float).fillna(0.0),
            "slice": sides[1].loc[both, by].fillna("").astype(str),
        }
    )
    return pairs, len(shared) - len(pairs)


def _watch(
    pairs: pd.DataFrame, rng: np.random.Generator, alpha: float, floor: float, *, exchange: bool
) -> tuple[int | None, tuple[str, ...]]:
    """After how many pairs the stream alarms, and which slices it has named by the end."""
    shuffled = pairs.iloc[rng.permutation(len(pairs))]
    differences = (shuffled["after"] - shuffled["before"]).to_numpy()
    if exchange:
        differences = differences * rng.choice([-1.0, 1.0], size=len(differences))
    stream, alarm = CanaryStream(alpha, floor), None
    for number, (difference, name) in enumerate(zip(differences, shuffled["slice"], strict=True), start=1):
        stream.update(float(difference), name)
        if alarm is None and stream.drift_detected:
            alarm = number
        if alarm is not None and (exchange or stream.moved):
            break
    return alarm, stream.moved
