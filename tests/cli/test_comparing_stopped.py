"""``driftgate compare`` of runs that a gate stopped early: nothing is said that needs a fixed number of samples."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

WHY = "stopped early by gate small: a fixed test does not hold"
STOPPED = "stopped early by gate small after 100 of 400"


def two_models(config: dict[str, Any]) -> None:
    config["models"]["other"] = dict(config["models"]["tested"])
    config["suites"]["second"] = config["suites"]["small"] | {"models": ["other"]}


def wrong_in_ten(wrong: int) -> Callable[[str], Answer]:
    def reply(prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        return Answer("ABCD"[(number + (number * 7 % 10 < wrong)) % 4])

    return reply


@pytest.fixture
def stopped(make: Make, endpoint: ChatEndpoint, cli: Cli) -> Path:
    """``tested`` was stopped after 100 of 400 and is right in nine of ten, ``other`` asked all and in two of ten."""
    folder = make(400, two_models)
    endpoint.default = wrong_in_ten(1)
    done = cli("bench", "small", "--gate", "small", "--sequential", "--seed", 11, "-w", folder, "--json", folder / "b")
    assert done.code == 0 and STOPPED in done.out
    endpoint.default = wrong_in_ten(8)
    assert cli("bench", "second", "-w", folder).code == 0
    return folder


def test_a_stopped_side_has_anytime_limits_and_no_test(stopped: Path, cli: Cli, tmp_path: Path) -> None:
    page, tables, file = tmp_path / "page.html", tmp_path / "tables", tmp_path / "compared.json"
    written = ["--html", page, "--csv", tables, "--json", file, "--resamples", 200]
    done = cli("compare", "latest:second", "latest:small", "-w", stopped, *written)
    assert done.code == 0, done.err
    (bench,) = json.loads((stopped / "b").read_text(encoding="utf-8"))["cells"]
    (score,) = (s for s in bench["scores"] if s["metric"] == "accuracy" and s["slice_kind"] == "all")
    (dataset,) = json.loads(file.read_text(encoding="utf-8"))["datasets"]
    cells = {cell["model"]: cell for cell in dataset["cells"]}
    quality = cells["tested"]["quality"]
    assert (quality["low"], quality["high"]) == (score["low"], score["high"])
    assert cells["tested"]["stopped"] == STOPPED and cells["other"]["stopped"] == ""
    latency = cells["tested"]["latency_p50"]
    assert latency["estimate"] > 0 and latency["low"] is None and latency["reason"] == WHY
    assert {cell["pareto"] for cell in cells.values()} == {"tied"}
    (pair,) = dataset["pairs"]
    assert pair["differences"][0]["difference"] > 0.6 and len(pair["differences"]) > 2
    for found in pair["differences"]:
        assert found["finding"] == "inconclusive" and found["untested"] == WHY
        assert found["p"] is found["p_adjusted"] is found["bootstrap"] is found["minimum_detectable"] is None
        assert found["interval"]["low"] is None and found["interval"]["reason"] == WHY
    limits = f"{100 * score['low']:.1f} to {100 * score['high']:.1f}"
    shown = " ".join(re.sub("[│┃]", " ", done.out).split())
    assert limits in shown and STOPPED in done.out and "inconclusive: stopped early" in shown
    assert "higher" not in re.sub("higher in", "", done.out) and "p of 0 overall differences" in shown
    with (tables / "differences.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            assert (row["finding"], row["untested"]) == ("inconclusive", WHY)
            assert row["p"] == row["p_adjusted"] == row["difference_low"] == row["bootstrap_p"] == ""
    with (tables / "cells.csv").open(encoding="utf-8") as rows:
        (row,) = (row for row in csv.DictReader(rows) if row["model"] == "tested")
    assert float(row["quality_low"]) == score["low"] and row["stopped"] == STOPPED
    assert row["latency_p50_seconds_low"] == ""
    html = page.read_text(encoding="utf-8")
    assert WHY in html and STOPPED in html
    assert '"badge pass">higher' not in html and '"badge fail">lower' not in html


def test_other_pairs_keep_their_tests(stopped: Path, cli: Cli, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    endpoint.default = wrong_in_ten(5)
    assert cli("bench", "second", "-w", stopped).code == 0
    (first, second) = re.findall(r"\d{8}-[\w-]*second\S*", cli("runs", "list", "-w", stopped).out)[:2]
    file = tmp_path / "compared.json"
    done = cli("compare", first, second, "latest:small", "-w", stopped, "--json", file)
    assert done.code == 0, done.err
    (dataset,) = json.loads(file.read_text(encoding="utf-8"))["datasets"]
    found = [pair["differences"][0] for pair in dataset["pairs"]]
    assert [one["finding"] for one in found].count("inconclusive") == 2
    (tested,) = (one for one in found if not one["untested"])
    assert tested["finding"] in ("higher", "lower") and tested["p_adjusted"] == tested["p"]


def test_many_cells_with_a_stopped_one_have_no_ranks(stopped: Path, cli: Cli, tmp_path: Path) -> None:
    for _ in range(6):
        assert cli("bench", "second", "-w", stopped).code == 0
    runs = re.findall(r"\d{8}-[\w-]*second\S*", cli("runs", "list", "-w", stopped).out)[:6]
    file = tmp_path / "compared.json"
    done = cli("compare", *runs, "latest:small", "-w", stopped, "--json", file)
    assert done.code == 0, done.err
    (dataset,) = json.loads(file.read_text(encoding="utf-8"))["datasets"]
    assert "ranks without intervals" in dataset["ranking"]["words"] and STOPPED in dataset["ranking"]["words"]
    assert {(rank["low"], rank["high"]) for rank in dataset["ranking"]["ranks"]} == {(1, 7)}
