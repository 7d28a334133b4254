"""The error rate that docs/extractor.md states: of the present rules, and still true of the labelled replies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.perf.extractor_table import HELD_BACK, LABELS, extract_all, read_replies, with_labels
from driftgate.flows.extraction import rule_set_id

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"


def test_the_documented_table_was_measured_with_the_present_rules() -> None:
    assert f"`{rule_set_id()}`" in (ROOT / "docs" / "extractor.md").read_text(encoding="utf-8")


def test_labels_are_letters_and_name_each_reply_once() -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str})
    assert set(labels.label) <= {"", *"ABCDE"}
    assert not labels.duplicated(["file", "row"]).any()
    assert (labels.batch == HELD_BACK).sum() >= 100


@pytest.mark.skipif(not (DATA / "recorded").is_dir(), reason="needs the recorded replies in ../shared/data")
def test_at_most_half_a_percent_of_the_labelled_replies_are_read_wrong() -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str})
    replies = read_replies(DATA).merge(labels[["file", "row"]], on=["file", "row"])
    replies = replies.assign(found=[e.answer or "" for e in extract_all(replies)])
    labelled = with_labels(replies, labels)
    assert len(labelled) == len(labels)
    assert labelled.wrong.mean() <= 0.005
    assert labelled[labelled.batch == HELD_BACK].wrong.sum() == 0
    assert labelled.missed.mean() <= 0.06


def test_a_reply_that_is_not_the_labelled_one_is_refused() -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False, dtype={"label": str}).head(1)
    replies = labels[["file", "row"]].assign(response="another text", found="A")
    with pytest.raises(ValueError, match="1 labelled replies are missing or have another text"):
        with_labels(replies, labels)
