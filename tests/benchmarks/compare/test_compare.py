"""Differences between cells, what they are of, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from driftgate.benchmarks import stats
from driftgate.benchmarks.compare import agreeing_cells, compare_cells, flips, labels, named_cells
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"


def test_a_pair_on_shared_samples_is_the_exact_paired_test(store: Ledger, put: Put, questions) -> None:
    asked = questions(30)
    old = put("old", asked, [RIGHT] * 12 + [WRONG] * 18)
    new = put("new", asked, [RIGHT] * 10 + [WRONG] * 2 + [RIGHT] * 9 + [WRONG] * 9)
    (dataset,) = compare_cells(store, [old, new]).datasets
    (pair,) = dataset.pairs
    expected = stats.compare_table(stats.PairedTable(both=10, gained=9, lost=2, neither=9))
    assert pair.name == "new − old"
    assert pair.overall.comparison == expected
    assert (pair.overall.candidate, pair.overall.reference) == (19 / 30, 12 / 30)
    assert "paired on all 30" in pair.design
    moved = flips(pair)
    assert moved["direction"].value_counts().to_dict() == {"gained": 9, "lost": 2}
    assert set(moved.loc[moved["direction"] == "lost", "upstream_id"]) == {"q10", "q11"}


def test_categories_are_adjusted_within_their_family_and_sum_up_to_the_whole(
    store: Ledger, put: Put, questions
) -> None:
    asked = questions(60)
    cells = [put("old", asked, [WRONG] * 60), put("new", asked, [RIGHT, WRONG, WRONG] * 20)]
    (pair,) = compare_cells(store, cells).pairs
    categories = {d.name: d for d in pair.of_kind("category")}
    assert set(categories) == {"Law", "Math", "Art"}
    assert categories["Law"].comparison.difference == 1.0
    assert sum(d.comparison.n for d in categories.values()) == 60
    raw = [d.comparison.p_value for d in pair.of_kind("category")]
    assert [d.p_adjusted for d in pair.of_kind("category")] == stats.benjamini_hochberg(raw)
    assert {d.name for d in pair.of_kind("super_category")} == {"HUMSS", "STEM"}
    (macro,) = pair.of_kind("macro")
    assert macro.comparison.difference == pytest.approx(1 / 3)


def test_overall_p_values_are_adjusted_over_datasets(store: Ledger, put: Put, questions) -> None:
    first, second = questions(40), questions(40, dataset="other")
    cells = [
        put("old", first, [WRONG] * 40),
        put("new", first, [RIGHT] * 8 + [WRONG] * 32),
        put("old", second, [WRONG] * 40, dataset="other"),
        put("new", second, [RIGHT] * 7 + [WRONG] * 33, dataset="other"),
    ]
    compared = compare_cells(store, cells)
    raw = [p.overall.comparison.p_value for p in compared.pairs]
    assert len(raw) == 2
    assert [p.overall.p_adjusted for p in compared.pairs] == stats.holm(raw)


def test_without_shared_samples_the_comparison_is_unpaired_and_says_so(store: Ledger, put: Put, questions) -> None:
    cells = [
        put("old", questions(40), [RIGHT] * 20 + [WRONG] * 20),
        put("new", questions(50, start=40), [RIGHT] * 40 + [WRONG] * 10),
    ]
    (pair,) = compare_cells(store, cells).pairs
    assert pair.overall.comparison == stats.compare_unpaired(40, 50, 20, 40)
    assert "unpaired: no sample is shared" in pair.design
    assert not any(d.comparison.paired for d in pair.differences)


def test_partly_shared_samples_are_compared_where_they_are_shared(store: Ledger, put: Put, questions) -> None:
    cells = [put("old", questions(40), [WRONG] * 40), put("new", questions(40, start=10), [RIGHT] * 40)]
    (pair,) = compare_cells(store, cells).pairs
    assert (pair.shared, pair.overall.comparison.n, pair.overall.comparison.paired) == (30, 30, True)
    assert "30 shared samples (of 40 and 40)" in pair.design


def test_a_few_shared_samples_do_not_replace_all_the_others(store: Ledger, put: Put, questions) -> None:
    cells = [put("old", questions(40), [WRONG] * 40), put("new", questions(40, start=35), [RIGHT] * 40)]
    (pair,) = compare_cells(store, cells).pairs
    assert (pair.shared, pair.overall.comparison.n, pair.overall.comparison.paired) == (5, 80, False)
    assert "only 5 samples are shared" in pair.design


def test_passages_make_it_cluster_robust_paired_or_not(store: Ledger, put: Put, questions) -> None:
    asked, others = questions(40, passage=5), questions(40, start=40, passage=5)
    old = put("old", asked, ([RIGHT] * 3 + [WRONG] * 2) * 8)
    new = put("new", asked, ([RIGHT] * 5 + [WRONG] * 5) * 4)
    elsewhere = put("elsewhere", others, ([RIGHT] * 5 + [WRONG] * 5) * 4)
    paired, unpaired, _ = compare_cells(store, [old, new, elsewhere]).pairs
    clusters = [i // 5 for i in range(40)]
    expected = stats.compare_paired(([1] * 5 + [0] * 5) * 4, ([1] * 3 + [0] * 2) * 8, clusters=clusters)
    assert paired.overall.comparison.interval == expected.interval
    assert paired.overall.comparison.clustered and unpaired.overall.comparison.clustered
    assert unpaired.overall.comparison.method == "welch-cr2"


def test_what_was_not_answered_gives_bounds(store: Ledger, put: Put, questions) -> None:
    asked = questions(20)
    old = put("old", asked, [RIGHT] * 10 + ["filtered", "missing"] + [WRONG] * 8)
    new = put("new", asked, [RIGHT] * 11 + ["unparsed"] + [WRONG] * 8)
    (pair,) = compare_cells(store, [old, new]).pairs
    bounds = pair.overall.bounds
    assert bounds is not None and bounds.n_unanswered == 2
    # The candidate's one unanswered may be right and the reference's two wrong, or the other way round.
    assert (bounds.low.estimate, bounds.high.estimate) == pytest.approx((-1 / 20, 2 / 20))
    assert pair.overall.comparison.difference == pytest.approx(1 / 20)


def test_one_sample_has_a_wide_interval_and_no_finding(store: Ledger, put: Put, questions) -> None:
    (pair,) = compare_cells(store, [put("a", questions(1), [WRONG]), put("b", questions(1), [RIGHT])]).pairs
    interval = pair.overall.comparison.interval
    assert interval.low is not None and interval.low < 0 < 1 == interval.high
    assert pair.overall.comparison.p_value == 1.0


def test_all_right_on_both_sides_is_no_difference_with_an_interval(store: Ledger, put: Put, questions) -> None:
    cells = [put(name, questions(30), [RIGHT] * 30) for name in "ab"]
    (pair,) = compare_cells(store, cells, resamples=200).pairs
    assert pair.overall.comparison.difference == 0.0
    assert pair.overall.comparison.interval.known
    assert pair.overall.bootstrap is not None
    assert "no variation" in str(pair.overall.bootstrap.interval.reason)


def test_passages_that_all_agree_have_no_interval_and_say_why(store: Ledger, put: Put, questions) -> None:
    asked = questions(20, passage=5)
    (pair,) = compare_cells(store, [put("a", asked, [WRONG] * 20), put("b", asked, [RIGHT] * 20)]).pairs
    assert pair.overall.comparison.interval.low is None
    assert "agree exactly" in str(pair.overall.comparison.interval.reason)
    assert pair.overall.comparison.p_value is None


def test_graded_answers_are_compared_by_their_means(store: Ledger, put: Put, questions) -> None:
    asked = questions(8)
    old, new = [0.5, 0.2, 0.9, 0.4, 0.5, 0.6, 0.1, 0.3], [0.6, 0.2, 0.8, 0.7, 0.9, 0.6, 0.4, 0.2]
    (pair,) = compare_cells(store, [put("a", asked, old), put("b", asked, new)]).pairs
    assert pair.overall.comparison == stats.compare_means(new, old)


def test_the_bootstrap_agrees_with_the_analytic_interval(store: Ledger, put: Put, questions) -> None:
    asked = questions(300)
    cells = [put("a", asked, [RIGHT, WRONG] * 150), put("b", asked, [RIGHT, RIGHT, WRONG, RIGHT] * 75)]
    (pair,) = compare_cells(store, cells, resamples=4000, seed=3).pairs
    boot, interval = pair.overall.bootstrap, pair.overall.comparison.interval
    assert boot is not None and boot.interval.low is not None and interval.low is not None
    assert boot.interval.low == pytest.approx(interval.low, abs=0.02)
    assert all(d.bootstrap is not None for d in pair.of_kind("category"))


def test_one_cell_alone_is_refused(store: Ledger, put: Put, questions) -> None:
    with pytest.raises(DriftgateError, match="only one cell") as caught:
        compare_cells(store, [put("a", questions(3), [RIGHT] * 3)])
    assert "second run" in caught.value.remedy


def test_cells_of_different_datasets_are_refused(store: Ledger, put: Put, questions) -> None:
    other = put("b", questions(3, dataset="other"), [RIGHT] * 3, dataset="other")
    with pytest.raises(DriftgateError, match="no two of these cells are of one dataset"):
        compare_cells(store, [put("a", questions(3), [RIGHT] * 3), other])


def test_a_cell_of_another_dataset_is_named_as_standing_alone(store: Ledger, put: Put, questions) -> None:
    other = put("c", questions(3, dataset="other"), [RIGHT] * 3, dataset="other")
    cells = [put("a", questions(3), [RIGHT] * 3), put("b", questions(3), [WRONG] * 3), other]
    compared = compare_cells(store, cells)
    assert [entry.label for entry in compared.alone] == ["c"]


def test_a_subset_is_compared_with_its_whole_on_what_they_share(store: Ledger, put: Put, questions) -> None:
    asked = questions(40)
    cells = [put("a", asked, [WRONG] * 40), put("b", asked[:10], [RIGHT] * 10, dataset="small")]
    (dataset,) = compare_cells(store, cells).datasets
    assert dataset.dataset == "exam + small"
    assert dataset.pairs[0].overall.comparison.n == 10


def test_cells_are_named_by_what_differs(put: Put, questions) -> None:
    asked = questions(2)
    flows = [put(m, asked, [RIGHT] * 2, flow=f) for m in ("base", "tuned") for f in ("qa", "rag_qa")]
    assert labels(flows) == ["base · qa", "base · rag_qa", "tuned · qa", "tuned · rag_qa"]
    again = put("base", asked, [RIGHT] * 2, flow="qa")
    assert labels([flows[0], again]) == [f"base · {flows[0].run_id}", f"base · {again.run_id}"]


def test_the_newest_complete_cell_of_each_model_and_dataset_is_chosen(store: Ledger, put: Put, questions) -> None:
    asked = questions(4)
    put("a", asked, [RIGHT] * 4)
    newest = put("a", asked, [WRONG] * 4)
    for kind in ("canary", "parity", "attribution"):
        put("a", asked[:1], [WRONG], kind=kind)
    b = put("b", asked, [RIGHT] * 4, kind="import")
    proof = put("tuned", asked, [RIGHT] * 4, kind="proof")
    put("a", asked, [RIGHT] * 4, kind="proof")
    found = agreeing_cells(store, ["b", "a"], ["exam"])
    assert [cell.id for cell in found] == [b.id, newest.id]
    assert [cell.id for cell in agreeing_cells(store, ["tuned", "a"])] == [proof.id, newest.id]
    with pytest.raises(DriftgateError, match="no complete run has the model 'c'"):
        agreeing_cells(store, ["c"])


def test_cells_are_named_by_run_and_part(store: Ledger, put: Put, questions) -> None:
    cell = put("phi", questions(2), [RIGHT] * 2)
    assert [c.id for c in named_cells(store, [f"{cell.run_id}/phi"])] == [cell.id]
    assert [c.id for c in named_cells(store, ["latest/0", "latest"])] == [cell.id]
    with pytest.raises(DriftgateError, match="has no cell 'gpt'"):
        named_cells(store, ["latest/gpt"])
