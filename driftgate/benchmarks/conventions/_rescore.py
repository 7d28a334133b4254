"""Score a stored cell by a convention; no model is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.conventions._convention import Convention
from driftgate.benchmarks.conventions._replies import reply_frame, stored_prompt
from driftgate.benchmarks.metrics import right, settled
from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.scores import score_frame
from driftgate.benchmarks.signature import format_signature, parse_signature
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extraction import extract_choice
from driftgate.flows.finish import LENGTH, finish_reason
from driftgate.flows.letters import LEAST_MASS, LETTERS, likeliest_letter
from driftgate.ledger import (
    CellRow,
    Ledger,
    ScoreRow,
    add_scores,
    check_asked,
    check_asked_once,
    check_texts,
    check_whole,
    forgotten_in,
    keys_of_editions,
    outcome_frame,
    scores_of,
)

if TYPE_CHECKING:
    import pandas as pd

_REPLIED = ("answered", "unparsed", "truncated")
"""Outcomes of samples to which there is a reply."""


@dataclass(frozen=True)
class ConventionScores:
    """A cell as a convention scores it.

    Attributes
    ----------
    frame : pandas.DataFrame
        :func:`driftgate.ledger.outcome_frame` after the convention's reading, with ``counted``: whether the sample is
        in the denominator. One row for every sample asked for.
    notes : tuple of str
        What a reader should know of how it was scored.
    """

    convention: Convention
    cell: CellRow
    signature: str
    frame: pd.DataFrame
    rows: list[ScoreRow]
    notes: tuple[str, ...] = ()

    def get(self, metric: str = "accuracy", slice: str = "") -> ScoreRow | None:
        """A score by metric and slice name; the whole cell without one."""
        return next((row for row in self.rows if row.metric == metric and row.slice == slice), None)

    def part(self, slice: str = "") -> pd.DataFrame:
        """The samples of a category or super-category that were asked for; all without a name."""
        if not slice:
            return self.frame
        return self.frame[(self.frame["category"] == slice) | (self.frame["super_category"] == slice)]

    def outcomes(self, slice: str = "") -> dict[str, int]:
        """Number of samples asked for by outcome, every outcome named."""
        counts = self.part(slice)["outcome"].value_counts()
        return {outcome: int(counts.get(outcome, 0)) for outcome in OUTCOMES}

    def bounds(self, slice: str = "") -> tuple[float, float] | None:
        """Accuracy over everything asked for if what has no answer is wrong, and if it is right; None without samples.

        Whatever a convention counts, the truth lies between the two. They are averaged as the convention averages.
        """
        frame = self.part(slice)
        if frame.empty:
            return None
        known = settled(frame)
        low = right(frame.assign(correct=frame["correct"].where(known, 0.0)))
        both = frame[["category"]].assign(low=low, high=low + ~known)[["category", "low", "high"]]
        if self.convention.averaging == "macro":
            both = both.groupby("category").mean()
        return float(both["low"].mean()), float(both["high"].mean())


def rescore(ledger: Ledger, cell: CellRow, convention: Convention) -> ConventionScores:
    """Score a cell by a convention, reading its stored replies again where the convention reads them otherwise.

    Raises
    ------
    DriftgateError
        The convention needs what the run did not store, no line asked the model, or the run was expired.
    """
    check_asked(ledger, cell)
    check_asked_once(cell, "a convention")
    check_whole(cell, "a convention")
    check_texts(ledger, cell.run_id)
    import numpy as np

    frame = outcome_frame(ledger, cell.id)
    parts = parse_signature(cell.signature)
    read_by = parts.get("extract", "")
    reads = read_by if read_by == "none" else "quantity" if read_by.startswith("quantity-") else "choice"
    wanted = convention.signature_parts(parts.get("scoring", "text"), reads)
    notes: list[str] = []
    forgotten, unread = forgotten_in(ledger, cell.id), np.zeros(len(frame), dtype=bool)
    if "extract" in wanted and wanted["extract"] != parts.get("extract"):
        unread = (frame["sample_id"].isin(list(forgotten)) & frame["outcome"].isin(_REPLIED)).to_numpy()
        days = ", ".join(sorted({f"{at:%Y-%m-%d}" for at in forgotten.values()}))
        if unread.any() and unread.sum() == frame["outcome"].isin(_REPLIED).sum():
            raise DriftgateError(
                f"every reply of {cell.name} was forgotten on {days}, and none can be read again",
                "its own scores stand; take a run that still has its texts, or run the suite anew",
            )
        read = _read_again(ledger, cell, convention, frame, reads, forgotten)
        if read is None:
            notes.append("the run stored no replies to read again: its answers are taken as it read them")
            wanted.pop("extract")
        else:
            frame = read
            if reads == "quantity":
                notes.append("quantities read again are right where they are exactly the wanted ones")
    prompt = stored_prompt(ledger, cell) if convention.prompt_end else None
    if prompt is not None and not prompt.endswith(convention.prompt_end):
        ending = prompt.rstrip().splitlines()[-1][-20:]
        notes.append(f"the run's prompts end in '{ending}', those of {convention.name} in '{convention.prompt_end}'")
    recorded: dict[str, str] = cell.details.get("recorded_keys") or {}
    if convention.key == "recorded" and recorded:
        keys = keys_of_editions(ledger, list(recorded))  # format 1 of the ledger named samples by what is now that
        own = frame["key"].map({keys.get(sample, sample): gold for sample, gold in recorded.items()})
        judged = own.notna() & (frame["outcome"] == "answered")
        # An answer in words that was forgotten cannot be judged by another key.
        wordless = judged & frame["sample_id"].isin(list(forgotten)) & frame["answer"].isna()
        unread = unread | wordless.to_numpy()
        frame = frame.assign(correct=frame["correct"].where(~judged, (frame["answer"] == own).astype(float)))
        wanted["key"] = "recorded"
        notes.append(f"samples judged by the recorded file's right answer, which is not the dataset's: {len(recorded)}")
    if unread.any():
        days = ", ".join(sorted({f"{at:%Y-%m-%d}" for at in forgotten.values()}))
        notes.append(f"replies forgotten on {days}, which cannot be read again: {int(unread.sum())}")
        unknown: dict[str, Any] = {"outcome": "missing", "answer": None, "correct": float("nan"), "rule": ""}
        frame = frame.assign(**{name: frame[name].mask(unread, value) for name, value in unknown.items()})
    # What was forgotten is not dropped: a wrong reply that cannot be read any more must not make a score better.
    frame = frame.assign(counted=~frame["outcome"].isin(convention.dropped) | unread)
    rows = score_frame(frame[frame["counted"]], averaging=convention.averaging)
    return ConventionScores(convention, cell, format_signature(parts | wanted), frame, rows, tuple(notes))


def store_scores(ledger: Ledger, scores: ConventionScores) -> None:
    """Keep scores in the ledger under their signature; the same scores again add nothing."""
    if scores_of(ledger, scores.cell.id, scores.signature) != scores.rows:
        add_scores(ledger, scores.cell.id, scores.signature, scores.rows)


def _read_again(
    ledger: Ledger,
    cell: CellRow,
    convention: Convention,
    frame: pd.DataFrame,
    reads: str,
    forgotten: Collection[int],
) -> pd.DataFrame | None:
    """The frame with outcome, answer, correct and rule as the convention reads the stored replies; None without any."""
    import pandas as pd

    replies = reply_frame(ledger, cell)
    by_letter = convention.reading == "logprobs" or (
        reads == "choice" and parse_signature(cell.signature).get("scoring") == "logprobs"
    )
    if reads == "choice" or by_letter:
        replies = replies.assign(letters=_letters(cell, replies))
        replies = replies[replies["letters"].astype(bool)]
    if convention.reading == "logprobs":
        _check_logprobs(cell, frame[~frame["sample_id"].isin(list(forgotten))], replies)
    if by_letter:
        replies = replies[replies["first_token"].notna()]
    if replies.empty:
        return None
    found = [_read(row, convention, reads, by_letter) for row in replies.itertuples()]
    read = replies[["sample_id", "gold", "finish_reason"]].assign(**_columns(found))
    both = frame[["sample_id", "outcome"]].merge(read, on="sample_id", how="left")
    again = (both["outcome"].isin(_REPLIED) & both["rule"].notna()).to_numpy()
    answered = both["answer"].notna()
    ended = both["finish_reason"].map(finish_reason)  # older runs hold the services' own words
    outcome = ended.map({LENGTH: "truncated"}).fillna("unparsed").mask(answered, "answered")
    right_ones = both["answer"] == both["gold"]
    if reads == "quantity":
        right_ones = pd.Series(list(map(_same, both["answer"], both["gold"])), index=both.index, dtype=bool)
    correct = right_ones.astype(float).where(answered, 0.0)
    new = {"outcome": outcome, "answer": both["answer"], "correct": correct, "rule": both["rule"]}
    return frame.assign(**{name: frame[name].where(~again, values.to_numpy()) for name, values in new.items()})


def _columns(found: list[tuple[str | None, str]]) -> dict[str, Any]:
    return {"answer": [answer for answer, _ in found], "rule": [rule for _, rule in found]}


def _letters(cell: CellRow, replies: pd.DataFrame) -> list[str]:
    """The letters of each reply's choices; empty where its answer is no choice."""
    given = str(cell.details.get("letters", ""))
    return [LETTERS[: len(choices)] if choices else given for choices in replies["choices"]]


