"""Samples and runs are found, filtered and ordered alike by both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftgate.ledger import (
    Evaluated,
    Ledger,
    Record,
    SampleFilter,
    _browse,
    add_verdict,
    as_they_stand,
    browse_dataset,
    browse_runs,
    categories_of,
    cells_of,
    datasets_held,
    duplicates_in,
    find_run,
    find_samples,
    finish_run,
    outcome_counts,
    progress_of,
    record,
    sample_rows,
)

Make = Callable[..., Any]


@pytest.mark.parametrize("named", [0, 1_000])  # of many samples the text is looked for anew in each cell
def test_samples_are_found_by_what_became_of_them(
    ledger: Ledger, samples: Make, add: Make, entry: Make, named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_browse, "_NAMED", named)
    asked = samples(12)
    run, cell_id, ids = add(ledger, asked)
    said: list[Record] = []
    for n, sample in enumerate(asked[:10]):
        failed = {"outcome": "failed", "answer": None, "correct": None, "error": "Timed out 100%", "latency": None}
        changes = failed if n == 3 else {"correct": float(n % 2), "answer": f"A{n}", "latency": n / 10}
        said.append(entry(cell_id, ids[sample.id], **changes))
    record(ledger, said)
    record(ledger, [entry(cell_id, ids["q0"], round=1, answer="B", correct=1.0, latency=9.0)])  # asked again
    (cell,) = cells_of(ledger, run.id)

    def found(wanted: SampleFilter, **how: Any) -> list[str]:
        total, places = find_samples(ledger, [cell], wanted, **how)
        rows = sample_rows(ledger, places)
        assert total == len(rows) or "limit" in how
        return [row["id"] for row in rows]

    everyone = [f"q{n}" for n in range(12)]
    assert found(SampleFilter()) == everyone
    assert found(SampleFilter(), descending=True, limit=2) == ["q11", "q10"]
    assert found(SampleFilter(wrong=True)) == ["q2", "q4", "q6", "q8"]
    assert found(SampleFilter(failed=True)) == ["q3", "q10", "q11"]
    assert found(SampleFilter(wrong=True, failed=True)) == ["q2", "q3", "q4", "q6", "q8", "q10", "q11"]
    assert found(SampleFilter(outcome="missing")) == ["q10", "q11"]
    assert found(SampleFilter(category="범주 1")) == ["q1", "q4", "q7", "q10"]
    assert found(SampleFilter(category="STEM", wrong=True)) == []
    assert found(SampleFilter(text="문제 7번")) == ["q7"]
    assert found(SampleFilter(text="timed OUT")) == found(SampleFilter(text="100%")) == ["q3"]
    assert found(SampleFilter(text="1_0")) == found(SampleFilter(text="100_")) == found(SampleFilter(text="\\")) == []
    by_latency = found(SampleFilter(), order="latency", descending=True)
    assert by_latency[:2] == ["q0", "q9"] and by_latency[-3:] == ["q3", "q10", "q11"]
    below = SampleFilter(evaluated=Evaluated("n", "e", "m", 1.0))
    assert found(below) == everyone  # nothing gave a value
    assert sample_rows(ledger, find_samples(ledger, [cell], SampleFilter())[1])[0]["answer"] == "B"
    assert outcome_counts(ledger, cell) == {"answered": 9, "failed": 1, "missing": 2}
    assert categories_of(ledger, [cell]) == ["HUMSS", "STEM", "범주 0", "범주 1", "범주 2"]


def test_cells_follow_each_other(ledger: Ledger, samples: Make, add: Make, entry: Make) -> None:
    from driftgate.ledger import add_cell

    asked = samples(5)
    run, _, _ = add(ledger, asked)
    row = {"model": "n", "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": {}}
    add_cell(ledger, run.id, 1, row, asked)
    cells = cells_of(ledger, run.id)
    total, places = find_samples(ledger, cells, SampleFilter(), offset=3, limit=4)
    assert total == 10 and [place.cell_id for place in places] == [cells[0].id] * 2 + [cells[1].id] * 2
    assert find_samples(ledger, [], SampleFilter()) == (0, [])


def test_runs_are_listed_with_their_gravest_verdict(ledger: Ledger, samples: Make, add: Make) -> None:
    run, _, _ = add(ledger, samples(2))
    other, _, _ = add(ledger, samples(2), suite="other")
    for gate, verdict in (("a", "fail"), ("a", "pass"), ("b", "unmeasurable"), ("b", "inconclusive")):
        add_verdict(ledger, run.id, gate, verdict, {})
    with ledger.read() as connection:
        rows = {row.run: row for row in connection.execute(browse_runs())}
    assert (rows[run.id].verdict, rows[other.id].verdict) == ("inconclusive", "")  # of each gate the newest
    assert rows[other.id].suite == "other"


def test_a_run_under_way_says_what_it_does_not_know(ledger: Ledger, samples: Make, add: Make, entry: Make) -> None:
    asked = samples(4)
    run, cell_id, ids = add(ledger, asked)
    now = datetime.now(UTC)
    record(ledger, [entry(cell_id, ids["q0"], finished_at=now, cost=0.5), entry(cell_id, ids["q1"], cost=None)])
    told = progress_of(ledger, run.id, now + timedelta(seconds=10))
    assert (told.done, told.wanted, told.cells[0].cost, told.cells[0].cost_unknown) == (2, 4, 0.5, 1)
    assert told.rate == pytest.approx(0.2, abs=0.05) and told.seconds_left == pytest.approx(10, abs=3)
    later = progress_of(ledger, run.id, now + timedelta(hours=1))
    assert later.rate is None and later.seconds_left is None
    finish_run(ledger, run.id)
    assert progress_of(ledger, run.id).status == "complete"


def test_datasets_say_what_contradicts_itself(ledger: Ledger, samples: Make, add: Make) -> None:
    from driftgate.benchmarks.datasets import make_sample

    asked = samples(3)
    data = dict(asked[0].data)
    twice = make_sample("demo", "test", 7, {**data, "question": "문제 0번은？"}, id="again", category="x")
    wrong = make_sample(
        "demo", "test", 8, {**data, "question": "문제 ０번은?", "answer": "D"}, id="wrong", category="x"
    )
    add(ledger, [*asked, twice, wrong], dataset="ours")
    add(ledger, asked[:2], dataset="theirs")  # the same kind of file, and in part the same samples
    add(ledger, asked[:2], dataset="theirs")
    ours, theirs = datasets_held(ledger)
    assert (ours.dataset, ours.samples, ours.editions) == ("ours", 5, 5)  # by the workspace's name
    assert (theirs.dataset, theirs.samples, theirs.editions) == ("theirs", 2, 2)
    assert duplicates_in(ledger, "theirs") == [] == duplicates_in(ledger, "demo")
    (found,) = duplicates_in(ledger, "ours")
    assert found.contradict and {one["id"] for one in found.samples} == {"q0", "again", "wrong"}
    with ledger.read() as connection:
        rows = {row.id: row for row in connection.execute(browse_dataset("ours"))}
    assert (rows["q1"].question, rows["q1"].gold) == ("문제 1번은?", "B")


def test_a_run_that_gives_nothing_any_more_has_stalled(ledger: Ledger, samples: Make, add: Make, entry: Make) -> None:
    asked = samples(3)
    run, cell_id, ids = add(ledger, asked)
    batch, _, _ = add(ledger, asked, details={"delivery": "batch"})
    ended, _, _ = add(ledger, asked)
    finish_run(ledger, ended.id)
    began = run.created_at
    record(ledger, [entry(cell_id, ids["q0"], finished_at=began + timedelta(minutes=3))])
    rows = [find_run(ledger, one.id) for one in (run, batch, ended)]

    def stand(after: timedelta) -> list[str]:
        found = [one.status for one in as_they_stand(ledger, rows, began + after)]
        with ledger.read() as connection:
            browsed = {row.run: row.status for row in connection.execute(browse_runs(began + after))}
        assert found == [browsed[one.id] for one in rows]
        return found

    assert stand(timedelta(minutes=7)) == ["running", "running", "complete"]
    assert stand(timedelta(minutes=9)) == ["stalled", "running", "complete"]  # five minutes after its last answer
    assert stand(timedelta(hours=27)) == ["stalled", "stalled", "complete"]  # a batch may take a day
    told = as_they_stand(ledger, rows, began + timedelta(minutes=9))[0].reason
    assert "nothing came since" in told and run.id in told
