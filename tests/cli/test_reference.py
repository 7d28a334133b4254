"""The configuration reference is what the code says."""

from __future__ import annotations

from pathlib import Path

from command_line import Cli

PAGE = Path(__file__).parents[2] / "docs/configuration.md"


def test_the_page_is_as_the_command_prints_it(cli: Cli) -> None:
    printed = cli("schema", "--reference").out
    assert PAGE.read_text(encoding="utf-8") == printed, f"driftgate schema --reference > docs/{PAGE.name}"


def test_every_setting_is_described(cli: Cli) -> None:
    rows = [line for line in cli("schema", "--reference").out.splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert [row for row in rows if row.endswith("|  |")] == []
