"""How soon a change between two runs would have been noticed."""

from __future__ import annotations

import re
from typing import Any

from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make


def test_a_model_that_got_worse_is_noticed_and_an_unchanged_one_is_not(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(120)
    right = endpoint.default
    assert cli("bench", "-w", folder).code == 0
    assert cli("bench", "-w", folder).code == 0
    endpoint.default = lambda prompt: (
        Answer("없음") if int(re.findall(r"문제 (\d+)번은", prompt)[-1]) % 3 else right(prompt)  # type: ignore[operator]
    )
    assert cli("bench", "-w", folder).code == 0
    listed = cli("runs", "list", "-w", folder).out
    last, second, first = re.findall(r"\d{8}-\d{6}-small-\w{4}", listed)
    worse = cli("monitor", "backtest", first, last, "-w", folder, "--orders", "50")
    assert worse.code == 0, worse.err
    assert "noticed in 50 of 50 orders of 120 pairs" in worse.out
    found = re.search(r"exchanged: (\d+) of 50", worse.out)
    assert found is not None and int(found[1]) <= 5
    same = cli("monitor", "backtest", first, second, "-w", folder, "--orders", "50")
    assert "noticed in none of 50 orders of 120 pairs" in same.out


def test_an_outage_is_no_change_of_the_answers(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def impatient(config: dict[str, Any]) -> None:
        config["models"]["tested"]["attempts"] = 1

    folder = make(60, impatient)
    right = endpoint.default
    assert cli("bench", "-w", folder).code == 0
    endpoint.default = lambda prompt: (
        Status(500) if int(re.findall(r"문제 (\d+)번은", prompt)[-1]) % 2 else right(prompt)  # type: ignore[operator]
    )
    assert cli("bench", "-w", folder).code in (0, 4)
    last, first = re.findall(r"\d{8}-\d{6}-small-\w{4}", cli("runs", "list", "-w", folder).out)
    done = cli("monitor", "backtest", first, last, "-w", folder, "--orders", "20")
    assert "30 shared samples are left out" in done.out and "noticed in none of 20 orders of 30 pairs" in done.out
    endpoint.default = Status(500)
    assert cli("bench", "-w", folder).code in (0, 4)
    down = cli("monitor", "backtest", first, "latest", "-w", folder)
    assert down.code == 2 and "share no sample with a reply in both, and 60 without" in down.err


def test_a_run_that_is_not_complete_is_refused(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(8)
    assert cli("bench", "-w", folder).code == 0
    endpoint.default = Status(401)
    assert cli("bench", "-w", folder).code == 2
    stopped, first = re.findall(r"\d{8}-\d{6}-small-\w{4}", cli("runs", "list", "-w", folder).out)
    done = cli("monitor", "backtest", first, stopped, "-w", folder)
    assert done.code == 2 and f"run {stopped} is stopped" in done.err


def test_the_same_seed_gives_the_same_figures(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(60)
    assert cli("bench", "-w", folder).code == 0
    endpoint.default = Answer("A")
    assert cli("bench", "-w", folder).code in (0, 4)
    last, first = re.findall(r"\d{8}-\d{6}-small-\w{4}", cli("runs", "list", "-w", folder).out)
    arguments = ("monitor", "backtest", first, last, "-w", folder, "--orders", "20", "--seed")
    assert cli(*arguments, "3").out == cli(*arguments, "3").out != cli(*arguments, "4").out


def test_runs_that_share_nothing_and_columns_that_are_not_there_are_refused(cli: Cli, make: Make) -> None:
    folder = make(4)
    assert cli("bench", "-w", folder).code == 0
    refused = cli("monitor", "backtest", "latest", "nothing", "-w", folder)
    assert refused.code == 2 and "nothing" in refused.err
    refused = cli("monitor", "backtest", "latest", "latest", "-w", folder, "--by", "colour")
    assert refused.code == 2 and "no column 'colour'" in refused.err
