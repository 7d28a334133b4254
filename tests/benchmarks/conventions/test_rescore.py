"""What each convention makes of the same stored run, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from driftgate.benchmarks.conventions import CONVENTIONS, Convention, find_convention, rescore, score_difference
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.scores import score_cell
from driftgate.benchmarks.signature import parse_signature
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extraction import rule_set_id
from driftgate.ledger import CellRow, Ledger

MakeCell = Callable[..., CellRow]


def accuracy(ledger: Ledger, cell: CellRow, convention: str | Convention) -> tuple[float | None, int]:
    """Accuracy and its denominator."""
    chosen = find_convention(convention) if isinstance(convention, str) else convention
    row = rescore(ledger, cell, chosen).get()
    assert row is not None
    return row.value, row.n


def test_the_default_agrees_with_what_a_run_is_scored_as(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell(signature={"extract": rule_set_id(), "averaging": "micro"})
    scores = rescore(ledger, cell, find_convention("asked"))
    assert scores.signature == cell.signature
    assert scores.rows == [
        row for row in score_cell(ledger, cell).rows if "." not in row.metric or "share" in row.metric
    ]


def test_each_convention_divides_by_its_own_denominator(ledger: Ledger, make_cell: MakeCell) -> None:
    # Right: question 0; answered wrong: 1 and 7. Questions 5 and 6 failed and got lost.
    cell = make_cell()
    assert accuracy(ledger, cell, "asked") == (pytest.approx(1 / 8), 8)
    assert accuracy(ledger, cell, "published-ko") == (pytest.approx(1 / 6), 6)
    # Categories 0, 1 and 2 hold the questions 0, 3, 6 and 1, 4, 7 and 2, 5.
    assert accuracy(ledger, cell, "macro") == (pytest.approx((1 / 3 + 0 + 0) / 3), 8)


def test_log_probabilities_say_another_letter_than_the_reply(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell(["answered"] * 4)
    scores = rescore(ledger, cell, find_convention("lm-eval"))
    assert list(scores.frame["answer"]) == ["B"] * 4
    assert list(scores.frame["correct"]) == [0, 1, 0, 0]
    parts = parse_signature(scores.signature)
    assert (parts["scoring"], parts["extract"]) == ("logprobs", "letter-logprobs")


def test_a_run_scored_by_letters_is_read_by_letters_under_every_convention(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell(["answered"] * 4, signature={"scoring": "logprobs", "extract": "letter-logprobs"})
    scores = rescore(ledger, cell, find_convention("asked"))
    assert parse_signature(scores.signature)["extract"] == "letter-logprobs-0.1"
    assert list(scores.frame["answer"]) == ["B"] * 4 and set(scores.frame["rule"]) == {"logprobs"}


def test_without_log_probabilities_they_are_not_made_up(ledger: Ledger, make_cell: MakeCell) -> None:
    with pytest.raises(DriftgateError, match="log-probabilities of 0 of the 5 replies"):
        rescore(ledger, make_cell(first_token=False), find_convention("lm-eval"))
    with pytest.raises(DriftgateError, match="log-probabilities of 0 of the 5 replies"):
        rescore(ledger, make_cell(replies=False), find_convention("lm-eval"))


def test_replies_are_read_again_by_the_convention_s_rules(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell(["answered", "unparsed", "answered"])
    again = rescore(ledger, cell, find_convention("asked"))
    assert parse_signature(again.signature)["extract"] == rule_set_id()
    assert list(again.frame["rule"].fillna("")) == ["declared/letter", "none", "declared/letter"]
    as_run = rescore(ledger, cell, find_convention("published-ko"))
    assert parse_signature(as_run.signature)["extract"] == "old-rules:123456"


def test_without_stored_replies_the_run_s_own_answers_stand_and_the_signature_says_so(
    ledger: Ledger, make_cell: MakeCell
) -> None:
    scores = rescore(ledger, make_cell(replies=False), find_convention("asked"))
    assert parse_signature(scores.signature)["extract"] == "old-rules:123456"
    assert "stored no replies" in scores.notes[0]


def test_the_published_tables_judge_by_the_key_of_their_file(ledger: Ledger, make_cell: MakeCell) -> None:
    outcomes = ["answered"] * 4
    plain = make_cell(outcomes)
    key = rescore(ledger, plain, find_convention("asked")).frame["key"][1]
    cell = make_cell(outcomes, details={"recorded_keys": {key: "A"}})
    assert accuracy(ledger, cell, "asked") == (0.25, 4)
    assert accuracy(ledger, cell, "published-ko") == (0.5, 4)
    found = score_difference(ledger, cell, find_convention("asked"), find_convention("published-ko"))
    assert [(reason.text, reason.n) for reason in found.reasons] == [("judged by another right answer", 1)]


def test_every_differing_sample_has_one_reason(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell()
    found = score_difference(ledger, cell, find_convention("asked"), find_convention("published-ko"))
    assert {reason.text: reason.n for reason in found.reasons} == {
        "failed: counted by asked, dropped by published-ko": 1,
        "missing: counted by asked, dropped by published-ko": 1,
    }
    assert sum(reason.n for reason in found.reasons) == len(found.samples)
    back = score_difference(ledger, cell, find_convention("published-ko"), find_convention("asked"))
    assert {reason.text for reason in back.reasons} == {
        "failed: dropped by published-ko, counted by asked",
        "missing: dropped by published-ko, counted by asked",
    }


def test_reasons_account_for_the_whole_difference(ledger: Ledger, make_cell: MakeCell) -> None:
    cell = make_cell(["answered", "unparsed", "answered", "failed", "answered", None])
    before, after = Convention("run", "", reading="run"), Convention("strict", "", dropped=("failed", "unparsed"))
    found = score_difference(ledger, cell, before, after)
    rows = [scores.get() for scores in (found.before, found.after)]
    assert rows[0] is not None and rows[1] is not None
    assert rows[0].value is not None and rows[1].value is not None
    right_before = round(rows[0].value * rows[0].n) - sum(reason.right_before for reason in found.reasons)
    right_after = round(rows[1].value * rows[1].n) - sum(reason.right_after for reason in found.reasons)
    assert right_before == right_after
    assert rows[0].n - sum(r.counted_before for r in found.reasons) == rows[1].n - sum(
        r.counted_after for r in found.reasons
    )
    assert score_difference(ledger, cell, before, before).reasons == []


def test_an_unknown_convention_is_answered_with_the_nearest() -> None:
    with pytest.raises(DriftgateError, match="did you mean 'published_ko'"):
        find_convention("published-kor")


@pytest.mark.parametrize(("prompt", "noted"), [("둘은?\n정답：", False), ("둘은?\n답:", True)])
def test_a_prompt_that_ends_otherwise_than_the_harness_s_is_noted(
    ledger: Ledger, make_cell: MakeCell, prompt: str, noted: bool
) -> None:
    scores = rescore(ledger, make_cell(["answered"] * 4, prompt=prompt), find_convention("lm-eval"))
    assert bool(scores.notes) is noted
    assert not noted or "end in '답:', those of lm-eval in '정답：'" in scores.notes[0]


@pytest.mark.parametrize("named_by", ["key", "edition"])
def test_a_recorded_right_answer_counts_however_the_ledger_named_its_sample(
    ledger: Ledger, make_cell: MakeCell, samples: Callable[..., list[Sample]], named_by: str
) -> None:
    """Format 1 of the ledger named samples by what are editions today, and details of runs are never changed."""
    own = getattr(samples(4)[1], named_by)
    cell = make_cell(["answered"] * 4, details={"recorded_keys": {own: "A"}})
    convention = next(c for c in (find_convention(name) for name in CONVENTIONS.names()) if c.key == "recorded")
    assert list(rescore(ledger, cell, convention).frame["correct"]) == [1, 1, 0, 0]


def test_a_stored_run_is_read_by_either_rule_set(ledger: Ledger, make_cell: MakeCell) -> None:
    # The first letter is taken back: the earlier rules read A, the present ones the end.
    text = "A입니다. 아니, 정정합니다. B입니다.<|im_end|>"
    cell = make_cell(["answered"] * 4, said=text, signature={"extract": rule_set_id("ko-v1")})
    found = {name: rescore(ledger, cell, find_convention(name)) for name in ("asked", "asked-ko-v1", "asked-ko-v2")}
    assert set(found["asked-ko-v1"].frame["answer"]) == {"A"}
    assert set(found["asked"].frame["answer"]) == {"B"}
    read_by = {name: parse_signature(scores.signature)["extract"] for name, scores in found.items()}
    assert read_by == {
        "asked": rule_set_id("ko-v3"),
        "asked-ko-v1": rule_set_id("ko-v1"),
        "asked-ko-v2": rule_set_id("ko-v2"),
    }
