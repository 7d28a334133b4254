"""What a look at canaries comes to where the model cannot be asked: never quiet."""

from __future__ import annotations

import getpass
import re

import pytest
from chat_endpoint import Answer, ChatEndpoint, limited
from looks import (
    DOWN,
    UNAVAILABLE,
    change,
    instead,
    number,
    settle,
)

from driftgate.ledger import start_run
from driftgate.monitor.watch import alerts_of, looks_of


@pytest.mark.parametrize("what", DOWN)
def test_a_model_that_gives_no_answers_is_unmeasurable(cli, folder, endpoint, ledger, what) -> None:
    settle(cli, folder)
    endpoint.default = DOWN[what]
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4, done.out + done.err
    assert "look at live: unmeasurable: " in done.out
    kept = looks_of(ledger, "watch")[0]
    assert kept.conclusion.result == "unmeasurable"
    assert kept.conclusion.reason in done.out
    assert not alerts_of(ledger)
    listed = cli("monitor", "alerts", "-w", folder).out
    assert "no alert" in listed and f"watch canaries: unmeasurable: {kept.conclusion.reason}" in listed
    endpoint.default = Answer("A")
    assert (
        "look 2 at live: quiet" in cli("monitor", "check", "watch", "-w", folder).out
    )  # what was not compared is not counted
    assert re.search(
        r"watch canaries: quiet: not to be seen [^\n]+ \(\d minutes ago\)\n", cli("monitor", "alerts", "-w", folder).out
    )


def test_no_alert_where_nobody_looked_says_so(cli, folder, endpoint, ledger) -> None:
    nobody = cli("monitor", "alerts", "-w", folder)
    assert nobody.code == 4
    for what in ("watch canaries", "both canaries", "both traffic"):
        assert f"{what}: nothing has looked; driftgate monitor check {what.split()[0]} does" in nobody.out
    change(folder, lambda config: config["monitors"].pop("both"))
    endpoint.default = UNAVAILABLE
    cli("monitor", "check", "watch", "-w", folder)
    failed = cli("monitor", "alerts", "-w", folder)
    assert failed.code == 4 and "; no look could tell yet" in failed.out
    endpoint.default = Answer("A")
    settle(cli, folder)
    assert cli("monitor", "alerts", "-w", folder).code == 0
    endpoint.default = UNAVAILABLE
    cli("monitor", "check", "watch", "-w", folder)
    again = cli("monitor", "alerts", "-w", folder)
    assert again.code == 4 and "; the last look that could tell was at " in again.out
    start_run(ledger, "canary-watch", {"cells": []}, "hash", 0, "0.1", id="killed", kind="canary")
    assert "has not ended (driftgate runs show killed)" in cli("monitor", "alerts", "-w", folder).out


@pytest.mark.core
def test_an_endpoint_that_refuses_connections_is_unmeasurable(cli, folder, ledger) -> None:
    settle(cli, folder)
    gone = ChatEndpoint()
    gone.start()
    gone.stop()
    change(folder, lambda config: config["models"]["live"].update(endpoint=f"{gone.url}/v1"))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert f"nothing answers at 127.0.0.1:{gone.port}" in done.out
    assert looks_of(ledger, "watch")[0].conclusion.remedy == "start the service or correct the model's endpoint"


def test_canaries_that_are_gone_are_an_error_and_the_look_is_unmeasurable(cli, folder, ledger) -> None:
    settle(cli, folder)
    (folder / "canaries.jsonl").unlink()
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 2 and "canaries.jsonl does not exist" in done.err
    newest = looks_of(ledger, "watch")[0].conclusion
    assert newest.result == "unmeasurable" and "canaries.jsonl does not exist" in newest.why


def test_a_look_at_a_service_that_always_says_429_ends(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = limited(0.05, "Retry-After")
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(max_minutes=0.02))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "the limit of 0.02 minutes is reached" in done.out and "HTTP 429" in done.out
    assert looks_of(ledger, "watch")[0].conclusion.result == "unmeasurable"


def test_a_monitor_that_is_not_there_is_an_error(cli, folder) -> None:
    assert cli("monitor", "check", "wotch", "-w", folder).code == 2


