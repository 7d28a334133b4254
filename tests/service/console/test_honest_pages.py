"""What pages say where something is misspelt, past the end, stalled or not told; what nobody sees is on none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from console_world import _cell
from fastapi.testclient import TestClient
from sqlalchemy import text

import driftgate
from driftgate.api.facade import Workspace
from driftgate.benchmarks.datasets import make_sample
from driftgate.benchmarks.scores import score_run
from driftgate.ledger import Ledger, add_cell, finish_run, start_run
from driftgate.service.console._render import HERE

from .conftest import application


def test_what_is_misspelt_is_told_with_what_there_is(client: TestClient, nights: list[str]) -> None:
    told = client.get("/incidents.json?monitor=assistan").json()
    assert told == {
        "detail": "the table 'incidents' has nothing whose monitor is 'assistan'",
        "remedy": "did you mean 'assistant'?",
    }
    assert client.get("/runs.json?suit=nightly").json()["remedy"] == "did you mean 'suite'?"
    assert "did you mean 'failed'" in client.get(f"/runs/{nights[0]}?outcome=faild").text.replace("&#39;", "'")
    assert client.get(f"/runs/{nights[0]}?gold=A").status_code == 400  # it was overlooked, and everything shown
    # Two filters that each fit and together find nothing are no mistake.
    none = client.get("/incidents.json?monitor=assistant&state=acknowledged").json()["tables"]["incidents"]
    assert none["rows"] == []


@pytest.mark.core
def test_the_overview_is_not_green_while_nobody_can_be_told(own: Workspace) -> None:
    file = own.files.folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    config["notifications"] = {
        "channels": {"hook": {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "${env:HOOK_SECRET}"}}
    }
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    with driftgate.open(own.files.folder) as opened:
        assert opened.channels()[0].trouble(datetime.now(UTC)) == ""
        opened.tell()  # nothing answers
        reader = TestClient(application(opened, "read"))
        facts = reader.get("/overview.json").json()["facts"]
        (said,) = [one for one in facts["concerns"] if one["subject"] == "hook"]
        assert said["grade"] == "wrong" and "1 message waits" in said["told"] and said["since"]
        (row,) = reader.get("/incidents.json").json()["tables"]["channels"]["rows"]
        assert (row["channel"], row["state"], row["waiting"]) == ("hook", "failed", 1)


def test_the_overview_says_which_live_model_nobody_measures(own: Workspace) -> None:
    file = own.files.folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))

    def said() -> list[str]:
        file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        with driftgate.open(own.files.folder) as opened:
            facts = TestClient(application(opened, "read")).get("/overview.json").json()["facts"]
        return [one["subject"] for one in facts["concerns"] if "no monitor watches it" in one["told"]]

    config["champions"] = {**config.get("champions", {}), "unseen": next(iter(config["models"]))}
    config["nightly"] = {"suites": []}
    model = config["champions"]["unseen"]
    assert f"unseen · {model}" in said()
    config["suites"]["followed"] = {**next(iter(config["suites"].values())), "models": ["champion:unseen"]}
    config["nightly"] = {"suites": ["followed"]}
    assert f"unseen · {model}" not in said()


def test_a_page_past_the_end_is_none_and_leads_to_the_last(client: TestClient) -> None:
    page = client.get("/runs?page=9&size=2&kind=benchmark").text
    assert "There is no page 9." in page and "No run yet" not in page
    assert "?page=3&amp;size=2&amp;kind=benchmark" in page


def test_what_nobody_sees_is_on_no_page(own: Workspace) -> None:
    hostile = "a\u202eb\x07c\x1b[31md"
    ledger = own.ledger
    asked = make_sample("exam", "test", 0, {"question": hostile, "answer": "A"}, id=f"q{hostile}", category=hostile)
    other = make_sample("exam", "test", 1, {"question": "b", "answer": "A"}, id="other", category="plain")
    run = start_run(ledger, "nightly", {"cells": [{}]}, "hash", 0, "0.1")
    add_cell(ledger, run.id, 0, {**_cell("small"), "variant": hostile}, [asked, other])
    own.acknowledge("latest", hostile, who="lead")
    reader = TestClient(application(own, "read", "operate"))
    incident = f"/incidents/{own.incident('latest').id}"
    for address in (
        f"/runs/{run.id}?size=1",
        "/datasets/exam?size=5",
        f"/runs/{run.id}/0/{sample_of(ledger, 'q' + hostile)}",
        incident,
        "/",
    ):
        page = reader.get(address).text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page), address
    # Its exact value is what a form sends, and finds it.
    page = reader.get(f"/runs/{run.id}?outcome=&category=plain").text
    assert "a&#8238;b&#7;c&#27;[31md" in page
    found = reader.get(f"/runs/{run.id}.json", params={"category": hostile}).json()["tables"]["samples"]
    assert found["total"] == 1


def test_a_run_in_which_nothing_was_answered_has_no_score(own: Workspace) -> None:
    run = start_run(own.ledger, "silent", {"cells": [{}]}, "hash", 0, "0.1")
    asked = make_sample("exam", "test", 0, {"question": "1+1은?", "choices": ["2", "3"], "answer": "A"})
    add_cell(own.ledger, run.id, 0, _cell("small"), [asked])
    finish_run(own.ledger, run.id)
    score_run(own.ledger, run.id)
    reader = TestClient(application(own, "read"))
    (row,) = reader.get("/runs.json?suite=silent").json()["tables"]["runs"]["rows"]
    assert row["accuracy"] is None and row["cells"][0]["accuracy"] is None and row["reason"] == "nothing was answered"
    assert reader.get(f"/runs/{run.id}.json").json()["facts"]["cells"][0]["accuracy"]["value"] is None
    (point,) = reader.get("/suites/silent.json").json()["facts"]["cells"][0]["points"]
    assert point["value"] is None and point["status"] == "unmeasurable"


def test_a_run_whose_process_died_keeps_the_overview_from_being_green(own: Workspace) -> None:
    ledger = own.ledger
    run = start_run(ledger, "never-ended", {"cells": [{}]}, "hash", 0, "0.1")
    reader = TestClient(application(own, "read"))

    def said() -> list[str]:
        facts = TestClient(application(own, "read")).get("/overview.json").json()["facts"]
        return [one["status"] for one in facts["concerns"] if one["subject"] == "never-ended"]

    assert said() == []
    aged(ledger, run.id, timedelta(minutes=6))
    assert said() == ["stalled"]
    assert reader.get(f"/runs/{run.id}.json").json()["facts"]["status"] == "stalled"
    assert reader.get("/runs.json?status=stalled").json()["tables"]["runs"]["rows"][0]["run"] == run.id
    assert own.run(run.id).status == "stalled" and "may have died" in own.run(run.id).as_json()["reason"]
    later = start_run(ledger, "never-ended", {"cells": [{}]}, "hash", 0, "0.1")
    finish_run(ledger, later.id)
    assert said() == []


def test_a_head_is_answered_as_the_page_without_it(client: TestClient, addresses: dict[str, str]) -> None:
    for address in (*addresses.values(), "/runs.json", "/static/console.css"):
        assert client.head(address).status_code == 200, address


def sample_of(ledger: Ledger, name: str) -> int:
    with ledger.read() as connection:
        return int(
            connection.execute(text("SELECT id FROM samples WHERE upstream_id = :name"), {"name": name}).scalar_one()
        )


def aged(ledger: Ledger, run: str, by: timedelta) -> None:
    began = datetime.now(UTC) - by
    with ledger.write() as connection:
        connection.execute(
            text("UPDATE runs SET created_at = :at WHERE id = :id"),
            {"at": f"{began:%Y-%m-%d %H:%M:%S}.000000", "id": run},
        )


def test_pages_go_on_as_they_began_whatever_is_installed_meanwhile(own: Workspace, addresses: dict[str, str]) -> None:
    program = """
import sys
from pathlib import Path
import driftgate
from driftgate.service.console import _render
from tests.service.console.conftest import application
from fastapi.testclient import TestClient
_render.HERE = Path(sys.argv[2])
with driftgate.open(sys.argv[1]) as opened:
    client = TestClient(application(opened, "read"))
    shutil = __import__("shutil")
    shutil.rmtree(_render.HERE / "templates")
    shutil.rmtree(_render.HERE / "static")
    for address in ("/", "/runs", "/jobs", "/static/console.css"):
        assert client.get(address).status_code == 200, address
"""
    copied = own.files.folder / "installed"
    for name in ("templates", "static"):
        shutil.copytree(HERE / name, copied / name)
    done = subprocess.run(
        [sys.executable, "-c", program, str(own.files.folder), str(copied)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
