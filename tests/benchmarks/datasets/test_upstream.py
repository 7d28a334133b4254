"""What is particular to each of the published datasets but KMMLU and CLIcK."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from driftgate.benchmarks.datasets.kobalt import split_question
from driftgate.flows.errors import DriftgateError


def test_haerae_categories_come_from_the_codes(build, load, tmp_path):
    dataset = load(build("haerae", tmp_path), tmp_path)
    assert {s.subset: (s.category, s.super_category) for s in dataset.samples} == {
        "KGK": ("General Knowledge", "General Knowledge"),
        "HI": ("History", "History"),
        "LW": ("Loan Words", "Vocabulary"),
        "RW": ("Rare Words", "Vocabulary"),
        "RC": ("Reading Comprehension", "Reading Comprehension"),
        "SN": ("Standard Nomenclature", "Vocabulary"),
    }
    assert {len(s.data["choices"]) for s in dataset.samples} == {5}
    assert [s.data["answer"] for s in dataset.samples[:2]] == ["A", "B"]


def test_hrm8k_answers_are_upstreams_text_and_questions_korean(build, load, tmp_path):
    dataset = load(build("hrm8k", tmp_path), tmp_path)
    assert {s.category: s.data["answer"] for s in dataset.samples} == {
        "GSM8K": "18.0",
        "MATH": "-3",
        "OMNI_MATH": "70,000.0",
        "MMMLU": "2",
        "KSM": r"\frac{1}{2}",
    }
    assert set(dataset.samples[0].data) == {"question", "answer"}
    assert dataset.samples[0].data["question"] == "gsm8k_test 0의 값은?"
    assert Counter(s.super_category for s in dataset.samples) == {"Prior Sets": 8, "Korean School Math": 2}


def test_kobalt_parts_the_question_from_ten_choices(build, load, tmp_path):
    dataset = load(build("kobalt", tmp_path), tmp_path)
    plain, dialogue = dataset.samples[:2]
    assert plain.data["question"] == "문제: 0번 문제는?"
    assert dialogue.data["question"].endswith("문제: 1번 문제는?")
    assert "B: 좀 전에 종 쳤어." in dialogue.data["question"]
    for sample in dataset.samples:
        assert sample.data["choices"] == [f"보기 {letter}" for letter in "ABCDEFGHIJ"]
    assert [s.data["answer"] for s in dataset.samples] == ["A", "C", "E", "G", "I"]
    assert [(s.category, s.super_category) for s in dataset.samples[:2]] == [
        ("Syntax", "Level 1"),
        ("Semantics", "Level 2"),
    ]
    assert dialogue.cluster == dataset.samples[3].cluster != "" == plain.cluster


def test_kobalt_levels(build, load, tmp_path):
    config = build("kobalt", tmp_path)
    whole = load(config, tmp_path)
    hard = load({**config, "levels": [3]}, tmp_path)
    assert [s.key for s in hard.samples] == [s.key for s in whole.samples if s.data["level"] == 3]


def test_kobalt_reads_its_earlier_revision_alike(build, load, tmp_path):
    config = build("kobalt", tmp_path)
    present = load(config, tmp_path)
    path = tmp_path / "data/train.jsonl"
    names = {
        "Class": "대분류",
        "Subclass": "소분류",
        "Question": "question",
        "Answer": "answer",
        "Level": "난이도",
        "Sampling_YN": "sampling_YN",
    }
    classes = {
        "Syntax": "통사론",
        "Semantics": "의미론",
        "Pragmatics": "화용론",
        "Phonetics/Phonology": "음성학/음운론",
        "Morphology": "형태론",
    }
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    earlier = [{names.get(key, key): classes.get(str(value), value) for key, value in row.items()} for row in rows]
    path.write_text(json.dumps(earlier, ensure_ascii=False, indent=2), encoding="utf-8")
    assert load(config, tmp_path).fingerprint == present.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Level": 4}, "is of the level '4'"),
        ({"Class": "Sintax"}, "did you mean 'Syntax'"),
        ({"Question": "문제: 보기가 없다"}, "has 0 choices"),
        ({"Question": "문제: ?\nA: 가\nB: 나\n", "Answer": "C"}, "has the answer 'C', which is none of its 2 choices"),
    ],
)
def test_kobalt_names_a_malformed_row(build, load, tmp_path, change, message):
    config = build("kobalt", tmp_path)
    path = tmp_path / "data/train.jsonl"
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    path.write_text(json.dumps({**first, **change}, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DriftgateError, match=message) as caught:
        load(config, tmp_path)
    assert "row 1 (line 1)" in str(caught.value)


def test_a_choice_may_span_lines_and_hold_a_colon():
    question, choices = split_question("문제: ?\n\nA: 갑: 몇 시?\n을: 두 시.\nB: 갑: 왜?\n을: 그냥.\n")
    assert question == "문제: ?"
    assert choices == ["갑: 몇 시?\n을: 두 시.", "갑: 왜?\n을: 그냥."]


def test_kormedmcqa_reads_parquet_and_takes_its_shots_from_fewshot(build, load, tmp_path):
    config = build("kormedmcqa", tmp_path)
    dataset = load(config, tmp_path)
    assert Counter(s.category for s in dataset.samples) == {"dentist": 3, "doctor": 3, "nurse": 3, "pharm": 3}
    assert dataset.samples[1].data["answer"] == "B"
    assert len(dataset.samples[0].data["choices"]) == 5
    assert {s.split for s in dataset.shots} == {"fewshot"}
    assert {s.split for s in load({**config, "split": "dev"}, tmp_path).samples} == {"dev"}


def test_a_broken_parquet_file_is_named(build, load, tmp_path):
    config = build("kormedmcqa", tmp_path)
    next(tmp_path.glob("nurse/test-*")).write_bytes(b"PAR1 no more")
    with pytest.raises(DriftgateError, match=r"nurse/test-.*is not valid Parquet"):
        load(config, tmp_path)


def test_kmmlu_redux_reads_the_number_of_the_right_option(build, load, tmp_path):
    dataset = load(build("kmmlu_redux", tmp_path), tmp_path)
    assert [s.data["answer"] for s in dataset.samples] == ["A", "B", "C"] * 2
    assert Counter(s.category for s in dataset.samples) == {"건설": 3, "전기.전자": 3}
    assert dataset.samples[0].data["choices"] == [f"건설 0의 보기 {place}" for place in "가나다라"]


def test_kmmlu_pro_has_questions_of_four_and_five_options_by_licence(build, load, tmp_path):
    dataset = load(build("kmmlu_pro", tmp_path), tmp_path)
    assert [(len(s.data["choices"]), s.data["answer"]) for s in dataset.samples] == [(4, "A"), (5, "B")] * 3
    assert {s.category: s.super_category for s in dataset.samples} == {
        "변호사": "Law",
        "의사": "Medicine",
        "새 자격": "Other",
    }
    assert (dataset.samples[0].data["subject"], dataset.samples[0].data["year"]) == ("민사법", "2024")


@pytest.mark.parametrize("kind", ["kmmlu_redux", "kmmlu_pro"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"solution": "6"}, "has the answer '6', which is none of its 4 choices"),
        ({"solution": None}, "has no answer"),
        ({"options": ["가"]}, "has 1 choices"),
        ({"options": "가, 나"}, "has text in column 'options' where a list is expected"),
        ({"question": " "}, "has nothing in column 'question'"),
    ],
)
def test_a_malformed_row_with_options_is_named(build, load, tmp_path, kind, change, message):
    row = {"question": "물음", "options": list("가나다라"), "solution": "1", "category": "건설"}
    row |= {"license_name": "의사", "subject": "총론", "year": 2024, **change}
    (tmp_path / "test.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DriftgateError, match=message) as caught:
        load({"kind": kind, "path": "."}, tmp_path)
    assert "row 1" in str(caught.value)


def test_kosimpleqa_asks_for_words_and_reads_either_layout(build, load, tmp_path):
    dataset = load(build("kosimpleqa", tmp_path), tmp_path)
    assert [(s.id, s.data["question"], s.data["answer"]) for s in dataset.samples][1] == (
        "1",
        "1번째 도시는?",
        "도시 1",
    )
    assert "choices" not in dataset.samples[0].data
    other = tmp_path / "other/data"
    other.mkdir(parents=True)
    rows = [{"problem": f"{n}번째 도시는?", "answer": f"도시 {n}", "topic": "지리"} for n in range(3)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (other / "test.jsonl").write_text(lines, encoding="utf-8")
    again = load({"kind": "kosimpleqa", "path": "other"}, tmp_path)
    assert [s.data["answer"] for s in again.samples] == [s.data["answer"] for s in dataset.samples]


def test_ifeval_ko_reads_instructions_with_the_parameters_that_are_given(build, load, tmp_path):
    samples = load(build("ifeval_ko", tmp_path), tmp_path).samples
    assert [(sample.id, sample.category) for sample in samples] == [
        ("1000", "punctuation"),
        ("1001", "several"),
        ("1002", "startend"),
    ]
    assert samples[1].data["instructions"] == [
        {"id": "keywords:existence", "parameters": {"keywords": ["봄"]}},
        {"id": "length_constraints:number_words", "parameters": {"num_words": 10, "relation": "at least"}},
    ]


@pytest.mark.parametrize(
    ("ids", "given", "message"),
    [
        (["punctuation:no_period"], [{}], "no check is known for the instruction 'punctuation:no_period'"),
        (["punctuation"], [{}], "no check is known for the instruction 'punctuation'"),
        (["style:polite"], [{}], "no check is known for the instruction 'style:polite'"),
        (["keywords:existence"], [{"keywords": None}], "has no 'keywords'"),
        (["keywords:existence"], [{"keywords": []}], "at its 'keywords'"),
        (["keywords:frequency"], [{"keyword": "봄", "frequency": 2, "relation": "about"}], "at its 'relation'"),
        (["length_constraints:number_words"], [{"num_words": -1, "relation": "at least"}], "at its 'num_words'"),
        (["punctuation:no_comma", "startend:quotation"], [{}], "2 instructions and 1 sets of parameters"),
        ([], [], "0 instructions"),
        ("punctuation:no_comma", [{}], "text in column 'instruction_id_list'"),
        (["punctuation:no_comma"], [None], "null for the instruction"),
    ],
)
def test_an_instruction_that_cannot_be_checked_is_named_by_row(load, tmp_path, ids, given, message):
    row = {"key": 1, "prompt": "쓰세요.", "instruction_id_list": ids, "kwargs": given}
    (tmp_path / "train.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(DriftgateError, match=message) as caught:
        load({"kind": "ifeval_ko", "path": "."}, tmp_path)
    assert "row 1" in str(caught.value)
