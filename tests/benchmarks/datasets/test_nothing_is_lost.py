"""What a row says twice, or says and cannot be kept, is refused with its place: nothing of it is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftgate.flows.errors import DriftgateError

FINE = '{"question": "수도는?", "answer": "서울"}'
Load = Callable[..., Any]


def own(load: Load, folder: Path, text: str, name: str = "a.jsonl", **config: Any) -> Any:
    (folder / name).write_text(text, encoding="utf-8")
    return load({"kind": name.rpartition(".")[2], "path": name, **config}, folder)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"question": "a", "question": "b", "answer": "x"}', "has two columns called 'question'"),
        ('{"question": "a", "answer": "x", "answer": "x"}', "has two columns called 'answer'"),
        ('{"question": "a", "answer": "x", "meta": {"k": 1, "k": 2}}', "has two columns called 'k'"),
        ('{"question": "a", "answer": 1e999}', "the number 1e999 is too large"),
        ('{"question": "a", "answer": "x", "n": [-1e999]}', "the number -1e999 is too large"),
    ],
)
def test_json_that_python_would_read_otherwise_than_it_is_written(
    load: Load, tmp_path: Path, row: str, words: str
) -> None:
    with pytest.raises(DriftgateError) as refused:
        own(load, tmp_path, f"{FINE}\n{row}\n")
    assert words in refused.value.message
    assert "a.jsonl row 2 (line 2)" in refused.value.message


def test_large_and_long_numbers_are_read(load: Load, tmp_path: Path) -> None:
    row = '{"question": "a", "answer": "x", "n": 12345678901234567890, "m": 1e300}'
    (sample,) = own(load, tmp_path, row).samples
    assert (sample.data["n"], sample.data["m"]) == (12345678901234567890, 1e300)


@pytest.mark.parametrize("again", ["부산", " 부산 ", "\u1107\u116e\u1109\u1161\u11ab"])
def test_two_choices_of_the_same_text_are_refused(load: Load, tmp_path: Path, again: str) -> None:
    columns = {"choices": ["A", "B", "C"]}
    with pytest.raises(DriftgateError, match=r"row 1 .*same text for choices B and C"):
        own(load, tmp_path, f"question,answer,A,B,C\n수도는?,A,서울,부산,{again}\n", "a.csv", columns=columns)
    with pytest.raises(DriftgateError, match=r"row 1 .*same text for choices B and C"):
        own(load, tmp_path, f'{{"question": "?", "answer": "A", "choices": ["서울", "부산", "{again}"]}}')


def test_a_list_of_choices_in_a_field_keeps_to_the_same_rules(load: Load, tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="has no list in column 'choices'"):
        own(load, tmp_path, 'question,answer,choices\n수도는?,A,"[1e999, 2]"\n', "a.csv")


@pytest.mark.parametrize("row", [0, 2])
def test_an_id_that_another_row_has_by_its_place_is_refused(load: Load, tmp_path: Path, row: int) -> None:
    """The second row has no id of its own: it is called by its place, ``a:1``."""
    ids = ["", "", ""]
    ids[row] = "a:1"
    text = "id,question,answer\n" + "".join(f"{id},질문 {n}?,답\n" for n, id in enumerate(ids))
    with pytest.raises(DriftgateError, match="has the id 'a:1' of row"):
        own(load, tmp_path, text, "a.csv")


def test_an_id_that_is_the_row_s_own_place_is_fine(load: Load, tmp_path: Path) -> None:
    assert [s.id for s in own(load, tmp_path, "id,question,answer\na:0,가?,답\n,나?,답\n", "a.csv").samples] == [
        "a:0",
        "a:1",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "is a spreadsheet (.xlsx) or another ZIP archive and no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office file (.xls) and no text"),
        (b"PAR1\x15\x04", "is a Parquet file and no text"),
        (b"\x1f\x8b\x08\x00", "is a gzip archive and no text"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(load: Load, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DriftgateError) as refused:
        load({"kind": "csv", "path": "a.csv"}, tmp_path)
    assert words in refused.value.message


@pytest.mark.parametrize(("written", "said"), [("utf-16-be", "utf-16-le"), ("utf-16-le", "utf-16-be")])
def test_the_other_order_of_bytes_is_named(load: Load, tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "a.csv").write_bytes("question,answer\n수도는?,서울\n".encode(written))
    with pytest.raises(DriftgateError, match=f"looks like {written.upper()}, though encoding is {said}"):
        load({"kind": "csv", "path": "a.csv", "encoding": said}, tmp_path)


def test_columns_may_be_parted_by_bars(load: Load, tmp_path: Path) -> None:
    (sample,) = own(load, tmp_path, "question|answer\n서울, 또는 부산?|서울\n", "a.csv").samples
    assert sample.data == {"question": "서울, 또는 부산?", "answer": "서울"}


@pytest.mark.parametrize(("column", "shown"), [(" question", "' question'"), ("quest\u200bion", r"'quest\u200bion'")])
def test_a_column_that_only_looks_right_is_shown(load: Load, tmp_path: Path, column: str, shown: str) -> None:
    with pytest.raises(DriftgateError) as refused:
        own(load, tmp_path, f"{column},answer\n?,서울\n", "a.csv")
    assert f"did you mean {shown}? It holds white space or characters that cannot be seen" in refused.value.remedy
