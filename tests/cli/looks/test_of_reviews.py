"""Incidents beside looks: nights, gates, monitors nobody looks at, approvals that wait, deployments that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chat_endpoint import Answer
from looks import change
from sqlalchemy import update

from driftgate.api.jobs import ask_for
from driftgate.api.reviewing import review
from driftgate.api.workspace import open_workspace
from driftgate.finetune.remediation import approve, open_remediation
from driftgate.finetune.remediation._store import add_event, close
from driftgate.ledger import DeploymentRow, Ledger, add_deployment
from driftgate.monitor.incidents import Incident, begin_night, end_night, incidents

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def reviewed(folder: Path, ledger: Ledger, now: datetime | None = None) -> list[tuple[str, str, str]]:
    review(open_workspace(folder), ledger, now)
    return [(one.kind, one.state, one.severity) for one in incidents(ledger)]


def only(ledger: Ledger) -> Incident:
    (one,) = incidents(ledger)
    return one


def test_a_nightly_that_fails_and_a_gate_that_fails_until_they_do_not(cli, folder, endpoint, ledger) -> None:
    rules = [{"metric": "accuracy", "min": 0.5}]

    def edit(config: dict) -> None:
        config["suites"] = {"all": {"models": ["live"], "datasets": ["canaries"], "variants": ["terse"]}}
        config["gates"] = {"all": {"suite": "all", "rules": rules}}
        config["nightly"] = {"suites": ["all"], "gates": ["all"]}

    change(folder, edit)
    endpoint.default = Answer("B")
    for _ in range(2):
        assert cli("nightly", "-w", folder).code == 1
    failed = only(ledger)
    assert (failed.kind, failed.cause, failed.state, failed.signs) == ("gate_failed", "gate:all:", "open", 2)
    assert "gate all failed on run " in failed.summary and "accuracy" in failed.summary
    rules[0]["min"] = 0.0
    change(folder, edit)
    assert cli("nightly", "-w", folder).code == 0
    assert only(ledger).state == "resolved"

    (folder / "canaries.jsonl").rename(folder / "gone.jsonl")
    assert cli("nightly", "-w", folder).code == 2
    night = incidents(ledger)[0]
    assert (night.kind, night.state, night.monitor) == ("nightly_failed", "open", "")
    assert "canaries.jsonl does not exist" in night.summary
    (folder / "gone.jsonl").rename(folder / "canaries.jsonl")
    assert cli("nightly", "-w", folder).code == 0
    assert {one.state for one in incidents(ledger)} == {"resolved"}


def test_a_nightly_that_was_killed_or_did_not_come_is_known_by_who_looks_later(folder, ledger) -> None:
    now = datetime.now(UTC)
    change(folder, lambda config: config["service"].update(nightly_cron=f"{now.minute} {now.hour} * * *"))
    assert reviewed(folder, ledger, now + 30 * DAY) == []  # nobody ever ran one here
    begin_night(ledger, "ci")
    assert reviewed(folder, ledger, now + 5 * HOUR) == []
    assert reviewed(folder, ledger, now + 7 * HOUR) == [("nightly_failed", "open", "high")]
    assert "has not ended; it hangs, or was killed" in only(ledger).summary
    assert reviewed(folder, ledger, now + DAY + 5 * HOUR)[0][0] == "nightly_failed"
    assert reviewed(folder, ledger, now + DAY + 7 * HOUR) == [("nightly_missing", "open", "high")]
    assert f"one was due at {now + DAY:%Y-%m-%d %H:%M} UTC" in only(ledger).summary
    change(folder, lambda config: config["service"].update(nightly_cron="0 0 29 2 *"))
    end_night(ledger, begin_night(ledger, "ci"), 0)
    assert reviewed(folder, ledger, now + HOUR)[0][1] == "resolved"


def test_a_monitor_that_the_service_looked_at_and_nobody_looks_at_now(folder, ledger) -> None:
    now = datetime.now(UTC)
    assert reviewed(folder, ledger, now + DAY) == []  # nobody serves here
    _ended(ledger, ask_for(ledger, "look-watch", "kim")[0].id, now, "failed", None)
    ((kind, state, _),) = reviewed(folder, ledger, now)
    assert (kind, state, only(ledger).monitor) == ("look_missing", "open", "watch")


def test_an_approval_that_waits_is_one_incident_until_it_is_given_or_not_needed(folder, ledger) -> None:
    names = [open_remediation(ledger, slot, "a", "live", {})[0].id for slot in ("assistant", "search")]
    assert reviewed(folder, ledger) == []
    for name in names:
        add_event(ledger, name, "approve", "held", {"awaits": "h4sh"}, "it waits for an approval")
    for _ in range(3):
        assert reviewed(folder, ledger) == [("approval_waiting", "open", "medium")] * 2
    assert {one.signs for one in incidents(ledger)} == {1}
    from driftgate.finetune.remediation import find_remediation

    approve(ledger, find_remediation(ledger, names[0]), "h4sh", "kim")
    close(ledger, names[1], "rejected")
    assert {state for _, state, _ in reviewed(folder, ledger)} == {"resolved"}


@pytest.mark.parametrize(("left", "severity"), [(59, "low"), (29, "medium"), (6, "high"), (-1, "critical"), (70, None)])
def test_a_champion_whose_deployment_ends(folder, ledger, left, severity) -> None:
    now = datetime.now(UTC)
    ends = (now + left * DAY).date()
    add_deployment(ledger, DeploymentRow("target", "live", None, "gpt-test", ends, now))
    found = reviewed(folder, ledger, now)
    assert found == ([("deployment_retiring", "open", severity)] if severity else [])
    if left == 59:
        assert reviewed(folder, ledger, now + 40 * DAY) == [("deployment_retiring", "open", "medium")]
        add_deployment(ledger, DeploymentRow("target", "live", None, "gpt-test", ends + 365 * DAY, now + DAY))
        assert reviewed(folder, ledger, now) == [("deployment_retiring", "resolved", "medium")]


def _ended(ledger: Ledger, job: str, at: datetime, state: str, exit_code: int | None) -> None:
    from driftgate.api.jobs._tables import jobs

    with ledger.write() as connection:
        values = {"state": state, "ended_at": at, "exit_code": exit_code, "reason": "its process died"}
        connection.execute(update(jobs).where(jobs.c.id == job).values(**values, key=job))