def _same(answer: Any, gold: Any) -> bool:
    """Whether a quantity that was read is the wanted one."""
    from driftgate.flows.quantities import read_quantity, same_quantity

    found, wanted = (read_quantity(value) if isinstance(value, str) else None for value in (answer, gold))
    return found is not None and wanted is not None and same_quantity(found, wanted)


def _read(row: Any, convention: Convention, reads: str, by_letter: bool) -> tuple[str | None, str]:
    if by_letter:
        least = 0.0 if convention.reading == "logprobs" else LEAST_MASS
        return likeliest_letter(row.first_token, len(row.letters), least=least), "logprobs"
    if reads == "quantity":
        from driftgate.flows.quantities import found_quantity

        quantity = found_quantity(row.text, finished=finish_reason(row.finish_reason) != LENGTH)
        return quantity.answer, quantity.rule
    found = extract_choice(row.text, row.choices, letters=row.letters, rule_set=convention.rule_set)
    return found.answer, found.rule


def _check_logprobs(cell: CellRow, frame: pd.DataFrame, replies: pd.DataFrame) -> None:
    replied = int(frame["outcome"].isin(_REPLIED).sum())
    held = int(replies["first_token"].notna().sum())
    if held < replied or not replied:
        raise DriftgateError(
            f"the run stored first-token log-probabilities of {held:,} of the {replied:,} replies of {cell.name}, and "
            "without them a letter's cannot be known",
            "ask the model with 'scoring: logprobs' and a service that gives log-probabilities",
        )
