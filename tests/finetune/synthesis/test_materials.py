"""What stands in a folder becomes material, and what does not is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgate.finetune.synthesis._config import DocumentsSource
from driftgate.finetune.synthesis._materials import read_materials
from driftgate.flows.documents import Skipped
from driftgate.flows.errors import DriftgateError

SAID = "연차는 15일이며 매년 1월 1일에 주어진다."


def read(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The texts by their ids, and why files were not read."""
    unread: list[Skipped] = []
    found = read_materials(DocumentsSource(kind="documents", path="docs"), folder, unread=unread)
    return {one.id: one.text for one in found}, {one.path: one.reason for one in unread}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.md").write_text(SAID, encoding="utf-8")
    return tmp_path / "docs"


def test_every_file_in_which_nothing_stands_is_named(docs: Path) -> None:
    for name, content in {"a.csv": "", "b.csv": "제목,내용\n", "c.jsonl": "\n", "d.txt": "", "e.md": " \n\t"}.items():
        (docs / name).write_text(content, encoding="utf-8")
    (docs / ".hidden.csv").write_text(f"text\n{SAID}\n", encoding="utf-8")
    found, unread = read(docs.parent)
    assert list(found.values()) == [SAID]
    assert unread == {
        **dict.fromkeys(("a.csv", "b.csv", "c.jsonl"), "it holds no row"),
        **dict.fromkeys(("d.txt", "e.md"), "nothing stands in it"),
        ".hidden.csv": "it is hidden",
    }


def test_a_cell_may_be_long(docs: Path) -> None:
    (docs / "long.csv").write_text(f'제목,내용\n규정,"{SAID * 6000}"\n', encoding="cp949")
    found, unread = read(docs.parent)
    assert sum(len(text) for name, text in found.items() if name.startswith("long")) > 131_072 and not unread


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_are_parted_as_the_file_parts_them(docs: Path, mark: str) -> None:
    (docs / "t.csv").write_text(f"제목{mark}내용\n휴가{mark}{SAID}\n{mark}\n", encoding="utf-8")
    assert read(docs.parent)[0]["t.csv:2"] == f"제목: 휴가\n내용: {SAID}"
    assert len(read(docs.parent)[0]) == 2  # a row in which nothing stands is none


@pytest.mark.parametrize(
    ("content", "told"),
    [("제목,내용\n가,나,다\n", "has 3 fields where the header has 2"), ("말,말\n가,나\n", "two columns called '말'")],
)
def test_no_column_is_lost_unsaid(docs: Path, content: str, told: str) -> None:
    (docs / "t.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DriftgateError, match=told):
        read(docs.parent)


def test_a_table_that_lies_elsewhere_is_not_followed(docs: Path) -> None:
    (docs.parent / "elsewhere.csv").write_text(f"text\n{SAID}\n", encoding="utf-8")
    (docs / "here.csv").symlink_to(docs.parent / "elsewhere.csv")
    with pytest.raises(DriftgateError, match="a link out of its folder"):
        read(docs.parent)
