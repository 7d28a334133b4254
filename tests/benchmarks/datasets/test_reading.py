"""What stands in files as Korean spreadsheets, macOS and other programs write them."""

from __future__ import annotations

import importlib
import json
import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from driftgate.benchmarks.datasets import parse_config
from driftgate.flows.errors import DriftgateError

HEADER = "question,A,B,C,D,answer\n"
ROW = "수도는?,서울,부산,대구,인천,1\n"
DATA = {"question": "수도는?", "choices": ["서울", "부산", "대구", "인천"], "answer": "A"}
COLUMNS = {"choices": ["A", "B", "C", "D"]}


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.fixture
def read(load, tmp_path):
    """``read(content, name, ...)`` writes a file and reads it as a team's own."""

    def read(content, name="q.csv", **config):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return load({"kind": name.split(".")[-1], "path": name, "columns": COLUMNS, **config}, tmp_path)

    return read


# --- encodings ---


@pytest.mark.parametrize(
    ("encoding", "setting"),
    [
        ("cp949", "cp949"),
        ("cp949", "CP949"),
        ("euc-kr", "euc-kr"),
        ("euc-kr", "cp949"),
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16", None),  # its byte order mark says so
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", None),
        ("johab", "johab"),
    ],
)
def test_a_file_is_read_in_its_encoding(read, encoding, setting):
    given = {"encoding": setting} if setting else {}
    assert read((HEADER + ROW).encode(encoding), **given).samples[0].data == DATA
    row = json.dumps({**DATA, "answer": "서울"}, ensure_ascii=False)
    assert read(row.encode(encoding), "q.jsonl", columns={}, **given).samples[0].data == DATA


def test_shots_are_read_in_the_same_encoding(read, tmp_path):
    (tmp_path / "shots.csv").write_bytes((HEADER + ROW.replace("수도", "도시")).encode("cp949"))
    dataset = read((HEADER + ROW).encode("cp949"), encoding="cp949", shots_path="shots.csv")
    assert dataset.shots[0].data["question"] == "도시는?"


@pytest.mark.parametrize(
    ("content", "setting", "found", "remedy"),
    [
        ((HEADER + ROW).encode("cp949"), None, "line 2 is not UTF-8; it looks like CP949", "encoding: cp949"),
        ((HEADER + ROW).encode("utf-16-le"), None, "looks like UTF-16-LE", "encoding: utf-16-le"),
        ((HEADER + "a?,b,c,d,e,1\n").encode("utf-16-be"), None, "looks like UTF-16-BE", "encoding: utf-16-be"),
        ((HEADER + ROW).encode(), "cp949", "is UTF-8, though encoding is cp949", "leave encoding out"),
        ((HEADER + ROW).encode(), "utf-16", "is UTF-8, though encoding is utf-16", "leave encoding out"),
        (b"question,answer\na?,b\n", "utf-16-le", "is UTF-8, though encoding is utf-16-le", "leave encoding out"),
        ((HEADER + ROW).encode("utf-8-sig"), "cp949", "byte order mark of UTF-8", "leave encoding out"),
        ((HEADER + ROW).encode("utf-16"), "cp949", "byte order mark of UTF-16", "leave encoding out"),
        (b"\xfe\xff" + (HEADER + ROW).encode("utf-16-be"), "utf-16-le", "the other order", "leave encoding out"),
        # 똠 is in CP949 and not in EUC-KR
        ((HEADER + ROW.replace("서울", "똠방")).encode("cp949"), "euc-kr", "looks like CP949", "encoding: cp949"),
        # half of a UTF-8 file is damaged UTF-8, whatever CP949 makes of it
        ((HEADER + ROW + ROW.replace("수도", "도시")).encode() + b"\xb0\xa1", None, "line 4 is not UTF-8", "cp949"),
        (HEADER.encode() + b"\xb0" + ROW.encode() * 3, None, "line 2 is not UTF-8", "for example encoding: cp949"),
        (HEADER.encode() + b"\x93quoted\x94?,a,b,c,d,1\n", None, "line 2 is not UTF-8", "for example encoding: cp949"),
    ],
)
def test_another_encoding_is_named(read, content, setting, found, remedy):
    with pytest.raises(DriftgateError) as caught:
        read(content, **({"encoding": setting} if setting else {}))
    assert found in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("name", ["cp494", "base64", "", "rot13"])
def test_an_encoding_that_is_none_is_refused(name):
    with pytest.raises(ValidationError, match="is no encoding; for example utf-8, cp949"):
        parse_config({"kind": "csv", "path": "q.csv", "encoding": name})


def test_a_published_dataset_has_no_encoding_to_set_and_is_not_told_to(load, tmp_path):
    (tmp_path / "Law-test.csv").write_bytes("question,answer,A,B,C,D\n수도는?,1,가,나,다,라\n".encode("cp949"))
    with pytest.raises(DriftgateError, match="looks like CP949") as caught:
        load({"kind": "kmmlu", "path": "."}, tmp_path)
    assert caught.value.remedy == "save the file as UTF-8"