@pytest.mark.core
def test_a_failed_call_is_neither_good_news_nor_an_alert(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = instead(UNAVAILABLE, 1)
    assert (
        cli("monitor", "check", "watch", "-w", folder).code == 0
    )  # one of forty is less than the floor of five points
    endpoint.default = instead(UNAVAILABLE, 2)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "2 of the reference's 40 canaries were not measured (2 failed: " in done.out
    assert not alerts_of(ledger)


@pytest.mark.core
def test_wrong_answers_are_an_alert_also_beside_failed_calls(cli, folder, endpoint) -> None:
    settle(cli, folder)
    endpoint.default = lambda prompt: UNAVAILABLE if number(prompt) < 10 else Answer("B")
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1
    assert "from 100.0% to 0.0%" in done.out
    assert "30 now against 30 before" in done.out


def test_a_wrong_answer_that_becomes_a_failed_call_makes_no_look_quiet(cli, folder, endpoint) -> None:
    settle(cli, folder)
    for wrong in range(12, -1, -3):
        endpoint.default = lambda prompt, wrong=wrong: (
            Answer("A") if number(prompt) >= 12 else Answer("B") if number(prompt) < wrong else UNAVAILABLE
        )
        assert cli("monitor", "check", "watch", "-w", folder).code == (1 if wrong == 12 else 4)


@pytest.mark.parametrize(
    "answer", [Answer("생각해 보면", "length"), Answer("모르겠습니다"), Answer("")], ids=["cut", "unread", "empty"]
)
def test_replies_without_an_answer_are_evidence_but_no_reference(cli, folder, endpoint, ledger, answer) -> None:
    endpoint.default = answer
    first = cli("monitor", "check", "watch", "-w", folder)
    assert first.code == 4
    assert "0 of 40 canaries were answered" in first.out
    endpoint.default = Answer("A")
    settle(cli, folder)
    endpoint.default = answer
    assert cli("monitor", "check", "watch", "-w", folder).code == 1


def test_what_could_not_be_measured_is_no_reference(cli, folder, endpoint, ledger) -> None:
    endpoint.default = instead(UNAVAILABLE, 10)
    for _ in range(3):
        assert cli("monitor", "check", "watch", "-w", folder).code == 4
    endpoint.default = Answer("A")
    settle(cli, folder)
    assert [row.conclusion.result for row in reversed(looks_of(ledger, "watch"))] == [
        *["unmeasurable"] * 3,
        *["reference"] * 2,
        "quiet",
    ]


def test_other_canaries_than_the_references_are_unmeasurable(cli, folder) -> None:
    settle(cli, folder)
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(limit=10))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 4
    assert "30 of the reference's 40 canaries were not measured (30 not asked any more); driftgate monitor " in done.out


def test_too_few_canaries_to_tell_are_inconclusive(cli, folder, endpoint) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(limit=3))
    for _ in range(2):
        assert cli("monitor", "check", "watch", "-w", folder).code == 0
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 3
    assert "3 canaries are too few for look 1" in done.out


def test_a_reference_is_begun_anew_by_a_command_that_says_who_and_why(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = instead(Answer("B"), 20)
    moved = cli("monitor", "check", "watch", "-w", folder)
    assert moved.code == 1 and "moved: canary_accuracy in this look: -0.500 [" in moved.out
    assert cli("monitor", "rereference", "watch", "-w", folder).code == 2
    assert cli("monitor", "rereference", "watch", "--reason", " ", "-w", folder).code == 2
    assert cli("monitor", "rereference", "wotch", "--reason", "x", "-w", folder).code == 2
    assert "look 3 at live: moved" in cli("monitor", "check", "watch", "-w", folder).out
    done = cli("monitor", "rereference", "watch", "--reason", "B is right since [today]", "-w", folder)
    assert done.code == 0 and "the next 2 looks" in done.out and "B is right since [today]" in done.out
    for place in (1, 2):
        assert f"look {place} of the 2 that are the reference" in cli("monitor", "check", "watch", "-w", folder).out
    assert "look 1 at live: quiet" in cli("monitor", "check", "watch", "-w", folder).out
    listed = cli("monitor", "alerts", "-w", folder).out
    assert f"by {getpass.getuser()}: B is right since [today]" in listed and "reference begun anew at" in listed
    assert "Canary accuracy fell" in listed  # what was found before stands


def test_a_gross_loss_is_found_before_the_reference_of_eight_looks_is_made(cli, folder, endpoint, ledger) -> None:
    change(folder, lambda config: config["monitors"]["watch"].pop("reference_looks"))
    for place in range(1, 4):
        done = cli("monitor", "check", "watch", "-w", folder)
        assert done.code == 0 and f"look {place} of the 8 that are the reference" in done.out
    endpoint.default = instead(Answer("B"), 20)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1 and "from 100.0% to 50.0%" in done.out
    endpoint.default = Answer("A")
    assert "look 4 of the 8" in cli("monitor", "check", "watch", "-w", folder).out
