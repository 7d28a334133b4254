"""Cutting a text: no piece is longer than it may be, nothing is lost, and tables and code stay whole."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.documents._pieces import pieces

WORD = st.text("가나다라abc", min_size=1, max_size=12)
SENTENCE = st.lists(WORD, min_size=1, max_size=30).map(lambda words: " ".join(words) + "다.")
ROW = st.lists(WORD, min_size=2, max_size=4).map(lambda cells: "| " + " | ".join(cells) + " |")
BLOCK = st.one_of(
    st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join),
    st.text("가나다", min_size=1, max_size=900),
    st.lists(ROW, min_size=2, max_size=12).map("\n".join),
    st.lists(WORD, min_size=1, max_size=12).map(lambda lines: "```\n" + "\n\n".join(lines) + "\n```"),
    WORD.map(lambda word: f"## {word}"),
)


@given(st.lists(BLOCK, min_size=1, max_size=6).map("\n\n".join), st.integers(50, 400))
def test_no_piece_is_longer_than_it_may_be(text: str, longest: int) -> None:
    assert all(0 < len(piece.text) <= longest for piece in pieces(text, longest))


@given(st.lists(SENTENCE | st.text("가나다", min_size=1, max_size=900), min_size=1, max_size=6), st.integers(50, 400))
def test_nothing_of_prose_is_lost(sentences: list[str], longest: int) -> None:
    text = " ".join(sentences)
    found = "".join(piece.text for piece in pieces(text, longest))
    assert re.sub(r"\s", "", found) == re.sub(r"\s", "", text)


def test_sixty_thousand_characters_without_a_full_stop_are_cut_and_counted() -> None:
    found = list(pieces("가" * 61_999, 400))
    assert max(len(piece.text) for piece in found) == 400 and all(piece.torn for piece in found)
    assert sum(len(piece.text) for piece in found) == 61_999


def test_a_table_stays_whole_within_the_length() -> None:
    table = "| 사유 | 일수 |\n|---|---|\n| 결혼 | 5일 |\n| 사망 | 3일 |"
    (before, whole, after) = pieces(f"# 경조\n앞의 글이다.\n{table}\n\n뒤의 글이다.", 100)
    assert (before.text, after.text) == ("경조\n앞의 글이다.", "경조\n뒤의 글이다.")
    assert whole.text == f"경조\n{table}" and not whole.parted


def test_a_long_table_is_cut_between_rows_and_each_part_has_its_head() -> None:
    rows = [f"| 사유 {number} | {number}일 |" for number in range(40)]
    found = list(pieces("| 사유 | 일수 |\n|---|---|\n" + "\n".join(rows), 120))
    assert all(piece.text.startswith("| 사유 | 일수 |\n|---|---|\n|") and piece.parted for piece in found)
    assert [row for piece in found for row in piece.text.split("\n")[2:]] == rows


def test_code_stays_whole_with_its_blank_lines_and_what_looks_like_a_heading() -> None:
    code = "```sh\n# 상태를 본다\nctl status\n\nctl failover\n```"
    (only,) = pieces(f"# 장애\n\n{code}\n", 200)
    assert only.text == f"장애\n{code}" and not only.parted


def test_a_number_sign_without_a_space_is_no_heading() -> None:
    assert [piece.text for piece in pieces("#주차 안내는 총무팀에 묻는다.", 100)] == ["#주차 안내는 총무팀에 묻는다."]


def test_a_heading_counts_and_one_that_is_too_long_is_cut_off() -> None:
    found = list(pieces("# " + "제목" * 100 + "\n\n" + "글이다. " * 40, 60))
    assert all(len(piece.text) <= 60 and "글이다." in piece.text for piece in found)
