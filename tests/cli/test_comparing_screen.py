"""What ``driftgate compare`` shows on narrow terminals, of free models, and where it cannot write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make
from rich.cells import cell_len

from driftgate.api.terminal import PlainConsole
from driftgate.cli import _console


def two_models(config: dict[str, Any]) -> None:
    config["models"]["other"] = dict(config["models"]["tested"])
    config["suites"]["second"] = config["suites"]["small"] | {"models": ["other"]}


def ran(cli: Cli, folder: Path, endpoint: ChatEndpoint) -> list[str]:
    """Both models' runs; the second is right on every fourth question."""
    assert cli("bench", "small", "-w", folder).code == 0
    endpoint.default = Answer("A")
    assert cli("bench", "second", "-w", folder).code == 0
    return ["latest:second", "latest:small", "-w", str(folder)]


@pytest.mark.parametrize("width", [80, 100, 150])
def test_numbers_are_whole_whatever_the_width(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    runs = ran(cli, make(24, two_models), endpoint)
    monkeypatch.setattr(_console, "console", PlainConsole(width=width))
    done = cli("compare", *runs)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    tables = [line for line in lines if not line.lstrip().startswith(("categories:", "suspect keys:"))]
    assert max(cell_len(line) for line in tables) <= width
    for whole in ("100.0%", "25.0%", "+75.00", "quality", "median latency", "adjusted"):
        assert whole in done.out, whole
    assert re.search(r"\+\d+\.\d\d to \+\d+\.\d\d", done.out)
    assert "…" not in done.out


def test_many_cells_are_whole_at_80(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(24, two_models)
    for _ in range(7):
        ran(cli, folder, endpoint)
    runs = re.findall(r"\d{8}-[\w-]*(?:second|small)\S*", cli("runs", "list", "-w", folder).out)[:7]
    monkeypatch.setattr(_console, "console", PlainConsole(width=80))
    done = cli("compare", *runs, "-w", folder)
    assert done.code == 0, done.err
    assert "ranks 1-" in done.out and "quality 25.0%" in done.out and "…" not in done.out


def test_a_price_of_nothing_costs_nothing(cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    def free(config: dict[str, Any]) -> None:
        config["models"]["tested"]["prices"] = {"input": 0, "output": 0}
        two_models(config)
        config["models"]["other"]["prices"] = {"input": 100, "output": 100}

    runs = ran(cli, make(24, free), endpoint)
    file, tables, page = tmp_path / "compared.json", tmp_path / "tables", tmp_path / "page.html"
    done = cli("compare", *runs, "--json", file, "--csv", tables, "--html", page)
    assert done.code == 0, done.err
    assert "unknown" not in done.out and "0 USD" in done.out
    (dataset,) = json.loads(file.read_text(encoding="utf-8"))["datasets"]
    costs = {cell["model"]: cell["cost_per_1000"] for cell in dataset["cells"]}
    assert costs["tested"]["estimate"] == 0.0 and costs["other"]["estimate"] > 0.0
    assert "cost" in dataset["measures"]
    assert "unknown" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", page.read_text("utf-8"), flags=re.S)


@pytest.mark.parametrize("option", ["--flips", "--json", "--html"])
def test_a_folder_that_is_not_there_is_said_and_not_made(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path, option: str
) -> None:
    runs = ran(cli, make(8, two_models), endpoint)
    missing = tmp_path / "nodir" / "file"
    done = cli("compare", *runs, option, missing)
    assert done.code == 2 and not missing.parent.exists()
    assert f"there is no folder {missing.parent}" in " ".join(done.err.split())
    assert ".part" not in done.err and not done.out
