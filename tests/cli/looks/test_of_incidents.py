"""Outages as people live through them: one incident each, told of once, resolved by looks that are quiet again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chat_endpoint import Answer, Cut, Hang, limited
from looks import DOWN, UNAVAILABLE, calls, change, settle
from notified import MailServer
from sqlalchemy import column, table, update

from driftgate.ledger import UtcDateTime
from driftgate.monitor.incidents import IncidentsConfig, Sign, history, incidents
from driftgate.monitor.incidents import settle as stands

DAY = timedelta(days=1)


@pytest.fixture
def mail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that the workspace's channel leads to."""
    with MailServer() as server:
        monkeypatch.setenv("MAIL_URL", server.address)
        channels = {"ops": {"kind": "apprise", "service_url": "${env:MAIL_URL}"}}
        change(folder, lambda config: config.update(notifications={"channels": channels}))
        yield server


def subjects(mail: MailServer) -> list[str]:
    return [str(one["subject"]).removeprefix("driftgate default: ") for one in mail.mails]


def check(cli, folder: Path, monitor: str, times: int = 1) -> list[int]:
    return [cli("monitor", "check", monitor, "-w", folder).code for _ in range(times)]


def test_an_outage_no_traffic_and_a_swap_are_three_incidents_told_once_each(
    cli, folder, endpoint, ledger, mail
) -> None:
    settle(cli, folder)
    assert not incidents(ledger) and not mail.mails

    endpoint.default = UNAVAILABLE  # the endpoint is down
    begun = datetime.now(UTC)
    assert check(cli, folder, "watch", 4) == [4] * 4
    endpoint.default = Answer("A")
    assert check(cli, folder, "watch", 3) == [0] * 3
    (outage,) = incidents(ledger)
    assert (outage.kind, outage.state, outage.signs, outage.severity) == ("endpoint_down", "resolved", 3, "high")
    assert begun < outage.since < outage.opened_at and outage.good_at is not None and outage.good_at < begun

    change(folder, lambda config: config["monitors"]["both"]["traffic"].update(signals=["error_rate"]))
    for day in range(15, 1, -1):  # the day of the week is known
        calls(folder, 60, day * DAY)  # traffic stops
    assert check(cli, folder, "both", 3) == [4] * 3
    calls(folder, 60, timedelta(minutes=61))  # it came late, up to now
    assert check(cli, folder, "both", 2) == [0] * 2
    stopped = incidents(ledger)[0]
    assert (stopped.monitor, stopped.kind, stopped.state, stopped.signs) == ("both", "no_traffic", "resolved", 2)

    endpoint.default = Answer("B")  # another model answers
    assert check(cli, folder, "watch", 3) == [1] * 3
    assert cli("incidents", "-w", folder).code == 1
    endpoint.default = Answer("A")
    cli("monitor", "rereference", "watch", "--reason", "the model of before is back", "-w", folder)
    assert check(cli, folder, "watch", 4) == [0] * 4
    swapped = incidents(ledger)[0]
    assert (swapped.cause, swapped.state, swapped.signs, swapped.severity) == ("model", "resolved", 3, "critical")

    assert len(incidents(ledger)) == 3
    assert subjects(mail) == [
        "opened (high): watch: the endpoint does not answer",
        "resolved (high): watch: the endpoint does not answer",
        "opened (high): both: no traffic arrives",
        "resolved (high): both: no traffic arrives",
        "opened (critical): watch: the model answers otherwise",
        "resolved (critical): watch: the model answers otherwise",
    ]
    assert f"since {outage.since:%Y-%m-%d %H:%M} UTC; last known good at " in mail.mails[0].get_content()
    for one in (outage, stopped, swapped):
        told = [event.what for event in history(ledger, one.id)]
        assert told[0] == "opened" and told[-3:] == ["quiet", "quiet", "resolved"]
        assert told.count("opened") == told.count("resolved") == 1
    quiet = cli("incidents", "-w", folder)
    assert quiet.code == 0 and "no incident that is not resolved" in quiet.out
    change(folder, lambda config: config["monitors"].update(new=config["monitors"]["watch"]))
    assert cli("incidents", "-w", folder).code == 4  # nothing ever looked for the new one


@pytest.mark.core
def test_looks_that_cannot_tell_resolve_nothing_and_one_begins_the_count_anew(cli, folder, endpoint, ledger) -> None:
    settle(cli, folder)
    endpoint.default = Answer("B")
    check(cli, folder, "watch")
    endpoint.default = Answer("A")
    while check(cli, folder, "watch") == [1]:  # the pooled looks go on for a while to say what they saw
        pass
    assert incidents(ledger)[0].parts[0].quiet == 1
    endpoint.default = UNAVAILABLE
    check(cli, folder, "watch", 2)
    moved = next(found for found in incidents(ledger) if found.cause == "model")
    assert moved.state == "open" and moved.parts[0].quiet == 0
    assert {found.kind for found in incidents(ledger)} == {"model_moved", "endpoint_down"}


NAMES = {
    "401": "credentials_refused",
    "404": "model_not_served",
    "500": "endpoint_down",
    "400": "requests_refused",
    "filtered": "filtered",
    "not JSON": "endpoint_down",
    "429": "throttled",
    "hang": "too_slow",
    "cut": "endpoint_down",
    "gone": "endpoint_down",
    "other canaries": "canaries_changed",
}


