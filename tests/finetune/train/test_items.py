"""Training items keep what they are given and refuse what cannot be learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.finetune.train import TrainingItem, read_items, write_items
from driftgate.flows.errors import DriftgateError

_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
_items = st.builds(
    TrainingItem,
    prompt=_text,
    target=_text.map(str.strip),
    weight=st.floats(0.01, 100),
    id=st.text(st.characters(exclude_categories=["Cs"])),
    category=st.sampled_from(["", "배송", "결제"]),
    lineage=st.dictionaries(st.sampled_from(["source", "seed"]), st.integers()),
)


@given(items=st.lists(_items, min_size=1, max_size=5))
def test_items_come_back_as_they_were_written(
    items: list[TrainingItem], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("items") / "items.jsonl"
    assert write_items(path, items) == len(items)
    assert read_items(path) == items


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "1 + 1 =", "target": "2"}\n\n')
    assert read_items(path) == [TrainingItem("1 + 1 =", "2")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"prompt": "a"}', "line 2"),
        ('{"prompt": "a", "target": " "}', "empty prompt or target"),
        ('{"prompt": "a", "target": " A"}', "white space"),
        ('{"prompt": "a", "target": "A", "weight": 0}', "weight 0"),
        ('{"prompt": "a", "target": "A", "wieght": 1}', "wieght"),
        ("not json", "line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"prompt": "a", "target": "A"}\n' + line + "\n")
    with pytest.raises(DriftgateError, match=says):
        read_items(path)


def test_no_file_and_no_items_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="no file of training items"):
        read_items(tmp_path / "absent.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DriftgateError, match="no training item"):
        read_items(tmp_path / "empty.jsonl")
