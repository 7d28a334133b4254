"""BM25 over a folder: what is read, what is found, what is refused."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.errors import DriftgateError
from driftgate.flows.retrieval import Retriever, open_retriever, parse_config
from driftgate.flows.retrieval._lexical import terms


def opened(workspace: Path, **settings: object) -> Retriever:
    return open_retriever("docs", parse_config({"kind": "bm25", "folder": "docs", **settings}), workspace)


async def test_a_particle_does_not_hide_a_word(documents: Path) -> None:
    (found, *_) = await opened(documents).search("출장비의 정산은 언제까지인가?")
    assert found.id == "rules/travel#1"


async def test_what_shares_nothing_with_the_query_is_not_found(documents: Path) -> None:
    assert await opened(documents).search("xyz") == []
    assert await opened(documents).search("") == []


async def test_the_shipped_documents_are_searched_where_no_folder_is_named(tmp_path: Path) -> None:
    shipped = open_retriever("docs", parse_config({"kind": "bm25"}), tmp_path)
    (found, *_) = await shipped.search("통근버스 요금은 한 달에 얼마인가?")
    assert found.document == "shuttle" and "2만 5천 원" in found.text


def test_identity_follows_the_content_and_not_the_place(
    documents: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    identity = opened(documents).identity
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (documents / "docs").rename(elsewhere / "docs")
    assert opened(elsewhere).identity == identity
    (elsewhere / "docs/parking.md").write_text("주차비는 7만 원이다.", encoding="utf-8")
    assert opened(elsewhere).identity != identity


def test_a_link_out_of_the_folder_is_refused(documents: Path) -> None:
    (documents / "private.md").write_text("비밀", encoding="utf-8")
    (documents / "docs/link.md").symlink_to(documents / "private.md")
    with pytest.raises(DriftgateError, match="link out of its folder"):
        opened(documents)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xb0\xa1\xff\xfe\x81", "no text in UTF-8, UTF-16 or CP949"),
        (b"", "no text"),
        (b"# only a heading", "no text"),
    ],
)
def test_documents_that_cannot_be_read_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/one.md").write_bytes(content)
    with pytest.raises(DriftgateError, match=said):
        opened(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="no folder"):
        opened(tmp_path)


async def test_a_heading_stands_above_its_paragraphs_and_forms_are_composed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = unicodedata.normalize("NFD", "# 주차 안내\n\n한 달에 6만 원이다.\n\n방문객은 무료다.")
    (tmp_path / "docs" / unicodedata.normalize("NFD", "주차.md")).write_text(text, encoding="utf-8")
    found = await opened(tmp_path).search("방문객 주차")
    assert found[0].text == "주차 안내\n방문객은 무료다." and found[0].id == "주차#2"


def test_one_passage_by_id(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for suffix in ("md", "txt"):
        (tmp_path / f"docs/a.{suffix}").write_text("글", encoding="utf-8")
    with pytest.raises(DriftgateError, match="share an id"):
        opened(tmp_path)


@given(st.text(max_size=50))
def test_terms_are_pairs_or_single_characters(text: str) -> None:
    assert all(1 <= len(term) <= 2 for term in terms(text))
