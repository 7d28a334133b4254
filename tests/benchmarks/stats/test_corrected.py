"""The corrected pass rate: what it covers, and that worse evidence never improves it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.stats import Labelled, corrected_rate


@st.composite
def sides(draw: st.DrawFn) -> Labelled:
    passed, failed, blank, others = (draw(st.integers(0, 40)) for _ in range(4))
    return Labelled(passed + failed + blank + others, passed, failed, blank)


LIMITS = (0.05, 0.3, 0.5, 0.77, 0.95)


def pass_p(passing: Labelled, failing: Labelled, missing: int = 0) -> list[float]:
    """How little is shown of "the rate is above the limit", and how much of the opposite."""
    made = corrected_rate(passing, failing, missing)
    return [made.p_not_above(limit) for limit in LIMITS] + [-made.p_not_below(limit) for limit in LIMITS]


@given(sides(), sides(), st.integers(0, 20))
def test_one_more_text_that_people_fail_never_helps(passing: Labelled, failing: Labelled, missing: int) -> None:
    if passing.judged + failing.judged + missing == 0 or passing.passed == 0:
        return
    worse = replace(passing, passed=passing.passed - 1, failed=passing.failed + 1)
    before, after = pass_p(passing, failing, missing), pass_p(worse, failing, missing)
    assert all(now >= then - 1e-12 for then, now in zip(before, after, strict=True))


@given(sides(), sides(), st.integers(0, 20))
def test_a_label_that_is_left_out_never_helps_a_pass_nor_a_fail(
    passing: Labelled, failing: Labelled, missing: int
) -> None:
    for verdict in ("passed", "failed"):
        if passing.judged + failing.judged + missing == 0 or getattr(passing, verdict) == 0:
            continue
        blank = replace(passing, **{verdict: getattr(passing, verdict) - 1}, blank=passing.blank + 1)
        before, after = (corrected_rate(one, failing, missing) for one in (passing, blank))
        assert after.low <= before.low + 1e-12 and after.high >= before.high - 1e-12
        for limit in LIMITS:
            assert after.p_not_above(limit) >= before.p_not_above(limit) - 1e-12
            assert after.p_not_below(limit) >= before.p_not_below(limit) - 1e-12


@given(sides(), sides(), st.integers(0, 20))
def test_a_sample_that_the_judge_did_not_grade_widens_the_interval(
    passing: Labelled, failing: Labelled, missing: int
) -> None:
    if passing.labelled == 0 or failing.labelled == 0:
        return
    before, after = (corrected_rate(passing, failing, n) for n in (missing, missing + 5))
    assert after.low <= before.low + 1e-12 and after.high >= before.high - 1e-12


def test_where_people_labelled_nothing_of_a_verdict_it_is_taken_at_its_worst() -> None:
    made = corrected_rate(Labelled(900, 90, 0), Labelled(100, 0, 0))
    assert made.estimate is None and made.low < 0.91 and made.high > 0.98
    known = corrected_rate(Labelled(900, 90, 0), Labelled(100, 0, 10))
    assert known.high < 0.95


def test_without_bias_and_with_everything_labelled_it_is_the_rate_itself() -> None:
    made = corrected_rate(Labelled(60, 60, 0), Labelled(40, 0, 40))
    assert made.estimate == pytest.approx(0.6) and made.low < 0.6 < made.high


@pytest.mark.parametrize("counts", [(-1, 0, 0, 0), (3, 2, 2, 0), (3, 1, 1, 2)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no more labels than judgements"):
        Labelled(*counts)
    with pytest.raises(ValueError, match="at least one"):
        corrected_rate(Labelled(0, 0, 0), Labelled(0, 0, 0))


@pytest.mark.parametrize(("rate", "hits", "misses"), [(0.1, 0.97, 0.05), (0.95, 0.97, 0.05), (0.8, 0.99, 0.3)])
def test_the_interval_covers_as_often_as_it_says(rate: float, hits: float, misses: float) -> None:
    chance, few, many, covered = np.random.default_rng(3), 100, 2_000, 0
    repeats = 100
    for _ in range(repeats):
        people = chance.random(many) < rate
        judge = chance.random(many) < np.where(people, hits, misses)
        sides = []
        for verdict in (True, False):
            mine = people[:few][judge[:few] == verdict]
            sides.append(Labelled(int((judge == verdict).sum()), int(mine.sum()), int((~mine).sum())))
        made = corrected_rate(*sides)
        covered += made.low <= rate <= made.high
    assert covered / repeats == pytest.approx(0.95, abs=0.06)


def test_the_table_is_printed_and_says_when_it_does_not_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.perf.simulate_ppi", "--repeats", "4", "--judged", "400"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "4 repeats, seed 7" in done.stdout and "useless" in done.stdout, done.stderr
    assert "than that of the labels alone" in done.stdout
    assert done.returncode == int("not as promised" in done.stdout)
