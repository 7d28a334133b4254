"""Jobs on the command line, in a notebook and over HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from fastapi.testclient import TestClient

import driftgate
from driftgate.api.jobs import LEAD, find_job, list_jobs
from driftgate.api.workspace import open_workspace
from driftgate.ledger import Lease, Ledger, audit_of, open_ledger
from driftgate.service._make import make_service
from driftgate.service.jobs import Board, Ending
from driftgate.service.jobs._process import Output

TOKEN = "a-token-of-enough-letters"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    endpoint.default = Answer("A")
    rows = "".join(f'{{"question": "문제 {n}번은?", "choices": ["가", "나"], "answer": "A"}}\n' for n in range(20))
    (tmp_path / "canaries.jsonl").write_text(rows, "utf-8")
    config = {
        "version": 1,
        "models": {"live": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "m", "attempts": 1}},
        "datasets": {"canaries": {"kind": "jsonl", "path": "canaries.jsonl"}},
        "champions": {"assistant": "live"},
        "monitors": {"watch": {"champion": "assistant", "cron": "0 0 1 1 *", "canaries": {"dataset": "canaries"}}},
        "service": {"token": "${env:TEST_TOKEN}"},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()


def test_a_job_is_asked_for_done_by_who_serves_and_shown(cli, folder: Path, ledger: Ledger) -> None:
    nobody = cli("jobs", "-w", folder)
    assert (nobody.code, "no job" in nobody.out, "no process serves" in nobody.out) == (4, True, True)
    assert f"look-watch: 0 0 1 1 * (UTC), next at {datetime.now(UTC).year + 1}-01-01 00:00 UTC" in nobody.out
    asked = cli("jobs", "run", "look-watch", "-w", folder)
    assert (asked.code, "asked for" in asked.out, "it waits until one does" in asked.out) == (4, True, True)
    assert "waits already" in cli("jobs", "run", "look-watch", "-w", folder).out
    (job,) = list_jobs(ledger)
    assert cli("jobs", "show", job.id[-4:], "-w", folder).code == 3
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        for _ in range(300):
            shown = client.get(f"/api/jobs/{job.id}").json()
            if shown["state"] not in ("waiting", "running"):
                break
            time.sleep(0.2)
        assert (shown["state"], shown["result"], shown["exit_code"]) == ("done", "good", 0)
        assert [event["what"] for event in shown["events"]] == ["asked", "begun", "ended"]
        assert "reference look" in shown["output"]
        again = cli("jobs", "run", "look-watch", "-w", folder)
        assert (again.code, "no process serves" in again.out) == (0, False)
        assert cli("jobs", "-w", folder).code == 0
    done = cli("jobs", "show", job.id, "-w", folder)
    assert (done.code, "reference look" in done.out) == (0, True)
    only = cli("jobs", "--state", "done", "--name", "look-watch", "-w", folder)
    assert job.id in "".join(only.out.split()).replace("│", "")


def test_what_failed_last_is_the_exit_code_of_the_list(cli, folder: Path, ledger: Ledger) -> None:
    with driftgate.open(folder) as ws:
        lease = Lease(ledger, LEAD)
        assert lease.acquire()
        board = Board(lease, {kind.name: kind for kind in ws.job_kinds()})
        for ending, code in ((Ending("failed", 2, "no model"), 1), (Ending("done", 1, ""), 0)):
            ws.run_job("look-watch", who="kim")
            (job,) = board.begin((), 1, list_jobs(ledger)[0].due_at)
            board.end(job.id, ending, Output("what it said\n"))
            assert [one.id for one in ws.jobs(1)] == [job.id]
            assert cli("jobs", "-w", folder).code == code
            assert cli("jobs", "show", job.id, "-w", folder).code == code
        assert ws.job(job.id).output == "what it said\n"
        serving = ws.serving()
        assert serving is not None and serving.holder == lease.holder


def test_cancelling_and_what_there_is_not(cli, folder: Path, ledger: Ledger) -> None:
    cli("jobs", "run", "look-watch", "-w", folder)
    (job,) = list_jobs(ledger)
    assert cli("jobs", "cancel", job.id, "-w", folder).code == 0
    assert find_job(ledger, job.id).state == "cancelled"
    assert cli("jobs", "show", job.id, "-w", folder).code == 1
    for arguments, says in (
        (("cancel", job.id), "has ended: cancelled"),
        (("run", "look-wach"), "did you mean 'look-watch'?"),
        (("show", "20991231"), "no job fits '20991231'"),
        (("--state", "dnoe"), "did you mean 'done'?"),
        (("--name", "look-wach"), "did you mean 'look-watch'?"),
        (("run", "mend"), "it has no recipe"),
        (("run", "nightly"), "nothing stands under nightly"),
    ):
        refused = cli("jobs", *arguments, "-w", folder)
        assert (refused.code, says in refused.err) == (2, True), refused.err


def test_by_what_is_done_the_newest_is_meant(cli, folder: Path, ledger: Ledger) -> None:
    with driftgate.open(folder) as ws:
        lease = Lease(ledger, LEAD)
        assert lease.acquire()
        board = Board(lease, {kind.name: kind for kind in ws.job_kinds()})
        for _ in range(2):
            ws.run_job("look-watch")
            (job,) = board.begin((), 1, datetime.now(UTC))
            board.end(job.id, Ending("done", 0, ""), Output(""))
        ended = [one.id for one in ws.jobs()]
        assert ended[0] in cli("jobs", "show", "look-watch", "-w", folder).out
        waits, _ = ws.run_job("look-watch")
        ws.cancel_job("look-watch")
        assert ws.job(waits.id).job.state == "cancelled"
        refused = cli("jobs", "show", waits.id[:6], "-w", folder).err
        assert "3 jobs fit" in refused and all(one in refused for one in ended)
        assert "last sign of life" in cli("jobs", "-w", folder).out


def test_a_taken_port_is_said_before_anything_is_claimed(cli, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = folder / "driftgate.yaml"
        config = yaml.safe_load(file.read_text("utf-8"))
        config["service"]["port"] = port
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        refused = cli("serve", "-w", folder)
    assert (refused.code, refused.out) == (2, "")
    assert f"port {port} of 127.0.0.1 is taken" in refused.err and "service.port" in refused.err


def test_over_http(folder: Path, ledger: Ledger) -> None:
    client = TestClient(make_service(open_workspace(folder), ledger))  # nobody serves: what is asked for waits
    for method, path in (("GET", ""), ("GET", "/x"), ("POST", "/look-watch/run"), ("POST", "/x/cancel")):
        assert client.request(method, f"/api/jobs{path}", headers=JSON).status_code == 401
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    assert client.post("/api/jobs/look-watch/run").status_code == 415  # as a form of another page sends it
    assert list_jobs(ledger) == []
    asked = client.post("/api/jobs/look-watch/run", json={})
    assert (asked.status_code, asked.json()["new"], asked.json()["served"]) == (202, True, False)
    id = asked.json()["id"]
    for body in (b"{", b"[]", b'{"at": "now"}', b'"now"'):
        assert client.post("/api/jobs/look-watch/run", content=body, headers=JSON).status_code == 422, body
    assert client.post("/api/jobs/look-watch/run", headers=JSON).json()["id"] == id
    assert client.get("/api/jobs?name=look-wach").status_code == 422
    assert client.get("/api/jobs?nmae=look-watch").status_code == 422
    assert len(audit_of(ledger, action="job")) == 1
    assert [job["id"] for job in client.get("/api/jobs?state=waiting&name=look-watch").json()] == [id]
    assert client.get("/api/jobs?state=done").json() == []
    assert client.get("/api/jobs?state=dnoe").status_code == 422
    assert client.get("/api/jobs?limit=0").status_code == 422
    assert client.get("/api/jobs/none").status_code == 404
    assert client.post("/api/jobs/none/run", json={}).status_code == 404
    assert client.post("/api/jobs/none/cancel", json={}).status_code == 404
    assert client.post(f"/api/jobs/{id}/cancel", json={}).json()["state"] == "cancelled"
    assert client.post(f"/api/jobs/{id}/cancel", json={}).status_code == 409


def test_what_is_forgotten_goes_from_what_jobs_printed_too(cli, folder: Path, ledger: Ledger) -> None:
    lease = Lease(ledger, LEAD)
    assert lease.acquire()
    with driftgate.open(folder) as ws:
        board = Board(lease, {kind.name: kind for kind in ws.job_kinds()})
        ws.run_job("look-watch", who="kim")
        (job,) = board.begin((), 1, list_jobs(ledger)[0].due_at)
        board.end(
            job.id, Ending("failed", 2, "no answer to 'Where does Hong Gildong live?'"), Output("asked Hong Gildong\n")
        )
        assert "Hong Gildong" in ws.job(job.id).output
        cli("forget", "--matching", "hong gildong", "-w", folder)
        found = ws.job(job.id)
    assert "Hong" not in repr(found)
    assert found.job.state == "failed"