# --- spreadsheets ---


@pytest.mark.parametrize("said", ["sep=;\n", "sep=;\r\n", '"sep=;"\r\n', "\ufeffsep=;\n", "SEP=;\n"])
def test_the_separator_that_a_spreadsheet_says_is_taken(read, said):
    text = said + (HEADER + ROW).replace(",", ";").replace("수도는?", '"수도는, 어디?"')
    assert read(text).samples[0].data["question"] == "수도는, 어디?"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_separator_that_nobody_says_is_seen_in_the_header(read, separator):
    text = (HEADER + ROW).replace(",", separator)
    assert read(text).samples[0].data == DATA
    # a "Unicode text" of Excel: UTF-16 with tabs
    assert read(text.encode("utf-16")).samples[0].data == DATA


def test_a_comma_that_parts_the_header_stays_the_separator(read):
    text = "question;note,answer\n수도는?;메모,서울\n"
    assert read(text, columns={"question": "question;note"}).samples[0].data == {
        "question": "수도는?;메모",
        "answer": "서울",
    }


def test_lines_are_counted_from_the_first_line_of_the_file(read):
    with pytest.raises(DriftgateError, match=r"row 2 \(line 4\) has 1 fields"):
        read("sep=,\n" + HEADER + ROW + "수도는?\n")


# --- decomposed text ---


def test_columns_categories_answers_and_files_are_the_same_in_either_form(load, tmp_path):
    rows = "문제,가,나,정답,분야\n수도는?,서울,부산,서울,지리\n"
    columns = {"question": "문제", "choices": ["가", "나"], "answer": "정답", "category": "분야"}
    (tmp_path / nfd("문제.csv")).write_text(nfd(rows), encoding="utf-8")
    dataset = load({"kind": "csv", "path": "문제.csv", "columns": columns, "categories": ["지리"]}, tmp_path)
    (sample,) = dataset.samples
    assert dict(sample.data) == {"question": "수도는?", "choices": ["서울", "부산"], "answer": "A"}
    assert (sample.category, sample.subset) == ("지리", "문제")


def test_an_answer_and_its_choice_may_be_in_two_forms(read):
    text = f"question,A,B,answer\n{nfd('수도는?')},{nfd('서울')},부산,서울\nB는?,{nfd('가')},나,{nfd('나')}\n"
    dataset = read(text, columns={"choices": ["A", "B"]})
    assert [sample.data["answer"] for sample in dataset.samples] == ["A", "B"]


def test_one_column_in_both_forms_is_two_of_a_name(read):
    for content, name in (
        (f"question,answer,분야,{nfd('분야')}\na,b,c,d\n", "q.csv"),
        (json.dumps({"question": "a", "answer": "b", "분야": "c", nfd("분야"): "d"}), "q.jsonl"),
    ):
        with pytest.raises(DriftgateError, match="has two columns called '분야'"):
            read(content, name, columns={})


def test_what_nobody_decomposed_is_asked_as_it_stands(read):
    # U+F914 and U+212B: NFC would ask another character than the file holds
    (sample,) = read(json.dumps({"question": "\uf914 \u212b o\u0308", "answer": "예"}), "q.jsonl", columns={}).samples
    assert sample.data["question"] == "\uf914 \u212b ö"


# --- lone surrogates ---


@pytest.mark.parametrize(
    "content",
    [
        '{"question": "좋아요 \\ud83d", "answer": "예", "more": {"\\ude0a": ["\\ude0a"]}}'.encode(),
        '{"question": "좋아요 \ud83d", "answer": "예"}'.encode("utf-8", "surrogatepass"),
        '{"question": "좋아요 \ud83d", "answer": "예"}'.encode("utf-16", "surrogatepass"),
    ],
)
def test_half_a_character_is_replaced(read, content):
    (sample,) = read(content, "q.jsonl", columns={}).samples
    assert sample.data["question"] == "좋아요 \ufffd"
    json.dumps(dict(sample.data), ensure_ascii=False).encode()


def test_half_a_character_in_a_list_within_a_csv_is_replaced(read):
    text = 'question,choices,answer\n수도는?,"[""서울 \\ud83d"", ""부산""]",2\n'
    assert read(text, columns={}).samples[0].data["choices"] == ["서울 \ufffd", "부산"]


def test_two_halves_are_joined(read):
    content = "question,answer\n좋아요 \ud83d\ude0a,예\n".encode("utf-8", "surrogatepass")  # as Java and Oracle write
    assert read(content, columns={}).samples[0].data["question"] == "좋아요 😊"


# --- answer keys ---

CHOICES = ["서울", "부산", "대구", "인천"]


