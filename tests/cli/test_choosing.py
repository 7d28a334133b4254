"""``driftgate dataset subset``, and a run on what it wrote."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

from driftgate.api.workspace import open_workspace
from driftgate.benchmarks.datasets import load_dataset

MODELS = ("one", "two", "three", "four")


def change(config: dict[str, Any]) -> None:
    for name in MODELS:
        config["models"][name] = config["models"]["tested"] | {"model": name}
        config["suites"][name] = {"models": [name], "datasets": ["own"], "variants": ["terse"]}


def answers(share: int) -> Any:
    """Right on ``share`` of a hundred questions, the easy ones first."""

    def answer(prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        hard = int(hashlib.sha256(str(number).encode()).hexdigest(), 16) % 100
        return Answer("ABCD"[number % 4] if hard < share else "ABCD"[(number + 1) % 4])

    return answer


def test_a_subset_is_chosen_run_and_predicts_its_whole(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(120, change)
    for name, share in zip(MODELS, (30, 45, 60, 75), strict=True):
        endpoint.default = answers(share)
        assert cli("bench", name, "-w", folder).code == 0
    done = cli("dataset", "subset", "own", "-w", folder, "--size", 40, "--name", "small", "--draws", 20)
    assert done.code == 0, done.err
    assert "{kind: subset, of: own, path: data/small.jsonl}" in done.out
    lines = [json.loads(line) for line in (folder / "data/small.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 41 and "question" not in lines[1]

    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    config["datasets"]["small"] = {"kind": "subset", "of": "own", "path": "data/small.jsonl"}
    config["suites"]["small"]["datasets"] = ["small"]
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    endpoint.default = answers(50)
    asked = len(endpoint.requests)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) - asked == 40
    assert "predicted accuracy on all 120 samples of own" in done.out
    (page,) = folder.glob("reports/*-small-*/*.html")
    assert "120 of" in page.read_text("utf-8")
    # A subset stands beside its whole: they share samples.
    done = cli("compare", "-w", folder, "--models", "tested,three")
    assert "own + small" in done.out and "paired on the 40 shared samples" in done.out


def test_canaries_are_chosen_where_the_model_is_unsettled_and_other_models_differ(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    """Of forty, two are answered otherwise one time in five, and on four another model says something else."""

    def repeated(config: dict[str, Any]) -> None:
        change(config)
        config["models"]["one"]["parameters"] = {"temperature": 0.7}
        config["suites"]["one"]["repeats"] = 5

    folder, times = make(40, repeated), dict.fromkeys(range(50), 0)

    def unsettled(prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        times[number] += 1
        return Answer("B" if number in (3, 4) and times[number] == 2 else "A")

    endpoint.default = unsettled
    assert cli("bench", "one", "-w", folder).code == 0
    assert max(times.values()) == 5
    endpoint.default = lambda prompt: Answer(
        "C" if int(re.findall(r"문제 (\d+)번은", prompt)[-1]) in (7, 8, 9) else "A"
    )
    assert cli("bench", "two", "-w", folder).code == 0
    two, one = re.findall(r"\d{8}-\d{6}-\w+-\w{4}", cli("runs", "list", "-w", folder).out)

    def keys(*how: object) -> list[dict[str, Any]]:
        done = cli("monitor", "choose-canaries", one, "-w", folder, *how)
        assert done.code == 0, done.err
        lines = (folder / "data/canaries.jsonl").read_text("utf-8").splitlines()
        assert "{kind: subset, of: own, path: data/canaries.jsonl}" in done.out
        return [json.loads(line) for line in lines]

    numbers = {
        sample.key: int(re.findall(r"\d+", str(sample.data["question"]))[0])
        for sample in load_dataset("own", open_workspace(folder).config.datasets["own"], folder).samples
    }
    plan, *chosen = keys("--n", 2)
    assert {numbers[item["key"]] for item in chosen} == {3, 4} and plan["runs"] == [one] and plan["seed"] == 0
    assert all(item["information"] > 0 and item["changes"] > item["unsteady"] for item in chosen)
    plan, *chosen = keys("--n", 5, "--others", two)
    assert {numbers[item["key"]] for item in chosen} == {3, 4, 7, 8, 9} and plan["runs"] == [one, two]

    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    config["datasets"]["canaries"] = {"kind": "subset", "of": "own", "path": "data/canaries.jsonl"}
    config["suites"]["small"]["datasets"] = ["canaries"]
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    asked = len(endpoint.requests)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0 and len(endpoint.requests) - asked == 5
    assert "predicted" not in done.out  # what was chosen to differ says nothing of the whole

    refused = cli("monitor", "choose-canaries", two, "-w", folder)
    assert refused.code == 2 and "asked each sample once" in refused.err and "--others" in refused.err


def test_what_a_subset_is_of_has_to_be_a_dataset(cli: Cli, make: Make, tmp_path: Path) -> None:
    def wrong(config: dict[str, Any]) -> None:
        config["datasets"]["small"] = {"kind": "subset", "of": "owm", "path": "data/small.jsonl"}

    done = cli("bench", "-w", make(4, wrong))
    assert done.code == 2
    assert "there is no dataset 'owm'" in done.err and "did you mean 'own'" in done.err


def test_too_few_models_are_refused(cli: Cli, make: Make) -> None:
    folder = make(12)
    assert cli("bench", "small", "-w", folder).code == 0
    done = cli("dataset", "subset", "own", "-w", folder)
    assert "complete runs of 1 models" in done.err
    assert cli("dataset", "subset", "nothing", "-w", folder).code == 2


def test_a_named_whole_becomes_its_settings(make: Make) -> None:
    def named(config: dict[str, Any]) -> None:
        config["datasets"]["small"] = {"kind": "subset", "of": "own", "path": "data/small.jsonl"}

    workspace = open_workspace(make(4, named))
    whole = workspace.config.datasets["own"]
    assert workspace.config.datasets["small"].of["path"] == "data/own.csv"  # type: ignore[attr-defined]
    assert len(load_dataset("own", whole, workspace.folder).samples) == 4
