"""A suite that asks for the champion asks whoever is live when its run begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import Cli, Make

import driftgate


def follows(config: dict[str, Any]) -> None:
    """The nightly suite asks the champion; another suite asks a candidate that a gate may let pass."""
    config["models"]["other"] = dict(config["models"]["tested"])
    config["champions"] = {"assistant": "tested"}
    config["suites"]["small"]["models"] = ["champion:assistant"]
    config["suites"]["release"] = {**config["suites"]["small"], "models": ["other"]}
    config["gates"]["release"] = {"suite": "release", "rules": [{"metric": "accuracy", "min": 0.5}]}


def asked(folder: Path) -> list[str]:
    """Who was asked by the newest run of the nightly suite."""
    with driftgate.open(folder) as workspace:
        return [cell.model for cell in workspace.run("latest:small").cells]


@pytest.mark.core
def test_after_a_promotion_the_next_night_measures_the_new_champion(cli: Cli, make: Make) -> None:
    folder = make(12, follows)
    assert cli("nightly", "-w", folder).code == 0
    assert asked(folder) == ["tested"]
    assert cli("bench", "release", "-w", folder).code == 0
    assert cli("gate", "latest:release", "-w", folder).code == 0
    promoted = ("champion", "promote", "assistant", "other", "--run", "latest:release", "--reason", "passed")
    assert cli(*promoted, "-w", folder).code == 0
    assert cli("nightly", "-w", folder).code == 0
    assert asked(folder) == ["other"]
    assert cli("champion", "rollback", "assistant", "--reason", "again", "-w", folder).code == 0
    assert cli("nightly", "-w", folder).code == 0
    assert asked(folder) == ["tested"]


def test_one_that_is_named_beside_it_is_asked_once(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        follows(config)
        config["suites"]["small"]["models"] = ["tested", "champion:assistant", "other"]

    folder = make(4, change)
    cli("bench", "small", "-w", folder)
    assert asked(folder) == ["tested", "other"]


def test_a_run_is_not_gone_on_with_once_another_is_live(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        follows(config)
        config["suites"]["small"]["max_minutes"] = 0.0001

    folder = make(200, change)
    assert cli("bench", "small", "-w", folder).code == 2
    cli("bench", "release", "-w", folder)
    cli("gate", "latest:release", "-w", folder)
    cli("champion", "promote", "assistant", "other", "--run", "latest:release", "--reason", "passed", "-w", folder)
    again = cli("bench", "small", "--resume", "-w", folder)
    assert again.code == 2 and "changed" in again.err


def test_a_slot_that_is_not_there_is_said_with_its_line(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        follows(config)
        config["suites"]["small"]["models"] = ["champion:asistant"]

    said = cli("doctor", "-w", make(4, change))
    assert said.code == 2
    assert "there is no champion 'asistant'" in said.out
    assert "line " in said.out and "did you mean 'assistant'?" in said.out


def test_the_doctor_plans_and_prices_the_model_that_is_live(cli: Cli, make: Make) -> None:
    said = cli("doctor", "-w", make(4, follows))
    assert "champion:assistant" not in said.out + said.err
    assert "tested" in said.out


def test_a_champion_that_nothing_measures_is_said_every_night(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        follows(config)
        config["champions"]["assistant"] = "other"
        config["suites"]["small"]["models"] = ["tested"]

    folder = make(4, change)
    unseen = "champion assistant: other is live, no suite of the night asks it and no monitor watches it"
    for command in ("doctor", "nightly"):
        said = cli(command, "-w", folder)
        assert unseen in " ".join((said.out + said.err).split())
    assert said.code == 4 != cli("nightly", "-w", make(4, follows)).code


def test_a_champion_that_is_followed_or_watched_is_not_said_to_be_unseen(cli: Cli, make: Make) -> None:
    def watch(config: dict[str, Any]) -> None:
        follows(config)
        config["suites"]["small"]["models"] = ["other"]
        config["monitors"] = {"watch": {"champion": "assistant", "canaries": {"dataset": "own", "variant": "terse"}}}

    for change in (follows, watch):
        assert "no monitor watches it" not in cli("doctor", "-w", make(4, change)).out
