"""Forms: what they do, and that no other site sends them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console_world import JUDGE
from fastapi.testclient import TestClient

from driftgate.api.facade import Workspace
from driftgate.benchmarks.reviewing import human_labels
from driftgate.finetune.remediation import find_remediation, remediations
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import audit_of, cells_of, latest_runs
from driftgate.service.console import _render
from driftgate.service.console._actions import ACTIONS

from .conftest import application

OURS = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of ours."""


@pytest.fixture
def browser(own: Workspace) -> TestClient:
    return TestClient(application(own, "read", "operate"), headers=OURS, follow_redirects=False)


def token_of(browser: TestClient, page: str) -> str:
    return re.findall(r'name="csrf" value="([^"]+)"', browser.get(page).text)[0]


def test_a_form_of_another_site_counts_for_nothing(browser: TestClient, own: Workspace) -> None:
    token, before = token_of(browser, "/jobs"), own.jobs()
    asked = {"csrf": token, "name": "nightly", "back": "/jobs"}
    where = "/actions/job/run"
    without = {"name": "nightly", "back": "/jobs"}
    assert browser.post(where, data=without).status_code == 403
    assert browser.post(where, data=asked | {"csrf": token[:-1] + "x"}).status_code == 403
    assert browser.post(where, data=asked, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post(where, data=asked, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert browser.post(where, data=asked, headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.post(where, data=asked, headers={"Origin": "null"}).status_code == 403
    assert browser.post(where, json=asked).status_code == 403
    assert browser.post(where, json=asked, headers={"X-CSRF-Token": token}).status_code == 415
    assert browser.post(where, data=asked | {"name": "x" * 70_000}).status_code == 413
    mute = TestClient(browser.app, follow_redirects=False)  # says nothing of the page that asks
    assert mute.post(where, data=asked).status_code == 403
    assert own.jobs() == before
    done = browser.post(where, data=asked)
    assert (done.status_code, done.headers["location"]) == (303, "/jobs")
    assert [job.name for job in own.jobs() if job not in before] == ["nightly"] or before
    assert [row.action for row in audit_of(own.ledger) if row.who == "lead"] == ["job.run"]
    browser.post(where, data=asked)  # sent twice: the job is the same, and so is what is recorded
    assert [row.action for row in audit_of(own.ledger) if row.who == "lead"] == ["job.run"]
    assert browser.post(where, data=asked | {"back": "//evil.example"}).headers["location"] == "/"


def test_every_form_has_the_token_of_who_reads_it_and_leads_to_an_action(
    client: TestClient, addresses: dict[str, str]
) -> None:
    led: set[str] = set()
    for address in addresses.values():
        page = client.get(address).text
        token = token_of(client, addresses["jobs"])
        for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL):
            (action,) = re.findall(r'action="([^"]+)"', form)
            assert re.findall(r'name="csrf" value="([^"]*)"', form) == [token], (address, form)
            led.add(action)
    # Those that only a repair with a proposal, one that was stopped, or an incident that was resolved would show.
    seldom = {"remediation/approve", "remediation/resume", "incident/reopen"}
    assert led == {"/signout", *(f"/actions/{name}" for name in ACTIONS if name not in seldom)}
    for template in sorted((Path(_render.__file__).parent / "templates").glob("*.html")):
        forms = len(re.findall('method="post"', text := template.read_text("utf-8")))
        tokens = text.count("{{ csrf }}") + text.count('name="csrf" value="{{ session }}"')
        assert forms == tokens, template.name


def test_a_person_rejects_what_waits_for_approval(browser: TestClient, own: Workspace) -> None:
    one = remediations(own.ledger)[0]
    page = f"/remediations/{one.id}"
    told = {"csrf": token_of(browser, page), "id": one.id, "back": page}
    assert browser.post("/actions/remediation/reject", data=told).status_code == 409  # without a reason
    assert browser.post("/actions/remediation/approve", data=told).status_code == 409  # it does not say what was shown
    approved = browser.post("/actions/remediation/approve", data=told | {"what": "hash-of-what-is-agreed-to"})
    assert approved.status_code == 409 and "recipe" in approved.text  # this one rests on nothing that is in the ledger
    assert browser.post("/actions/remediation/reject", data=told | {"reason": "too slow"}).status_code == 303
    assert find_remediation(own.ledger, one.id).state == "rejected"
    assert "too slow" in browser.get(page).text and "h-waits" not in browser.get(page).text
    assert browser.post("/actions/remediation/reject", data=told | {"reason": "again"}).status_code == 409


def test_a_person_ends_a_repair_and_stops_all(browser: TestClient, own: Workspace) -> None:
    one = remediations(own.ledger)[0]
    page = f"/remediations/{one.id}"
    told = {"csrf": token_of(browser, page), "id": one.id, "back": page}
    assert browser.post("/actions/remediation/stop", data=told | {"reason": "the bill"}).status_code == 303
    assert "the bill" in browser.get(page).text and "the bill" in browser.get("/remediations").text
    assert browser.post("/actions/remediation/resume", data=told).status_code == 303
    assert "the bill" not in browser.get("/remediations").text
    assert browser.post("/actions/remediation/abandon", data=told).status_code == 409  # without a reason
    assert browser.post("/actions/remediation/abandon", data=told | {"reason": "not needed"}).status_code == 303
    assert find_remediation(own.ledger, one.id).state == "abandoned"
    assert "not needed" in browser.get(page).text
    done = [row.action for row in audit_of(own.ledger, action="remediation") if row.who == "lead"]
    assert done == ["remediation.abandon", "remediation.resume", "remediation.stop"]


def test_an_incident_is_handled_by_forms(browser: TestClient, own: Workspace) -> None:
    one = own.incidents(states=("open",))[0]
    page = f"/incidents/{one.id}"
    told = {"csrf": token_of(browser, page), "id": one.id, "back": page, "note": "looking at it"}
    assert browser.post("/actions/incident/acknowledge", data=told).status_code == 303
    assert own.incident(one.id).acknowledged_by == "lead"
    assert "acknowledged by lead" in browser.get("/").text
    assert browser.post("/actions/incident/silence", data=told).status_code == 409  # for how long?
    assert browser.post("/actions/incident/silence", data=told | {"hours": "nan"}).status_code == 409
    assert browser.post("/actions/incident/silence", data=told | {"hours": "8"}).status_code == 303
    assert own.incident(one.id).silenced()
    assert browser.post("/actions/incident/resolve", data=told).status_code == 303
    assert own.incident(one.id).state == "resolved"
    assert browser.post("/actions/incident/reopen", data=told).status_code == 303
    rows = browser.get(f"{page}.json").json()["tables"]["history"]["rows"]
    assert [row["what"] for row in rows][:4] == ["reopened", "resolved", "silenced", "acknowledged"]
    assert {row["note"] for row in rows[:4]} == {"looking at it"}


def test_people_label_samples_and_the_judge_is_held_against_them(browser: TestClient, own: Workspace) -> None:
    run = latest_runs(own.ledger, 1, status="complete")[0]
    page = f"/review/{run.id}/0"
    seen = []
    for turn in range(12):
        facts = browser.get(f"{page}.json").json()["facts"]
        seen.append(facts["sample"])
        assert "it names the right choice" not in browser.get(page).text  # what the judge says is not shown
        token = token_of(browser, page)
        label = {"csrf": token, "run": run.id, "cell": "0", "judge": JUDGE, "sample": str(facts["sample"])}
        said = {"grade": "4"} if turn % 3 else {"passed": "no"} if turn % 2 else {"passed": ""}
        assert browser.post("/actions/review/label", data=label | said | {"back": page}).status_code == 303
    assert len(set(seen)) == 12 and sorted(seen) != seen
    cell = cells_of(own.ledger, run.id)[0]
    kept = human_labels(own.ledger, cell.id, JUDGE)
    assert [one.sample_id for one in kept] == seen and {one.who for one in kept} == {"lead"}
    labelled = sum(one.grade is not None or one.passed is not None for one in kept)
    assert browser.get("/review.json?judge=" + JUDGE).json()["tables"]["reviews"]["rows"][0]["labelled"] == labelled
    made = own.calibrate(JUDGE, run=f"{run.id}/0")
    assert made.n - made.blank == labelled
    bad = {"csrf": token_of(browser, page), "run": run.id, "cell": "0", "judge": JUDGE, "sample": str(seen[0])}
    assert browser.post("/actions/review/label", data=bad | {"grade": "9"}).status_code == 409
    assert browser.post("/actions/review/label", data=bad | {"sample": "99999", "grade": "3"}).status_code == 409


def test_without_labels_nothing_is_calibrated(own: Workspace) -> None:
    run = latest_runs(own.ledger, 1, status="complete")[0]
    with pytest.raises(DriftgateError, match="nobody has labelled samples"):
        own.calibrate(JUDGE, run=f"{run.id}/0")
