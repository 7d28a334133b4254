"""Replay what is past as if it were live: two runs of the same questions, a file of answers, or a monitor's calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api._answered import Answered, read_answers
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
    return _backtest(
        (f"{before.run_id} {before.name}", f"{after.run_id} {after.name}"), pairs, left_out, orders, alpha, floor, seed
    )


@dataclass(frozen=True)
class AnswersBacktest:
    """What a file of answers of two sides says, and how soon what changed would have been noticed."""

    answered: Answered
    streams: tuple[tuple[str, Backtest], ...]
    """By what is watched: right answers, where the file says what is right, and replies that do not refuse."""


def backtest_answers(
    path: Path,
    columns: Mapping[str, str],
    before: str,
    after: str,
    *,
    reads: str = "",
    orders: int = 200,
    alpha: float = 0.05,
    floor: float = 0.05,
    seed: int = 0,
) -> AnswersBacktest:
    """Read a file of recorded answers and send its pairs through canary streams.

    A refusal is told from a reply that cannot be read and from a call that failed: refusals have a stream of their own,
    and of right answers a refusal is none.

    Parameters
    ----------
    columns, before, after, reads
        As of :func:`driftgate.api._answered.read_answers`.
    orders, alpha, floor, seed
        As of :func:`backtest`.

    Raises
    ------
    DriftgateError
        The file cannot be read that way, or no question has a reply on both sides.
    """
    answered = read_answers(path, columns, before, after, reads)
    left_out = len(answered.pairs) - len(answered.replied())
    if left_out == len(answered.pairs):
        raise DriftgateError(f"no question of {path.name} has a reply of both {before} and {after}", "check the file")
    watched: dict[str, tuple[str, ...]] = {"right answers": ("right",)} if answered.graded else {}
    refusing = sum(answered.counts().get("refused", (0, 0)))
    if refusing or not answered.graded:
        watched["replies that do not refuse"] = ("right", "wrong", "unparsed")
    streams = [
        (what, _backtest((before, after), answered.as_values(good), left_out, orders, alpha, floor, seed))
        for what, good in watched.items()
    ]
    return AnswersBacktest(answered, tuple(streams))


def _backtest(
    sides: tuple[str, str],
    pairs: pd.DataFrame,
    left_out: int,
    orders: int,
    alpha: float,
    floor: float,
    seed: int,
) -> Backtest:
    import numpy as np

    streams = [np.random.default_rng([seed, order]) for order in range(orders)]
    watched = [_watch(pairs, rng, alpha, floor, exchange=False) for rng in streams]
    exchanged = [_watch(pairs, rng, alpha, floor, exchange=True) for rng in streams]
    slices = [
        (str(name), len(part), float(part["before"].mean()), float(part["after"].mean()))
        for name, part in pairs.groupby("slice")
    ]
    named = Counter(" ".join(moved) for _, moved in watched if moved)
    return Backtest(
        before=sides[0],
        after=sides[1],
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
