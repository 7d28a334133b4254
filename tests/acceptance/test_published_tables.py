"""Every cell of the published tables, from the recorded files by ``import`` and ``rescore --as published-ko``."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import DRIFTGATE, SHARED

NAMES = {"CLIcK": "click", "HAERAE": "haerae", "KMMLU": "kmmlu", "KMMLU-HARD": "kmmlu_hard"}
RECORDED = SHARED / "data" / "recorded"
CELLS = {"click": 15, "haerae": 35, "kmmlu": 25, "kmmlu_hard": 25}


def published() -> dict[tuple[str, str], dict[str, float]]:
    """Accuracy in percent by slice, for every dataset and model, as PUBLISHED.md has it."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    dataset, models = "", [""]
    for line in (RECORDED / "PUBLISHED.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("### "):
            dataset = NAMES[line[4:].strip()]
        elif dataset and line.startswith("| |"):
            models = cells[1:]
        elif dataset and line.startswith("|") and not line.startswith("|-"):
            for model, value in zip(models, cells[1:], strict=True):
                found.setdefault((dataset, model), {})[cells[0]] = float(value)
    return found


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    done = subprocess.run(
        [*DRIFTGATE, *arguments], cwd=folder, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def rescored(folder: Path, dataset: str, model: str, convention: str) -> tuple[dict[str, Any], str]:
    """What ``rescore`` writes and says of a recorded run."""
    name = f"recorded-{dataset}-{model}"
    done = run("runs", "rescore", name, "--as", convention, "--categories", "--json", "scores.json", folder=folder)
    return dict(json.loads((folder / "scores.json").read_text(encoding="utf-8"))[0]), done.stdout


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace into which every recorded file was imported."""
    folder = tmp_path_factory.mktemp("recorded")
    data = {name: {"kind": name, "path": str(SHARED / "data" / name)} for name in ("kmmlu", "click")}
    (folder / "driftgate.yaml").write_text(
        json.dumps({"version": 1, "datasets": data, "allowed_roots": [str(SHARED)]}), encoding="utf-8"
    )
    began = time.monotonic()
    run("runs", "import", str(RECORDED), folder=folder)
    print(f"\nimported in {time.monotonic() - began:.0f} s")
    return folder


def test_every_cell_of_the_published_tables(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = published()
    counted = dict.fromkeys(CELLS, 0)
    worst = 0.0
    for (dataset, model), cells in tables.items():
        scores, _ = rescored(workspace, dataset, model, "published-ko")
        ours = {"Overall": scores["overall"], **scores["slices"]}
        for slice, value in cells.items():
            difference = abs(100 * ours[slice]["accuracy"] - value)
            worst = max(worst, difference)
            counted[dataset] += 1
            assert difference <= 0.01, (
                f"{dataset} {model} {slice}: {100 * ours[slice]['accuracy']:.4f}, published {value}"
            )
    assert counted == CELLS
    with capsys.disabled():
        print(f"\n{sum(counted.values())} published cells {counted}; the largest difference is {worst:.4f} points")


def test_what_was_never_answered_is_said_and_bounds_the_published_number(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = "gpt-5-chat-2025-08-08"
    never = {"click": 179, "haerae": 100, "kmmlu": 630, "kmmlu_hard": 100}
    for dataset, lost in never.items():
        scores, said = rescored(workspace, dataset, model, "asked")
        value = published()[dataset, model]["Overall"]
        low, high = (100 * bound for bound in scores["overall"]["bounds"])
        assert low <= value <= high
        assert f"{lost} of {sum(scores['overall']['outcomes'].values()):,} samples were never answered" in said
        assert "denominator:asked|" in said
        with capsys.disabled():
            print(f"\n{dataset}: published {value} lies within {low:.2f} to {high:.2f}; {lost} never answered")


def test_importing_again_adds_nothing(workspace: Path) -> None:
    before = run("runs", "--limit", "100", folder=workspace).stdout
    again = run("runs", "import", *(str(path) for path in sorted(RECORDED.glob("*HAERAE*"))), folder=workspace)
    assert again.stdout.count("was imported before") == 5
    assert run("runs", "--limit", "100", folder=workspace).stdout == before