@pytest.mark.parametrize(
    "answer",
    [
        *("②", "❷", "➁", "⓶", "⑵", "⒉", "Ⅱ", "ⅱ"),
        *("2번", "2 번", "2.", "2)", "(2)", "２", "②번", " 2 ", "2.0"),
        *("B)", "b)", "B.", "(B)", "[B]", "Ｂ", "ⓑ", "B번"),
        *("나", "나)", "(나)", "나.", "㉯", "㈏", "ㄴ", "㉡"),
        *("정답: ②", "답 ②", "정답은 2번", "Answer: B"),
        *("② 부산", "2. 부산", "B) 부산", "②부산", "나. 부산"),
    ],
)
def test_answer_keys_are_read_as_exams_write_them(read, answer):
    (sample,) = read(f"question,A,B,C,D,answer\n수도는?,{','.join(CHOICES)},{answer}\n").samples
    assert sample.data["answer"] == "B"
    (sample,) = read(
        json.dumps({"question": "수도는?", "choices": [nfd(c) for c in CHOICES], "answer": nfd(answer)}),
        "q.jsonl",
        columns={},
    ).samples
    assert sample.data["answer"] == "B"


@pytest.mark.parametrize(
    "answer", ["⑤", "5번", "마", "E)", "0", "② 서울", "2번째", "나라", "2.5", "①②", "A or B", "-2"]
)
def test_what_means_none_of_the_choices_is_refused(read, answer):
    with pytest.raises(DriftgateError, match=r"row 1 \(line 2\) has the answer '.*', which is none of its 4 choices"):
        read(f"question,A,B,C,D,answer\n수도는?,{','.join(CHOICES)},{answer}\n")


def test_a_label_that_is_also_another_choices_text_asks_how(read):
    text = "question,A,B,C,D,answer\n둘째는?,나,가,다,라,가\n"
    with pytest.raises(DriftgateError, match="could mean A or B"):
        read(text)
    assert read(text, answer_as="text").samples[0].data["answer"] == "B"
    assert read(text, answer_as="letter").samples[0].data["answer"] == "A"


# --- Parquet ---


def test_parquet_columns_become_what_json_has(read, tmp_path):
    pyarrow = importlib.import_module("pyarrow")
    rows = [
        {
            "question": nfd("수도는?"),
            "choices": ["서울", "부산"],
            "answer": 2.0,
            "seen": date(2026, 7, 1),
            "price": Decimal("1.50"),
            "raw": b"\xea\xb0\x80",
            "share": float("nan"),
            "more": {"가": [1]},
        }
    ]
    importlib.import_module("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), tmp_path / "q.parquet")
    (sample,) = read((tmp_path / "q.parquet").read_bytes(), "q.parquet", columns={}).samples
    assert sample.data == {
        "question": "수도는?",
        "choices": ["서울", "부산"],
        "answer": "B",
        "seen": "2026-07-01",
        "price": "1.50",
        "raw": "가",
        "share": None,
        "more": {"가": [1]},
    }


def test_parquet_and_csv_of_one_content_are_the_same_samples(load, build, tmp_path):
    one, other = (load(build(kind, tmp_path), tmp_path) for kind in ("csv", "parquet"))
    assert [sample.data for sample in one.samples] == [sample.data for sample in other.samples]
    with pytest.raises(ValidationError, match="encoding"):
        parse_config({"kind": "parquet", "path": "q.parquet", "encoding": "cp949"})


# --- cases of others ---


@pytest.mark.parametrize(
    ("case", "config"),
    [
        ("nfd_answer_and_header/answer.csv", {"columns": COLUMNS}),
        (
            "nfd_answer_and_header/header.csv",
            {"columns": {"question": "문제", "choices": ["가", "나", "다", "라"], "answer": "정답"}},
        ),
        ("lone_surrogate/cut.jsonl", {}),
        ("excel_cp949/cp949.csv", {"columns": COLUMNS, "encoding": "cp949"}),
        ("excel_cp949/utf16.csv", {"columns": COLUMNS}),
        ("excel_cp949/utf16.csv", {"columns": COLUMNS, "encoding": "utf-16"}),
        ("excel_cp949/sep.csv", {"columns": COLUMNS}),
        ("korean_answer_keys/beon.csv", {"columns": COLUMNS}),
        ("korean_answer_keys/circled.csv", {"columns": COLUMNS}),
        ("korean_answer_keys/paren.csv", {"columns": COLUMNS}),
    ],
)
def test_files_that_failed_for_others_are_read(load, cases, case, config):
    (sample,) = load({"kind": case.split(".")[-1], "path": case, **config}, cases).samples
    assert sample.data["answer"] == "A"
    assert all("가" <= choice[0] <= "힣" for choice in sample.data["choices"])


def test_cp949_without_its_setting_is_told_how(load, cases):
    with pytest.raises(DriftgateError, match="it looks like CP949") as caught:
        load({"kind": "csv", "path": "excel_cp949/cp949.csv", "columns": COLUMNS}, cases)
    assert "encoding: cp949" in caught.value.remedy
