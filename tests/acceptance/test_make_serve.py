"""``make serve``: what is scheduled a minute ahead runs, and a person handles what came of it in a real browser."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint

import driftgate
from driftgate.ledger import champion_of

from .conftest import DRIFTGATE, ROOT
from .test_service import free_port

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra 'dev')")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needed = {"chromium": CHROMIUM, "make": shutil.which("make")}
pytestmark = pytest.mark.skipif(not all(needed.values()), reason=f"not all of {', '.join(needed)} are installed")

TRAINER = """
from dataclasses import dataclass
from driftgate.finetune.train import Status, TrainedModel, TrainerConfig, TrainerKind, read_items

class Config(TrainerConfig):
    endpoint: str

@dataclass
class Elsewhere:
    config: Config
    def submit(self, job):
        return {"items": len(read_items(job.items)), "name": job.name}
    def poll(self, handle):
        return Status("succeeded")
    def result(self, handle):
        model = {"provider": "openai", "endpoint": self.config.endpoint, "model": handle["name"], "attempts": 1}
        return TrainedModel("elsewhere", model, handle["name"], {"items": handle["items"]})

KIND = TrainerKind(Config, lambda config, workspace: Elsewhere(config))
"""
WORDS = ("산", "강", "바다", "하늘", "구름", "바람", "나무", "돌", "길", "집", "문", "창", "책", "붓")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A trainer of another distribution, as a team would install it."""
    folder = tmp_path / "site"
    (folder / "elsewhere-1.0.dist-info").mkdir(parents=True)
    (folder / "elsewhere.py").write_text(TRAINER, encoding="utf-8")
    (folder / "elsewhere-1.0.dist-info" / "METADATA").write_text("Name: elsewhere\nVersion: 1.0\n", encoding="utf-8")
    entry = "[driftgate.finetune.train]\nelsewhere = elsewhere:KIND\n"
    (folder / "elsewhere-1.0.dist-info" / "entry_points.txt").write_text(entry, encoding="utf-8")
    return folder


@contextlib.contextmanager
def answering(shift: int) -> Iterator[ChatEndpoint]:
    """A model whose every letter is so many places beside the right one."""
    served = ChatEndpoint()
    served.default = lambda prompt: Answer("ABCD"[(int(re.findall(r"\[(\d+)\]", prompt)[-1]) + shift) % 4])
    served.start()
    yield served
    served.stop()


def questions(kind: str, start: int, count: int) -> str:
    rows = [
        {
            "id": f"{kind}-{n}",
            "question": f"[{n}] {WORDS[n % 14]}와 {WORDS[(n * 5 + 3) % 14]} 가운데 {WORDS[n * 11 % 14]}에 가까운 것은?",
            "choices": [f"{WORDS[(n + k * 7) % 14]} {n * 4 + k}" for k in range(4)],
            "answer": "ABCD"[n % 4],
        }
        for n in range(start, start + count)
    ]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def write_workspace(place: Path, live: ChatEndpoint, candidate: ChatEndpoint, port: int) -> None:
    place.mkdir()
    for name, (start, count) in {"canaries": (0, 60), "hold_out": (100, 60), "material": (200, 40)}.items():
        (place / f"{name}.jsonl").write_text(questions(name, start, count), encoding="utf-8")
    workspace = {
        "version": 1,
        "name": "help-desk",
        "models": {"live": {"provider": "openai", "endpoint": f"{live.url}/v1", "model": "live", "attempts": 1}},
        "datasets": {name: {"kind": "jsonl", "path": f"{name}.jsonl"} for name in ("canaries", "hold_out")},
        "suites": {"exam": {"models": ["live"], "datasets": ["hold_out"], "variants": ["terse"]}},
        "champions": {"assistant": "live"},
        "gates": {
            "promotion": {
                "rules": [
                    {"metric": "accuracy", "better_than": "champion", "alpha": 0.01, "dataset": "hold_out"},
                    {"metric": "accuracy", "no_worse_than": "champion", "margin": 0.05, "dataset": "canaries"},
                ]
            }
        },
        "monitors": {"watch": {"champion": "assistant", "canaries": {"dataset": "canaries"}, "recipe": "mend"}},
        "recipes": {
            "mend": {
                "champion": "assistant",
                "synthesis": {"sources": [{"kind": "questions", "path": "material.jsonl"}], "near_duplicate": 1.0},
                "base_model": "live",
                "trainer": {"trainer": "elsewhere", "endpoint": f"{candidate.url}/v1"},
                "proof": ["hold_out", "canaries"],
                "gate": "promotion",
                "approval": True,
            }
        },
        "nightly": {"suites": ["exam"], "monitors": ["watch"]},
        "service": {"port": port, "token": "${env:DRIFTGATE_TOKEN}"},
    }
    (place / "driftgate.yaml").write_text(yaml.safe_dump(workspace, allow_unicode=True), encoding="utf-8")


