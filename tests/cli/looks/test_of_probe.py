"""A probe by the command line: few questions of one letter, each asked several times a look."""

from __future__ import annotations

from chat_endpoint import Answer
from looks import change, instead

from driftgate.monitor.watch import alerts_of


def test_a_probe_asks_each_of_few_several_times_and_says_what_is_answered_otherwise(
    cli, folder, endpoint, ledger
) -> None:
    def edit(config: dict) -> None:
        canaries = config["monitors"]["watch"]["canaries"]
        canaries.update(probe=True, limit=20, repeats=10)
        config["models"]["live"]["parameters"] = {"temperature": 0.7}

    change(folder, edit)
    for look in range(2):
        assert "reference look" in cli("monitor", "check", "watch", "-w", folder).out
        assert len(endpoint.requests) == 200 * (look + 1)
    assert cli("monitor", "check", "watch", "-w", folder).code == 0
    endpoint.default = instead(Answer("B"), 12)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1, done.out + done.err
    (alert,) = [row.alert for row in alerts_of(ledger) if row.alert.signal == "canary_agreement"]
    assert alert.detector == "few-changed" and alert.detail["log_e"] > 0 and alert.floor == 0.02


def test_a_probe_of_more_requests_than_it_may_make_is_an_error(cli, folder) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(probe=True, limit=100, repeats=4))
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 2 and "a probe makes at most 200 requests a look" in done.err
