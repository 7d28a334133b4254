"""``driftgate dataset plan`` from a workspace."""

from __future__ import annotations

from typing import Any

from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make


def test_a_plan_without_runs_needs_no_workspace(cli: Cli) -> None:
    done = cli("dataset", "plan", "--rate", "0.6", "--n", "1000", "--discordance", "0.1")
    assert done.code == 0, done.err
    assert "2.88 points" in done.out
    assert "2,041" in done.out  # what two points need


def test_a_plan_from_two_models_in_the_ledger(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["other"] = dict(config["models"]["tested"])
        config["suites"]["second"] = config["suites"]["small"] | {"models": ["other"]}

    folder = make(24, change)
    assert cli("bench", "small", "-w", folder).code == 0
    half = cli("dataset", "plan", "own", "tested", "other", "-w", folder)
    assert "assumed" in half.out and "24 samples" in half.out
    endpoint.default = Answer("A")
    assert cli("bench", "second", "-w", folder).code == 0
    done = cli("dataset", "plan", "own", "other", "tested", "-w", folder, "--difference", "7")
    assert done.code == 0, done.err
    assert "75.0% of the samples discordant" in done.out
    assert "paired on all 24 samples" in done.out


def test_nothing_is_planned_from_an_outage_or_from_a_run_that_was_stopped(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    """What nobody answered would differ from everything, and what was stopped leans."""

    def change(config: dict[str, Any]) -> None:
        for name in ("down", "cut"):
            config["models"][name] = dict(config["models"]["tested"], model=name)
            config["suites"][name] = config["suites"]["small"] | {"models": [name]}
        config["gates"]["cut"] = {"suite": "cut", "rules": [{"min": 0.5}]}

    folder = make(200, change)
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("bench", "cut", "--gate", "cut", "--sequential", "-w", folder).code == 0
    endpoint.default = Status(500, {"error": {"message": "boom"}})
    assert cli("bench", "down", "-w", folder).code == 0
    for models in (("tested", "down"), ("down", "nobody")):
        done = cli("dataset", "plan", "own", *models, "-w", folder)
        assert done.code == 2 and "none of its 200 samples has an answer to judge" in done.err, done.out
    done = cli("dataset", "plan", "--runs", "latest:small,latest:cut", "-w", folder)
    assert done.code == 2 and "plan from a run that asked everything" in " ".join(done.err.split()), done.out
    page = folder / "page.html"
    done = cli("compare", "latest:small", "latest:down", "-w", folder, "--html", page)
    assert done.code == 0 and done.out.count("unmeasured") == 1, done.out  # it has no place beside the other
    assert "unmeasured</span>" in page.read_text("utf-8")


def test_what_cannot_be_planned_is_said(cli: Cli, make: Make) -> None:
    folder = make(6)
    assert "nothing to plan from" in cli("dataset", "plan", "-w", folder).err
    assert "no complete run has a or b on own" in cli("dataset", "plan", "own", "a", "b", "-w", folder).err
    assert "--rate is 1.5" in cli("dataset", "plan", "--rate", "1.5", "--n", "10").err
    assert "--rate without --n" in cli("dataset", "plan", "--rate", "0.5").err
    assert "power is 80" in cli("dataset", "plan", "--rate", "0.5", "--n", "10", "--power", "80").err
