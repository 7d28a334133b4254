"""A team's own questions: kinds ``csv`` and ``jsonl``."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.errors import DriftgateError, seen
from driftgate.flows.text import composed

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(lambda s: s.strip())


def asked(question: str) -> str:
    """What two questions that count as one have in common."""
    return unicodedata.normalize("NFC", question.strip())


def own(load, folder, text, name="q.csv", **config):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load({"kind": name.split(".")[-1], "path": name, **config}, folder)


LETTERED = {"columns": {"choices": ["A", "B", "C"]}}


@pytest.mark.parametrize("answer", ["B", "b", "(B)", "2", "2.0", " 부산 "])
def test_an_answer_may_be_a_letter_a_number_or_the_choice(load, tmp_path, answer):
    dataset = own(load, tmp_path, f"question,answer,A,B,C\n어디?,{answer},서울,부산,대구\n", **LETTERED)
    assert dataset.samples[0].data == {"question": "어디?", "choices": ["서울", "부산", "대구"], "answer": "B"}


def test_an_answer_that_could_be_read_in_two_ways_asks_how(load, tmp_path):
    text = "question,answer,A,B,C\n하나 더하기 하나는?,2,3,4,2\n"
    with pytest.raises(DriftgateError, match=r"row 1 \(line 2\) has the answer '2', which could mean B or C") as caught:
        own(load, tmp_path, text, **LETTERED)
    assert "answer_as" in caught.value.remedy
    assert own(load, tmp_path, text, **LETTERED, answer_as="text").samples[0].data["answer"] == "C"
    assert own(load, tmp_path, text, **LETTERED, answer_as="number").samples[0].data["answer"] == "B"


def test_choices_in_one_column_are_a_json_list(load, tmp_path):
    text = 'question,options,answer\n"어디, 어디?","[""서울"", ""부산""]",부산\n'
    dataset = own(load, tmp_path, text, columns={"choices": "options"})
    assert dataset.samples[0].data == {"question": "어디, 어디?", "choices": ["서울", "부산"], "answer": "B"}
    with pytest.raises(DriftgateError, match="has no list in column 'options'"):
        own(load, tmp_path, "question,options,answer\n어디?,서울 부산,부산\n", columns={"choices": "options"})


def test_questions_may_have_fewer_choices_than_columns(load, tmp_path):
    dataset = own(load, tmp_path, "question,answer,A,B,C\n둘?,B,가,나,\n셋?,C,가,나,다\n", **LETTERED)
    assert [len(s.data["choices"]) for s in dataset.samples] == [2, 3]
    with pytest.raises(DriftgateError, match="has no text for choice B"):
        own(load, tmp_path, "question,answer,A,B,C\n둘?,C,가,,나\n", **LETTERED)


def test_without_choices_the_answer_is_text(load, tmp_path):
    dataset = own(
        load, tmp_path, '{"question": "값은?", "answer": 0.5}\n{"question": "수도는?", "answer": "서울"}', "q.jsonl"
    )
    assert [s.data["answer"] for s in dataset.samples] == ["0.5", "서울"]


def test_named_columns_are_mapped_and_further_ones_kept(load, tmp_path):
    rows = [
        {
            "q": f"{n}?",
            "gold": "A",
            "opts": ["가", "나"],
            "no": n,
            "part": "p",
            "whole": "w",
            "text": "글",
            "source": [1],
        }
        for n in range(2)
    ]
    columns = {
        "question": "q",
        "answer": "gold",
        "choices": "opts",
        "id": "no",
        "category": "part",
        "super_category": "whole",
        "passage": "text",
    }
    text = "\n".join(json.dumps(row) for row in rows)
    sample, other = own(load, tmp_path, text, "q.jsonl", columns=columns).samples
    assert (sample.id, sample.category, sample.super_category) == ("0", "p", "w")
    assert sample.data == {"question": "0?", "choices": ["가", "나"], "answer": "A", "passage": "글", "source": [1]}
    assert sample.cluster == other.cluster != ""


def test_columns_of_the_usual_names_need_no_mapping(load, tmp_path):
    row = {"question": "?", "choices": ["가", "나"], "answer": "나", "id": "x1", "category": "c", "cluster": "k"}
    (sample,) = own(load, tmp_path, json.dumps(row), "q.jsonl").samples
    assert (sample.id, sample.category, sample.cluster, sample.data["answer"]) == ("x1", "c", "k", "B")


def test_without_a_category_the_file_is_the_category(load, tmp_path):
    (sample,) = own(load, tmp_path, "question,answer\n?,!\n", "faq.csv").samples
    assert (sample.category, sample.subset, sample.id) == ("faq", "faq", "faq:0")


def test_a_column_that_would_be_overwritten_is_refused(load, tmp_path):
    with pytest.raises(DriftgateError, match=r"has a column 'question', but columns\.question names another"):
        own(load, tmp_path, "question,q,answer\na,b,c\n", columns={"question": "q"})


def test_decomposed_text_is_read_as_composed(load, tmp_path):
    text = "question,answer\n한글은?,예\n"
    composed = own(load, tmp_path, text)
    assert own(load, tmp_path, unicodedata.normalize("NFD", text)).samples == composed.samples


def test_a_byte_order_mark_changes_nothing(load, tmp_path):
    text = "question,answer\n한글은?,예\n"
    assert own(load, tmp_path, b"\xef\xbb\xbf" + text.encode()).samples == own(load, tmp_path, text).samples


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("q.csv", "question,answer\na,b\nc,\n", r"q\.csv row 2 \(line 3\) has nothing in column 'answer'"),
        ("q.csv", "question,answer\na,b\n,d\n", r"row 2 \(line 3\) has nothing in column 'question'"),
        ("q.csv", 'question,answer\n"a\na",b\n\nc\n', r"row 2 \(line 5\) has 1 fields where the header has 2"),
        ("q.csv", 'question,answer\na,b\n"c,d\n', r"row 2 \(line 3\) is not valid CSV"),
        ("q.csv", "question,answer\na,b\nc,d\na,e\n", r"row 3 \(line 4\) asks the same as row 1 \(line 2\)"),
        ("q.csv", "question,choices\na,b\n", r"q\.csv has no column 'answer'"),
        ("q.csv", "question,answer,answer\na,b,c\n", "has two columns called 'answer'"),
        ("q.csv", "question,answer,category\na,b,\n", "has nothing in column 'category'"),
        ("q.csv", "", r"q\.csv has no rows"),
        ("q.csv", "question,answer\n", r"q\.csv has no rows"),
        (
            "q.csv",
            b"question,answer\na,b\n" + "한글,예\n".encode("cp949"),
            r"q\.csv line 3 is not UTF-8; it looks like CP949",
        ),
        ("q.jsonl", "", r"q\.jsonl has no rows"),
        ("q.jsonl", '{"question": "a", "answer": "b"}\n\n{"question"\n', r"row 2 \(line 3\) is not valid JSON"),
        (
            "q.jsonl",
            '{"question": "a", "answer": "b"}\n7\n',
            r"row 2 \(line 2\) is a number where an object is expected",
        ),
        ("q.jsonl", '{"question": "a", "answer": NaN}\n', r"row 1 \(line 1\).*'NaN' is not a JSON number"),
        ("q.jsonl", '{"question": "a", "answer": ["b"]}\n', "has a list in column 'answer' where text is expected"),
        (
            "q.jsonl",
            '{"question": "a", "answer": "b"}\n{"question": "c"}\n',
            r"row 2 \(line 2\) has no column 'answer'",
        ),
    ],
)
def test_a_malformed_file_names_file_row_and_remedy(load, tmp_path, name, text, message):
    with pytest.raises(DriftgateError, match=message) as caught:
        own(load, tmp_path, text, name)
    assert caught.value.remedy


def test_an_answer_among_no_choices_names_row_and_choices(load, tmp_path):
    with pytest.raises(DriftgateError, match=r"row 1 \(line 2\) has the answer 'D', which is none of its 3 choices"):
        own(load, tmp_path, "question,answer,A,B,C\n어디?,D,서울,부산,대구\n", **LETTERED)
    with pytest.raises(DriftgateError, match=r"row 1 \(line 2\) has no answer"):
        own(load, tmp_path, "question,answer,A,B,C\n어디?,,서울,부산,대구\n", **LETTERED)


def test_a_misspelt_column_is_answered_with_the_nearest(load, tmp_path):
    with pytest.raises(DriftgateError, match="did you mean 'question'"):
        own(load, tmp_path, "question,answer\na,b\n", columns={"question": "qestion"})


def test_the_same_question_with_another_passage_is_another_question(load, tmp_path):
    assert len(own(load, tmp_path, "question,answer,passage\n누구?,나,글 1\n누구?,너,글 2\n").samples) == 2


def test_a_shot_that_is_also_asked_is_refused(load, tmp_path):
    (tmp_path / "shots.csv").write_text("question,answer\nc,d\na,b\n", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"shots\.csv row 2 \(line 3\) asks the same as .*q\.csv row 1 \(line 2\)"):
        own(load, tmp_path, "question,answer\na,b\n", shots_path="shots.csv")


def test_a_file_of_the_other_kind_is_named(load, tmp_path):
    (tmp_path / "q.csv").write_text("question,answer\na,b\n", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"q\.csv is not a \.jsonl file"):
        load({"kind": "jsonl", "path": "q.csv"}, tmp_path)


@given(questions=st.lists(PLAIN, min_size=1, max_size=5, unique_by=asked), kind=st.sampled_from(["csv", "jsonl"]))
def test_whatever_is_written_is_read_back(tmp_path_factory, questions, kind):
    folder = tmp_path_factory.mktemp("round")
    rows = [{"question": question, "answer": question} for question in questions]
    if kind == "csv":
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, ["question", "answer"])
        writer.writeheader()
        writer.writerows(rows)
        text = out.getvalue()
    else:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / f"q.{kind}").write_bytes(text.encode())
    dataset = load_dataset("mine", parse_config({"kind": kind, "path": f"q.{kind}"}), folder)
    read = [{name: composed(text) for name, text in row.items()} for row in rows]
    assert [dict(sample.data) for sample in dataset.samples] == read


@example(junk=b'{" ":"","":[]}', kind="jsonl")
@given(junk=st.binary(max_size=60), kind=st.sampled_from(["csv", "jsonl", "parquet"]))
def test_no_file_ends_in_another_error(tmp_path_factory, junk, kind):
    folder = tmp_path_factory.mktemp("junk")
    (folder / f"q.{kind}").write_bytes(junk)
    with suppress(DriftgateError):
        dataset = load_dataset("mine", parse_config({"kind": kind, "path": f"q.{kind}"}), folder)
        assert all(any(map(seen, sample.data)) for sample in dataset.samples)
