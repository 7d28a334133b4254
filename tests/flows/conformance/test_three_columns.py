"""With bench's runner and the ledger, and with prompt flow alone: every difference is named, and none is invented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from _flows import load
from chat_endpoint import ChatEndpoint
from three import HERE, Row, compare, differences

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """All flows in the three ways."""
    endpoint = ChatEndpoint()
    endpoint.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("CHAT_URL", "CHAT_BASE", "CHAT_KEY"):
                patch.setenv(name, "")  # taken back afterwards
            return compare(tmp_path_factory.mktemp("three"), endpoint, load())
    finally:
        endpoint.stop()


def test_no_row_in_which_native_and_prompt_flow_alone_differ_is_unnamed(rows: list[Row]) -> None:
    assert len(rows) >= 140
    assert [row.name for row in rows if row.differs and not row.reason] == []
    assert [row.name for row in rows if row.reason and not row.differs] == []
    assert sum(not row.differs for row in rows) >= 105


def test_both_engines_leave_the_same_in_the_ledger(rows: list[Row]) -> None:
    unequal = [
        row.name for row in rows if not row.flow.file and row.native.told(nodes=True) != row.promptflow.told(nodes=True)
    ]
    assert unequal == []


def test_the_documentation_lists_the_differences() -> None:
    text = (Path(__file__).parents[3] / "docs/promptflow.md").read_text(encoding="utf-8")
    written = text.split("<!-- differences: begin -->\n")[1].split("\n<!-- differences: end -->")[0]
    assert written == differences(load())


def test_one_command_prints_the_table() -> None:
    command = [sys.executable, str(HERE / "three.py"), "python_node", "undefined_variable"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "| `python_node` | 1 completed | 1 completed | 1 completed | equal |" in done.stdout
    assert "differ: a template that prints what it is not given fails its line" in done.stdout
    assert "2 rows: 1 equal, 1 differ." in done.stdout
