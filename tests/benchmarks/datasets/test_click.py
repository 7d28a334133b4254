from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from driftgate.flows.errors import DriftgateError


def test_category_comes_from_the_file_and_the_answer_from_the_choices(build, load, tmp_path):
    dataset = load(build("click", tmp_path), tmp_path)
    law = next(s for s in dataset.samples if s.subset == "Law_KIIP")
    assert (law.category, law.super_category, law.id) == ("Law", "Culture", "KIIP_law_1")
    assert law.data == {"question": "법을 만드는 곳은?", "choices": ["국회", "법원"], "answer": "A"}


def test_questions_on_one_passage_share_a_cluster(build, load, tmp_path):
    dataset = load(build("click", tmp_path), tmp_path)
    on_passage = [s for s in dataset.samples if "passage" in s.data]
    assert [s.data["answer"] for s in on_passage] == ["C", "E"]
    assert len({s.cluster for s in on_passage}) == 1
    assert all(s.cluster for s in on_passage)
    assert {s.cluster for s in dataset.samples if "passage" not in s.data} == {""}


def test_one_id_in_two_files_makes_two_keys(build, load, tmp_path):
    dataset = load(build("click", tmp_path), tmp_path)
    twice = [s for s in dataset.samples if s.id == "Kedu_16_1"]
    assert [s.subset for s in twice] == ["Functional_Kedu", "Grammar_Kedu"]
    assert len({s.asked for s in twice}) == 1
    assert len({s.key for s in twice}) == 2


def test_the_local_folder_may_be_dataset_itself(build, load, tmp_path):
    config = build("click", tmp_path)
    whole = load(config, tmp_path)
    assert load({**config, "path": "Dataset"}, tmp_path).fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "대법원"}, "row 1 has the answer '대법원', which is none of its 2 choices"),
        ({"answer": ""}, "row 1 has no answer"),
        ({"choices": ["국회", "국회 "]}, "could mean A or B"),
        ({"choices": ["국회"]}, "row 1 has 1 choices"),
        ({"choices": "국회, 법원"}, "row 1 has 0 choices"),
        ({"question": " "}, "row 1 has nothing in column 'question'"),
    ],
)
def test_a_malformed_row_is_named(build, load, tmp_path, change, message):
    config = build("click", tmp_path)
    path = tmp_path / "Dataset/Culture/Korean Law/Law_KIIP.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps([{**rows[0], **change}], ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DriftgateError, match=message) as caught:
        load(config, tmp_path)
    assert "Law_KIIP.json" in caught.value.message
    assert caught.value.remedy


def test_real_counts(real_data: Path, load):
    dataset = load({"kind": "click", "path": "click"}, real_data)
    assert len(dataset.samples) == len({s.key for s in dataset.samples}) == 1_995
    assert len({s.id for s in dataset.samples}) == 1_987
    assert len({s.category for s in dataset.samples}) == 11
    assert Counter(len(s.data["choices"]) for s in dataset.samples) == {4: 1_739, 5: 256}
    assert sum("passage" in s.data for s in dataset.samples) == 353
    assert not dataset.shots


def test_real_answers_are_those_of_a_published_run(real_data: Path, load):
    """All but one, whose key upstream corrected between the run and the files."""
    dataset = load({"kind": "click", "path": "click"}, real_data)
    ours = Counter((s.id, s.data["answer"]) for s in dataset.samples)
    with (real_data / "recorded/[CLIcK] phi-3-5-moe-instruct.csv").open(encoding="utf-8-sig", newline="") as file:
        theirs = Counter((row["id"], row["answer"]) for row in csv.DictReader(file))
    assert ours - theirs == {("Kedu_history_23", "A"): 1}
    assert theirs - ours == {("Kedu_history_23", "B"): 1}
