"""``driftgate compare`` from a workspace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make


def two_models(config: dict[str, Any]) -> None:
    config["models"]["other"] = dict(config["models"]["tested"])
    config["suites"]["second"] = config["suites"]["small"] | {"models": ["other"]}


def test_models_are_compared_from_their_newest_runs(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = make(24, two_models)
    assert cli("bench", "small", "-w", folder).code == 0
    endpoint.default = Answer("A")  # right on every fourth question
    assert cli("bench", "second", "-w", folder).code == 0
    asked = len(endpoint.requests)
    page, tables = tmp_path / "page.html", tmp_path / "tables"
    written = ["--html", page, "--csv", tables, "--flips", tables / "flips.csv", "--json", tmp_path / "compared.json"]
    done = cli("compare", "-w", folder, "--models", "other,tested", *written, "--resamples", "200")
    assert done.code == 0, done.err
    assert "+75.00" in done.out  # 24 right against 6
    assert "paired on all 24 samples" in done.out
    assert "front" in done.out
    assert page.stat().st_size > 100_000
    assert (tables / "flips.csv").read_text(encoding="utf-8").count("gained") == 18
    assert "18 flips:" in done.out
    (dataset,) = json.loads((tmp_path / "compared.json").read_text(encoding="utf-8"))["datasets"]
    assert dataset["pairs"][0]["differences"][0]["finding"] == "higher"
    assert len(endpoint.requests) == asked  # no model was asked


def test_what_cannot_be_compared_is_one_sentence_with_a_remedy(cli: Cli, make: Make) -> None:
    folder = make(6)
    assert "nothing was chosen" in cli("compare", "-w", folder).err
    assert cli("bench", "small", "-w", folder).code == 0
    done = cli("compare", "latest", "-w", folder)
    assert done.code == 2
    assert "only one cell was chosen" in done.err
    assert "no complete run has the model 'nobody'" in cli("compare", "-w", folder, "--models", "nobody").err
    assert "5 resamples are too few" in cli("compare", "latest", "-w", folder, "--resamples", 5).err
