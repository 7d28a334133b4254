from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from driftgate.flows.errors import DriftgateError


def test_subset_is_the_file_and_category_the_usual_name(build, load, tmp_path):
    dataset = load(build("kmmlu", tmp_path), tmp_path)
    places = [(s.id, s.category, s.super_category) for s in dataset.samples if s.position == 1]
    assert places == [
        ("Accounting:1", "Accounting", "HUMSS"),
        ("korean-history:1", "Korean-History", "HUMSS"),
        ("math:1", "Math", "STEM"),
    ]


def test_data_is_the_question_its_choices_and_the_letter(build, load, tmp_path):
    dataset = load(build("kmmlu", tmp_path), tmp_path)
    assert dataset.samples[1].data == {
        "question": "Accounting 문제 1: 알맞은 것은?",
        "choices": ["Accounting 1의 보기 A", "Accounting 1의 보기 B", "Accounting 1의 보기 C", "Accounting 1의 보기 D"],
        "answer": "B",
    }


def test_shots_are_the_dev_split_of_the_same_subject(build, load, tmp_path):
    dataset = load(build("kmmlu", tmp_path), tmp_path)
    sample = next(s for s in dataset.samples if s.category == "Math")
    assert [example["question"] for example in dataset.examples(sample, 5)] == [
        "math 예시 문제 0: 알맞은 것은?",
        "math 예시 문제 1: 알맞은 것은?",
    ]


def test_the_local_folder_may_be_data_itself(build, load, tmp_path):
    config = build("kmmlu", tmp_path)
    whole = load(config, tmp_path)
    assert load({**config, "path": "data"}, tmp_path).fingerprint == whole.fingerprint


def test_asking_dev_leaves_no_shots(build, load, tmp_path):
    dataset = load({**build("kmmlu", tmp_path), "split": "dev"}, tmp_path)
    assert len(dataset.samples) == 6
    assert {s.split for s in dataset.samples} == {"dev"}
    assert not dataset.shots


def test_a_file_of_no_subject_is_refused(build, load, tmp_path):
    config = build("kmmlu", tmp_path)
    (tmp_path / "data/Biolgy-test.csv").write_text("question,answer,A,B,C,D\n", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"Biolgy-test\.csv.*did you mean 'Biology'"):
        load(config, tmp_path)


def test_an_answer_beyond_the_choices_names_file_and_row(build, load, tmp_path):
    config = build("kmmlu", tmp_path)
    path = tmp_path / "data/math-test.csv"
    path.write_text("question,answer,A,B,C,D\n1+1?,2,1,2,3,4\n1+2?,5,1,2,3,4\n", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"math-test\.csv row 2 \(line 3\) has the answer '5'"):
        load(config, tmp_path)


def test_kmmlu_hard_uses_the_same_names_for_categories(build, load, tmp_path):
    dataset = load(build("kmmlu_hard", tmp_path), tmp_path)
    assert Counter((s.subset, s.category) for s in dataset.samples) == {
        ("accounting", "Accounting"): 4,
        ("political_science_and_sociology", "Political-Science-and-Sociology"): 4,
    }
    assert len(dataset.shots) == 4


def test_real_counts(real_data: Path, load):
    dataset = load({"kind": "kmmlu", "path": "kmmlu"}, real_data)
    assert len(dataset.samples) == len({s.key for s in dataset.samples}) == 35_030
    assert len(dataset.shots) == 225
    assert set(Counter(s.category for s in dataset.shots).values()) == {5}
    assert len({s.category for s in dataset.samples}) == 45


def test_real_answers_are_those_of_a_published_run(real_data: Path, load):
    dataset = load({"kind": "kmmlu", "path": "kmmlu"}, real_data)
    ours: dict[str, list[str]] = {}
    for sample in dataset.samples:
        ours.setdefault(sample.category, []).append(sample.data["answer"])
    theirs: dict[str, list[str]] = {}
    with (real_data / "recorded/[KMMLU] phi-3-5-moe-instruct.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            theirs.setdefault(row["category"], []).append(row["answer"])
    assert ours == theirs


def test_real_super_categories_are_the_published_ones(real_data: Path, load):
    published = json.loads((real_data / "recorded/mapping/kmmlu_category.json").read_text(encoding="utf-8"))
    dataset = load({"kind": "kmmlu", "path": "kmmlu/data"}, real_data)
    assert {s.category: s.super_category for s in dataset.samples} == published


def test_real_dev_questions_that_are_also_asked(real_data: Path, load):
    """Upstream's own overlap; were it to grow, few-shot scores would be less clean than we say."""
    dataset = load({"kind": "kmmlu", "path": "kmmlu"}, real_data)
    asked = {(s.subset, s.asked) for s in dataset.samples}
    assert [s.subset for s in dataset.shots if (s.subset, s.asked) in asked] == ["korean-history"]


def test_a_question_is_never_its_own_example(build, load, tmp_path):
    dataset = load(build("kmmlu", tmp_path), tmp_path)
    shot = dataset.shots[0]
    assert shot.data not in dataset.examples(shot, 50)
