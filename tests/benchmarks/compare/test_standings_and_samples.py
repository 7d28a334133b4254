"""The Pareto front, and samples whose key is doubted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from driftgate.benchmarks.compare import compare_cells
from driftgate.ledger import CellRow, Ledger

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"


def test_a_cell_is_beaten_only_beyond_the_interval_of_quality(store: Ledger, put: Put, questions) -> None:
    asked = questions(60)
    cells = [
        put("best", asked, [RIGHT] * 50 + [WRONG] * 10, cost=0.002, latency=1.0),
        put("cheap", asked, [RIGHT] * 30 + [WRONG] * 30, cost=0.001, latency=0.5),
        put("near", asked, [RIGHT] * 49 + [WRONG] * 11, cost=0.003, latency=1.5),
        put("bad", asked, [RIGHT] * 10 + [WRONG] * 50, cost=0.003, latency=1.5),
    ]
    (dataset,) = compare_cells(store, cells).datasets
    places = {s.entry.label: (s.place, s.beaten_by) for s in dataset.standings}
    assert dataset.measures == ("quality", "cost", "latency")
    assert places["best"] == places["cheap"] == ("front", "")
    assert places["near"] == ("tied", "best")
    assert places["bad"] == ("beaten", "best")
    assert dataset.standings[0].cost is not None and dataset.standings[0].cost.estimate == pytest.approx(2.0)


def test_what_was_not_recorded_of_every_cell_is_not_compared(store: Ledger, put: Put, questions) -> None:
    asked = questions(30)
    cells = [put("a", asked, [RIGHT] * 30, latency=2.0), put("b", asked, [WRONG] * 30)]
    (dataset,) = compare_cells(store, cells).datasets
    assert dataset.measures == ("quality",)
    assert dataset.standings[0].latency is not None and dataset.standings[1].latency is None
    # Nobody knows their prices: the worse one may be the cheaper one.
    assert [s.place for s in dataset.standings] == ["front", "undecided"]


def test_a_cell_without_a_price_is_undecided_and_beats_none(store: Ledger, put: Put, questions) -> None:
    asked = questions(60)
    scores = {"best": 50, "priced": 30, "unpriced": 10}
    cells = [
        put(m, asked, [RIGHT] * n + [WRONG] * (60 - n), latency=1.0, cost=0.0 if m == "unpriced" else 0.002)
        for m, n in scores.items()
    ]
    (dataset,) = compare_cells(store, cells).datasets
    assert dataset.measures == ("quality", "latency")
    places = {s.entry.label: (s.place, s.beaten_by) for s in dataset.standings}
    assert places == {"best": ("front", ""), "priced": ("undecided", "best"), "unpriced": ("undecided", "best")}


def test_what_is_faster_by_chance_is_not_on_the_front(store: Ledger, put: Put, questions) -> None:
    asked = questions(60)
    better = put("better", asked, [RIGHT] * 50 + [WRONG] * 10, cost=0.002, latency=[1.0, 2.0] * 30)
    worse = put("worse", asked, [RIGHT] * 10 + [WRONG] * 50, cost=0.002, latency=[0.99, 2.0] * 30)
    slower = put("slower", asked, [RIGHT] * 10 + [WRONG] * 50, cost=0.002, latency=[3.0, 4.0] * 30)
    (dataset,) = compare_cells(store, [better, worse, slower]).datasets
    places = {s.entry.label: (s.place, s.beaten_by) for s in dataset.standings}
    assert places == {"better": ("front", ""), "worse": ("tied", "better"), "slower": ("beaten", "better")}


@pytest.mark.parametrize("outcome", ["failed", "filtered", "unparsed", "missing"])
def test_a_cell_that_answered_nothing_has_no_quality(store: Ledger, put: Put, questions, outcome) -> None:
    asked = questions(30)
    silent = put("silent", asked, [outcome] * 30)
    (dataset,) = compare_cells(store, [put("a", asked, [WRONG] * 30), silent]).datasets
    quality = {standing.entry.label: standing.quality for standing in dataset.standings}
    assert (quality["a"].estimate, quality["a"].low) == (0.0, 0.0)
    assert (quality["silent"].estimate, quality["silent"].reason) == (None, "nothing was answered")
    assert {standing.place for standing in dataset.standings if standing.entry.label == "silent"} != {"front"}


def test_a_key_is_suspect_where_all_strong_models_choose_one_other_letter(store: Ledger, put: Put, questions) -> None:
    asked = questions(20)
    strong, other = ["B", "B", "B", *[RIGHT] * 17], ["B", "C", RIGHT, *[RIGHT] * 17]
    cells = [put("s1", asked, strong), put("s2", asked, other), put("s3", asked, strong)]
    cells += [put(f"weak{i}", asked, [*"BAC", *[WRONG] * 17]) for i in range(2)]
    (dataset,) = compare_cells(store, cells).datasets
    suspects = dataset.suspects
    assert list(suspects.strong) == ["s2", "s1", "s3"]
    assert suspects.looked_at == 20
    assert suspects.samples[["upstream_id", "gold", "letter", "agree"]].values.tolist() == [["q0", "D", "B", 5]]
    assert suspects.expected == pytest.approx(2 / 9)  # two samples all three got wrong, three other letters


def test_fewer_than_five_models_doubt_no_key(store: Ledger, put: Put, questions) -> None:
    cells = [put(f"m{i}", questions(6), ["B"] * 6) for i in range(4)]
    (dataset,) = compare_cells(store, cells).datasets
    assert dataset.suspects.samples.empty
    assert "needs 5 models, and there are 4" in dataset.suspects.reason


def test_variants_of_one_model_are_one_voice(store: Ledger, put: Put, questions) -> None:
    asked = questions(6)
    cells = [put("m", asked, ["B"] * 6, variant=f"v{i}") for i in range(6)]
    (dataset,) = compare_cells(store, cells).datasets
    assert dataset.suspects.samples.empty
    assert "there are 1" in dataset.suspects.reason


def test_base_rag_and_tuned_are_one_table_against_the_first(store: Ledger, put: Put, questions) -> None:
    asked = questions(40)
    right = {("base", "qa"): 10, ("base", "rag_qa"): 18, ("tuned", "qa"): 25, ("tuned", "rag_qa"): 32}
    cells = [
        put(model, asked, [RIGHT] * n + [WRONG] * (40 - n), flow=flow, cost=n / 1e4, latency=0.1 * n)
        for (model, flow), n in right.items()
    ]
    (dataset,) = compare_cells(store, cells).datasets
    assert [s.entry.label for s in dataset.standings] == [f"{model} · {flow}" for model, flow in right]
    against = [dataset.against_first(s.entry) for s in dataset.standings]
    assert against[0] is None
    assert [p.overall.comparison.difference for p in against[1:] if p] == pytest.approx([8 / 40, 15 / 40, 22 / 40])
    assert {s.place for s in dataset.standings} == {"front"}  # each better one costs more
