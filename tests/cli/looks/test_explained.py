"""An alert explained: what moved, since when, who is suspected, and whether a repair follows."""

from __future__ import annotations

import re
from datetime import timedelta

from chat_endpoint import Answer
from looks import calls, instead, settle


def test_slow_calls_of_a_new_model_are_explained_and_open_no_repair(cli, folder, ledger) -> None:
    settle(cli, folder, "both")
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), latency=9.0, response_model="gpt-live-2")
    assert cli("monitor", "check", "both", "-w", folder).code == 1
    key = re.search(r"why: driftgate monitor explain (\w{12})\n", cli("monitor", "alerts", "-w", folder).out)
    assert key is not None
    said = cli("monitor", "explain", key[1][:6], "-w", folder)
    assert said.code == 0, said.err
    for suspect in (
        "prompt template",
        "what is asked",
        "provider's model",
        "judge",
        "extraction",
        "telemetry",
        "service",
    ):
        assert suspect in said.out
    assert "for: response model gpt-live-2 is new, on 100% of calls" in said.out
    assert re.search(r"against: the canaries of [\d: -]+ UTC are quiet: canary_accuracy \+0\.0 points", said.out)
    assert re.search(r"against: error_rate \+0\.0 points \[", said.out)
    assert "repair: no: only canaries that are answered worse open a repair" in said.out
    assert "the canaries are quiet" in said.out
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d UTC, told at", said.out)


def test_canaries_that_are_answered_worse_are_counted_by_what_became_of_them(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = instead(Answer("죄송하지만 답변해 드릴 수 없습니다."), 30)
    assert cli("monitor", "check", "watch", "-w", folder).code == 1
    said = cli("monitor", "explain", "latest", "-w", folder)
    assert "canaries that are no longer right: 0 wrong, 0 that cannot be read, 30 refused" in said.out
    assert "repair: yes, where the monitor names a recipe" in said.out
    looks = said.out.split("looks\n")[1].split("suspects")[0]
    assert re.search(r"quiet: canary_\w+ \+0\.0 points", looks) and re.search(r"moved: canary_\w+ -", looks)


def test_replies_that_are_cut_off_are_the_service_s_and_open_no_repair(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = instead(Answer("", "length"), 30)
    assert cli("monitor", "check", "watch", "-w", folder).code == 1
    said = cli("monitor", "explain", "latest", "-w", folder)
    assert "likely cause: the service" in said.out and "repair: no: the likeliest cause is service" in said.out


def test_an_alert_that_is_not_there_says_which_are(cli, folder) -> None:
    nobody = cli("monitor", "explain", "abc", "-w", folder)
    assert nobody.code == 2 and "'abc' names no alert: none was raised" in nobody.err
