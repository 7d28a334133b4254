"""The demonstrations: what stands in their workspaces before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Cli

import driftgate
from driftgate.flows.extras import EXTRAS, installed

TRAINS = all(map(installed, EXTRAS["train"]))


@pytest.mark.skipif(TRAINS, reason="here the story would be played: make loop")
@pytest.mark.parametrize("story", ["tickets", "assistant"])
def test_a_machine_that_cannot_train_is_told_before_it_asks_a_model(cli: Cli, tmp_path: Path, story: str) -> None:
    said = cli("demo", "loop", tmp_path / "loop", "--story", story)
    assert said.code == 2 and "the extra 'train'" in said.err
    assert "answered" not in said.out


@pytest.mark.skipif(TRAINS, reason="here the story would be played: make loop")
def test_the_assistant_s_workspace_is_in_order_but_for_that(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "loop"
    cli("demo", "loop", folder, "--story", "assistant")
    said = cli("doctor", "-w", folder)
    wanting = [line for line in said.out.splitlines() if line.startswith("mend")]
    assert len(wanting) == 1 and "the extra 'train'" in wanting[0]
    with driftgate.open(folder) as workspace:
        recipe = workspace.files.config.recipes["assistant"]
    assert recipe.choice is not None and recipe.flow == "rag_qa"
    assert "choices" not in (folder / "data/known.jsonl").read_text(encoding="utf-8")
    again = cli("demo", "loop", folder, "--story", "assistant")
    assert again.code == 2 and "holds a workspace already" in again.err
