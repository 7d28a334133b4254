"""What a look at traffic comes to where telemetry is not there, and when what it finds opens a repair."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chat_endpoint import Answer
from looks import (
    DOWN,
    UNAVAILABLE,
    calls,
    change,
    with_recipe,
)

from driftgate.finetune.remediation import remediations
from driftgate.monitor.watch import alerts_of, looks_of


def test_traffic_without_calls_is_unmeasurable_and_with_few_inconclusive(cli, folder, ledger) -> None:
    for _ in range(3):
        assert cli("monitor", "check", "both", "-w", folder).code == 4
    kept = looks_of(ledger, "both")[0]
    assert (kept.of, kept.conclusion.result) == ("traffic", "unmeasurable")
    assert kept.conclusion.reason == "no call was recorded in the current window"
    calls(folder, 300, timedelta(days=4))
    calls(folder, 300, timedelta(hours=5), request_model="gpt-other")
    assert cli("monitor", "check", "both", "-w", folder).code == 4
    calls(folder, 5, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 3
    assert "traffic: inconclusive: 5 calls in the current window and 300 in the reference" in done.out
    calls(folder, 100, timedelta(hours=3))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 3  # of one day before it is not known how days differ
    assert "traffic: inconclusive: not even a gross change could have been seen" in done.out


@pytest.mark.core
def test_traffic_without_a_past_is_inconclusive(cli, folder) -> None:
    calls(folder, 300, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 3
    assert "300 calls in the current window and 0 in the reference" in done.out


@pytest.mark.core
def test_a_column_that_is_no_longer_sent_is_unmeasurable(cli, folder) -> None:
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), output_tokens=None)
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 4
    assert "no call of the current window tells output_length" in done.out


@pytest.mark.core
def test_a_signal_that_is_asked_for_and_never_sent_is_unmeasurable(cli, folder) -> None:
    change(folder, lambda config: config["monitors"]["both"]["traffic"].update(signals=["latency", "refusal_share"]))
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 4
    assert "no call of the current window tells refusal_share" in done.out


def test_a_signal_that_does_not_exist_is_an_error_before_anything_is_asked(cli, folder, endpoint, ledger) -> None:
    change(folder, lambda config: config["monitors"]["both"]["traffic"].update(signals=["latenci"]))
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 2
    assert "did you mean 'latency'?" in done.err
    assert not endpoint.requests
    looks = looks_of(ledger, "both")
    assert sorted((row.of, row.conclusion.result) for row in looks) == [
        ("canaries", "unmeasurable"),
        ("traffic", "unmeasurable"),
    ]


def test_traffic_is_looked_at_though_the_canaries_could_not_be_asked(cli, folder, endpoint, ledger) -> None:
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), latency=9.0)
    endpoint.default = DOWN["401"]
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 1
    assert "look at live: unmeasurable" in done.out
    assert "traffic: moved" in done.out
    assert [row.alert.signal for row in alerts_of(ledger)] == ["latency"]


@pytest.mark.parametrize("canaries", ["quiet", "unmeasurable", "filtered"])
def test_slow_calls_open_no_repair_whatever_the_canaries_say(cli, folder, endpoint, ledger, canaries) -> None:
    with_recipe(folder)
    for _ in range(2):
        cli("monitor", "check", "both", "-w", folder)
    calls(folder, 300, timedelta(days=4))
    # The provider serves another model, which is slower: the model is to blame, and its answers are as good as before.
    calls(folder, 100, timedelta(hours=4), latency=9.0, response_model="gpt-live-2")
    endpoint.default = {"quiet": Answer("A"), "unmeasurable": UNAVAILABLE, "filtered": DOWN["filtered"]}[canaries]
    done = cli("monitor", "check", "both", "-w", folder)
    assert done.code == 1
    assert {row.alert.cause for row in alerts_of(ledger)} == {"model"}
    assert remediations(ledger) == []
    assert "remediation" not in done.out


def test_canaries_that_are_answered_worse_open_a_repair_that_names_them(cli, folder, endpoint, ledger) -> None:
    with_recipe(folder)
    for _ in range(2):
        cli("monitor", "check", "both", "-w", folder)
    calls(folder, 300, timedelta(days=4))
    calls(folder, 100, timedelta(hours=4), latency=9.0)
    endpoint.default = Answer("B")
    assert cli("monitor", "check", "both", "-w", folder).code == 1
    (opened,) = remediations(ledger)
    assert opened.evidence["alert"]["signal"].startswith("canary_")