@pytest.mark.acceptance
def test_each_way_of_being_down_has_its_name_and_is_of_one_cause(cli, folder, endpoint, ledger) -> None:
    change(folder, lambda config: config.update(incidents={"unmeasurable_after": 1}))
    settle(cli, folder)
    change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(max_minutes=0.02))
    found = {}
    for name in NAMES:
        if name == "gone":
            change(folder, lambda config: config["models"]["live"].update(endpoint="http://127.0.0.1:9/v1"))
        if name == "other canaries":
            change(folder, lambda config: config["models"]["live"].update(endpoint=f"{endpoint.url}/v1"))
            change(folder, lambda config: config["monitors"]["watch"]["canaries"].update(limit=10))
        ways = {**DOWN, "429": limited(0.05, "Retry-After"), "hang": Hang(), "cut": Cut()}
        endpoint.default = ways.get(name, Answer("A"))
        assert check(cli, folder, "watch") == [4]
        found[name] = incidents(ledger)[0].kind
    assert found == NAMES
    assert [one.cause for one in incidents(ledger)] == ["canaries", "service"]


def test_people_acknowledge_silence_resolve_and_reopen_and_it_is_recorded(cli, folder, endpoint, ledger, mail) -> None:
    settle(cli, folder)
    endpoint.default = Answer("B")
    check(cli, folder, "watch")
    name = incidents(ledger)[0].id
    assert cli("incidents", "-w", folder).code == 1
    done = cli("incidents", "ack", name[-6:], "--note", "I look at it [now]", "-w", folder)
    assert done.code == 0 and f"{name} critical" in done.out and ": acknowledged by " in done.out
    assert cli("incidents", "silence", "latest", "--for", "8h", "-w", folder).code == 0
    assert "silenced until" in cli("incidents", "-w", folder).out
    assert cli("incidents", "resolve", name, "--note", "was meant", "-w", folder).code == 0
    assert cli("incidents", "resolve", name, "-w", folder).code == 2
    assert cli("incidents", "ack", name, "-w", folder).code == 2
    check(cli, folder, "watch")  # it goes on
    again = incidents(ledger)
    assert [(one.id, one.state, one.acknowledged_by) for one in again] == [(name, "open", "")]
    shown = cli("incidents", "show", name, "--json", folder / "one.json", "-w", folder)
    assert "I look at it [now]" in shown.out and "reopened by driftgate" in shown.out
    told = [event["what"] for event in json.loads((folder / "one.json").read_text())["history"]]
    assert told == ["opened", "acknowledged", "silenced", "resolved", "reopened"]
    assert subjects(mail) == [
        "opened (critical): watch: the model answers otherwise",
        "incidents: 1 came back, 1 resolved (critical)",
    ]
    cli("incidents", "resolve", name, "-w", folder)
    assert cli("incidents", "reopen", name, "-w", folder).code == 0
    assert cli("incidents", "reopen", name, "-w", folder).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("silence", "latest"),
        ("silence", "latest", "--for", "8 hours"),
        ("silence", "latest", "--until", "soon"),
        ("silence", "latest", "--until", "2026-12-01", "--for", "8h"),
        ("show", "nothing"),
        ("--severity", "grave"),
    ],
)
def test_what_is_not_understood_is_said(cli, folder, ledger, words) -> None:
    sign = Sign("watch", "service", "endpoint_down", "high", "canaries", "nothing answers")
    stands(ledger, "service", [sign], datetime.now(UTC), IncidentsConfig(), over="")
    assert cli("incidents", *words, "-w", folder).code == 2


def test_a_mail_server_that_is_down_keeps_nothing_from_looking_and_is_seen(cli, folder, endpoint, ledger, mail) -> None:
    settle(cli, folder)
    mail.refuses = True
    endpoint.default = Answer("B")
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1 and "notifications: channel ops fails, 1 messages wait: " in done.out
    assert re.search(r"channel ops fails, 1 messages? wait", cli("incidents", "-w", folder).out)
    assert cli("notify", "status", "-w", folder).code == 1
    assert "it did not take the newest message, 1 wait" in cli("doctor", "-w", folder).out
    mail.refuses = False
    assert cli("notify", "test", "-w", folder).code == 0
    assert "notifications: 1 sent" in cli("monitor", "check", "watch", "-w", folder).out
    assert cli("notify", "status", "-w", folder).code == 0
    assert len(mail.mails) == 2


def test_a_monitor_that_a_rule_names_and_is_not_there_is_an_error(cli, folder) -> None:
    hook = {"kind": "webhook", "url": "https://ops.example.com", "secret": "${env:HOOK_SECRET}"}
    rule = {"to": ["hook"], "monitors": ["wotch"]}
    change(folder, lambda config: config.update(notifications={"channels": {"hook": hook}, "rules": [rule]}))
    done = cli("incidents", "-w", folder)
    assert done.code == 2 and "there is no monitor 'wotch'\n  did you mean 'watch'?" in done.err
    rule.update(monitors=[], to=["hok"])
    change(folder, lambda config: config.update(notifications={"channels": {"hook": hook}, "rules": [rule]}))
    assert "no channel 'hok'" in cli("incidents", "-w", folder).err


def test_what_was_seen_a_month_ago_says_nothing_of_today(cli, folder, ledger) -> None:
    change(folder, lambda config: config["monitors"].pop("both"))
    settle(cli, folder)
    commands = ("monitor", "alerts", "-w", folder), ("incidents", "-w", folder)
    assert [cli(*command).code for command in commands] == [0, 0]
    for ago, codes in ((timedelta(hours=25), [0, 0]), (31 * DAY, [4, 4])):
        with ledger.write() as connection:
            connection.execute(update(table("looks", column("at", UtcDateTime))).values(at=datetime.now(UTC) - ago))
        said = [cli(*command) for command in commands]
        assert [one.code for one in said] == codes
    assert all("nothing has looked since" in " ".join(one.out.split()) for one in said)
