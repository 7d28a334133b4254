"""What the check of a claim says of differences that hold for it, against it, or for a part of it."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.perf.claim import findings, told


def row(slice: str, points: float, p: float, *, wide: float = 0.01) -> dict[str, object]:
    """A difference as ``compare --csv`` writes it, of the whole where `slice` is empty."""
    limits = {"difference": points, "difference_low": points - wide, "difference_high": points + wide}
    scores = {"candidate_score": 0.5 + points, "reference_score": 0.5}
    kind = "category" if slice else "all"
    return {"dataset": "kmmlu", "slice_kind": kind, "slice": slice, **scores, **limits, "p_adjusted": p}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [row("", 0.05, 0.001), row("Law", -0.09, 0.04), row("Math", -0.01, 0.8), row("Tax", 0.1, 0.01)],
            ["ahead on 1 of 1, each", "lower in 2 of 3, 1 of them", "| 1: Law |", "holds for the overall scores only"],
        ),
        (
            [row("", 0.05, 0.001), row("Law", 0.09, 0.04), row("Math", 0.0, 1.0)],
            ["lower in 0 of 2, 0 of them", "| none |", "holds for the overall scores and every category"],
        ),
        ([row("", 0.05, 0.2), row("Law", 0.09, 0.04)], ["ahead on 0 of 1 with", "holds for neither"]),
        ([row("", 0.05, 0.01, wide=0.06), row("Law", 0.1, 0.04)], ["ahead on 0 of 1 with", "holds for neither"]),
        ([row("", -0.05, 0.001), row("Law", -0.1, 0.04)], ["ahead on 0 of 1 with", "1 of them", "holds for neither"]),
    ],
)
def test_the_sentences_follow_from_the_differences(rows: list[dict[str, object]], said: list[str]) -> None:
    printed = told(findings(pd.DataFrame(rows)))
    for part in said:
        assert part in printed
