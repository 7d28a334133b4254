"""Files of recorded answers, as other programs and Korean spreadsheets write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from driftgate.benchmarks.recorded._rows import parse_mapping, read_recorded


def read(folder: Path, text: str, mapping: str = "gold=정답,prediction=답") -> list[list[str]]:
    (folder / "r.csv").write_text(text, encoding="utf-8")
    frame = read_recorded(folder / "r.csv", parse_mapping(mapping)).lettered().frame
    return [list(frame["gold"]), list(frame["prediction"])]


@pytest.mark.parametrize(
    ("gold", "said"), [("②", "3"), ("2번", "③"), ("2", "3번"), ("나", "C)"), ("b", "C"), ("B)", "(c)"), ("ㄴ", "다")]
)
def test_labels_of_choices_are_read_in_any_usual_writing(tmp_path: Path, gold: str, said: str) -> None:
    assert read(tmp_path, f"정답,답\n{gold},{said}\n{gold},\n{gold},FILTERED\n") == [["B"] * 3, ["C", "", "FILTERED"]]


def test_text_stays_text(tmp_path: Path) -> None:
    assert read(tmp_path, "정답,답\n서울,부산\nb,a\n") == [["서울", "B"], ["부산", "A"]]


def test_a_prediction_that_is_no_label_stays_as_it_stands(tmp_path: Path) -> None:
    assert read(tmp_path, "정답,답\n①,②\n②,서울\n") == [["A", "B"], ["B", "서울"]]


def test_columns_are_found_in_either_unicode_form(tmp_path: Path) -> None:
    text = "정답,답\n나,가\n"
    decomposed = unicodedata.normalize("NFD", text)
    assert read(tmp_path, decomposed) == read(tmp_path, text) == [["B"], ["A"]]
    assert read(tmp_path, text, unicodedata.normalize("NFD", "gold=정답,prediction=답")) == [["B"], ["A"]]
