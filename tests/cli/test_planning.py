"""``driftgate dataset plan`` from a workspace."""

from __future__ import annotations

from typing import Any

from chat_endpoint import Answer, ChatEndpoint
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


def test_what_cannot_be_planned_is_said(cli: Cli, make: Make) -> None:
    folder = make(6)
    assert "nothing to plan from" in cli("dataset", "plan", "-w", folder).err
    assert "no complete run has a or b on own" in cli("dataset", "plan", "own", "a", "b", "-w", folder).err
    assert "--rate is 1.5" in cli("dataset", "plan", "--rate", "1.5", "--n", "10").err
    assert "--rate without --n" in cli("dataset", "plan", "--rate", "0.5").err
    assert "power is 80" in cli("dataset", "plan", "--rate", "0.5", "--n", "10", "--power", "80").err