def schedule(place: Path, at: datetime) -> None:
    """The nightly at a minute, and a check at the same one."""
    file, fields = place / "driftgate.yaml", f"{at.minute} {at.hour} * * *"
    told = yaml.safe_load(file.read_text("utf-8"))
    told["service"]["nightly_cron"] = told["monitors"]["watch"]["cron"] = fields
    file.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")


@contextlib.contextmanager
def made_to_serve(place: Path, port: int, environment: dict[str, str]) -> Iterator[str]:
    """``make serve`` without a token: it prints the key it made. Yields that key."""
    command = ["make", "--no-print-directory", "serve", f"WORKSPACE={place}"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        key = next(line.split()[-1] for line in process.stdout if line.startswith("sign in with"))
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1)
                break
            time.sleep(0.25)
        yield key
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def ended_jobs(place: Path) -> dict[str, str]:
    with driftgate.open(place) as ws:
        return {job.name: job.state for job in ws.jobs() if job.state not in ("waiting", "running")}


def until(said: str, holds: Any, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():
            return
        time.sleep(1)
    raise AssertionError(f"in {seconds:.0f} s there was no {said}")


def test_what_is_scheduled_a_minute_ahead_runs_and_a_person_handles_it_in_a_browser(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, port = tmp_path / "workspace", free_port()
    monkeypatch.syspath_prepend(str(site))  # this process reads the recipe too
    importlib.invalidate_caches()
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {name: value for name, value in os.environ.items() if name != "DRIFTGATE_TOKEN"}
    environment |= {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    with answering(0) as live, answering(0) as candidate:
        write_workspace(place, live, candidate, port)
        for _ in range(2):  # the champion is well, and that is the reference
            subprocess.run([*DRIFTGATE, "nightly", "-w", str(place)], env=environment, check=True, capture_output=True)
        live.default = lambda prompt: Answer("ABCD"[(int(re.findall(r"\[(\d+)\]", prompt)[-1]) + 1) % 4])
        schedule(place, datetime.now(UTC) + timedelta(seconds=75))
        with made_to_serve(place, port, environment) as key, sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            faults: list[str] = []
            page.on("console", lambda told: faults.append(told.text) if told.type in ("error", "warning") else None)
            page.on("response", lambda reply: faults.append(reply.url) if reply.status >= 400 else None)
            page.on("pageerror", lambda problem: faults.append(str(problem)))
            page.goto(f"http://127.0.0.1:{port}/")
            page.locator("#key").fill(key)
            page.locator("button").click()
            page.wait_for_url(f"http://127.0.0.1:{port}/")
            assert not {"nightly", "look watch"} & set(ended_jobs(place)), "they were to come a minute later"
            until("end of the nightly and the check", lambda: len(ended_jobs(place)) >= 2, 240)

            page.goto(f"http://127.0.0.1:{port}/jobs")
            told = page.locator("#jobs tbody").inner_text()
            assert "nightly" in told and "watch" in told
            page.goto(f"http://127.0.0.1:{port}/runs?suite=exam")
            assert page.locator("#runs tbody tr").count() == 3

            page.goto(f"http://127.0.0.1:{port}/incidents")
            page.locator("#incidents tbody a").first.click()
            page.locator('form[action="/actions/incident/acknowledge"] input[name="note"]').fill("looking at it")
            page.locator('form[action="/actions/incident/acknowledge"] button').click()
            page.wait_for_load_state()
            assert "looking at it" in page.locator("main").inner_text()
            with driftgate.open(place) as ws:
                (incident,) = [one for one in ws.incidents() if one.acknowledged_by]
            assert incident.acknowledged_by == "operator token"

            def waits() -> bool:
                page.goto(f"http://127.0.0.1:{port}/remediations")
                page.locator("#remediations tbody a").first.click()
                page.wait_for_load_state()
                return bool(page.locator('form[action="/actions/remediation/approve"]').count())

            until("remediation that waits for a person", waits, 120)
            page.locator('form[action="/actions/remediation/approve"] input[name="who"]').fill("kim")
            page.locator('form[action="/actions/remediation/approve"] button').click()
            page.wait_for_load_state()

            def promoted() -> bool:
                with driftgate.open(place) as ws:
                    return champion_of(ws.ledger, "assistant") not in (None, "live")

            until("promotion of what was approved", promoted, 120)
            page.goto(f"http://127.0.0.1:{port}/champions")
            assert "assistant-" in page.locator("main").inner_text()
            page.locator('form[action="/signout"] button').click()
            page.wait_for_url("**/signin**")
            page.goto(f"http://127.0.0.1:{port}/runs")
            assert "/signin" in page.url
            browser.close()
    assert faults == []
