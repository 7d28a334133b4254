"""The error rate that docs/extractor.md states: of the present rules, and still true of the labelled replies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.perf.extractor_table import HELD_BACK, LABELS, LONG, extract_all, read_replies, with_labels
from driftgate.flows.extraction import DEFAULT, rule_set_id
from driftgate.flows.extraction.rules import RULE_SETS

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"


def test_the_documented_table_was_measured_with_the_present_rules() -> None:
    assert f"`{rule_set_id()}`" in (ROOT / "docs" / "extractor.md").read_text(encoding="utf-8")


def test_labels_are_letters_and_name_each_reply_once() -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str})
    assert set(labels.label) <= {"", *"ABCDE"}
    assert not labels.duplicated(["file", "row"]).any()
    assert labels.batch.isin(HELD_BACK).sum() >= 250
    assert labels.batch.isin(LONG).sum() >= 300


@pytest.fixture(scope="module")
def labelled() -> dict[str, pd.DataFrame]:
    """The labelled replies as each rule set reads them."""
    if not (DATA / "recorded").is_dir():
        pytest.skip("needs the recorded replies in ../shared/data")
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str})
    replies = read_replies(DATA).merge(labels[["file", "row"]], on=["file", "row"])
    read = {}
    for rule_set in RULE_SETS:
        found = [e.answer or "" for e in extract_all(replies, rule_set)]
        read[rule_set] = with_labels(replies.assign(found=found), labels)
        assert len(read[rule_set]) == len(labels)
    return read


def test_at_most_half_a_percent_of_the_labelled_replies_are_read_wrong(labelled: dict[str, pd.DataFrame]) -> None:
    read = labelled[DEFAULT]
    assert read.wrong.mean() <= 0.005
    assert read[read.batch.isin(HELD_BACK)].wrong.sum() == 0
    assert read.missed.mean() <= 0.05


@pytest.mark.parametrize("batch", LONG)
def test_of_the_long_answers_one_letter_in_100_is_wrong_and_one_abstention_in_10_needless(
    labelled: dict[str, pd.DataFrame], batch: int
) -> None:
    part = labelled[DEFAULT][lambda frame: frame.batch == batch]
    letters, silent = part[part.found != ""], part[part.found == ""]
    assert len(letters) >= 80 and len(silent) >= 50
    assert letters.wrong.mean() <= 0.01
    assert silent.missed.mean() <= 0.10


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5])
def test_a_new_rule_set_reads_no_batch_worse_than_the_earlier_one(
    labelled: dict[str, pd.DataFrame], batch: int
) -> None:
    new, *earlier = (labelled[name][lambda frame: frame.batch == batch] for name in (DEFAULT, "ko-v1", "ko-v2"))
    for old in earlier:
        assert new.wrong.sum() <= old.wrong.sum()
        assert new.missed.sum() <= old.missed.sum()


def test_a_reply_that_is_not_the_labelled_one_is_refused() -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str}).head(1)
    replies = labels[["file", "row"]].assign(response="another text", found="A")
    with pytest.raises(ValueError, match="1 labelled replies are missing or have another text"):
        with_labels(replies, labels)
