"""A workspace whose champion falls, a recipe, and a trainer of another distribution that keeps book of what is paid."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from sqlalchemy import select, update

from driftgate.finetune.remediation import _store, ending, events_of, remediations
from driftgate.ledger import Ledger, champion_of, open_ledger

MEASURED, MATERIAL = 60, 40
LEDGER = ".driftgate/ledger.db"
WORDS = ("산", "강", "바다", "하늘", "구름", "바람", "나무", "돌", "길", "집", "문", "창", "책", "붓")

PLUGIN = '''
"""Jobs stand in a file, as those of a service: by name, and paid once each. What happens to them is read from one."""
import os, signal
from dataclasses import dataclass
from pathlib import Path
from driftgate.finetune.train import JobGone, Status, TrainedModel, TrainerConfig, TrainerKind, read_items
from driftgate.flows.errors import DriftgateError

class Config(TrainerConfig):
    endpoint: str
    instance_count: int = 1
    prices: dict = {}

@dataclass
class Elsewhere:
    config: Config
    folder: Path

    def _deadly(self, moment):
        if os.environ.get("DEADLY") == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, line):
        with (self.folder / "service.txt").open("a") as book:
            book.write(line + "\\n")

    def _book(self):
        book = self.folder / "service.txt"
        return book.read_text().split("\\n") if book.exists() else []

    def submit(self, job):
        self._write(f"asked {job.name}")
        if f"paid {job.name}" not in self._book():
            self._write(f"paid {job.name}")
        self._deadly("submit")
        return {"items": len(read_items(job.items)), "name": job.name}

    def poll(self, handle):
        self._deadly("poll")
        script = self.folder / "job.txt"
        state, _, detail = (script.read_text() if script.exists() else "succeeded").partition(": ")
        if state == "gone":
            raise JobGone(f"job {handle['name']} was not found")
        if state == "error":
            raise DriftgateError(detail)
        if f"cancelled {handle['name']}" in self._book():
            return Status("failed", "cancelled")
        return Status(state, detail)

    def cancel(self, handle):
        self._write(f"cancelled {handle['name']}")

    def result(self, handle):
        self._deadly("result")
        model = {"provider": "openai", "endpoint": self.config.endpoint, "model": handle["name"], "attempts": 1}
        model |= {"prices": self.config.prices} if self.config.prices else {}
        return TrainedModel("elsewhere", model, handle["name"], {"items": handle["items"]})

KIND = TrainerKind(Config, lambda config, workspace: Elsewhere(config, workspace))
'''


@contextmanager
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The trainer, found through its entry point; also by processes that are started meanwhile."""
    (site / "elsewhere-1.0.dist-info").mkdir(parents=True)
    (site / "elsewhere.py").write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    (site / "elsewhere-1.0.dist-info" / "METADATA").write_text("Name: elsewhere\nVersion: 1.0\n", encoding="utf-8")
    entry = "[driftgate.finetune.train]\nelsewhere = elsewhere:KIND\n"
    (site / "elsewhere-1.0.dist-info" / "entry_points.txt").write_text(entry, encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield "elsewhere"
    sys.modules.pop("elsewhere", None)


def questions(kind: str, start: int, count: int) -> list[dict[str, object]]:
    """Questions that can be told apart, with their answers."""
    return [
        {
            "id": f"{kind}-{n}",
            "question": f"[{n}] {WORDS[n % 14]}와 {WORDS[(n * 5 + 3) % 14]} 가운데 {WORDS[n * 11 % 14]}에 가까운 것은?",
            "choices": [f"{WORDS[(n + k * 7) % 14]} {n * 4 + k}" for k in range(4)],
            "answer": "ABCD"[n % 4],
            "category": kind,
        }
        for n in range(start, start + count)
    ]


def right(prompt: str) -> Answer:
    """The right answer."""
    return Answer("ABCD"[int(re.findall(r"\[(\d+)\]", prompt)[-1]) % 4])


def wrong(prompt: str) -> Answer:
    """Another one."""
    return Answer("ABCD"[(int(re.findall(r"\[(\d+)\]", prompt)[-1]) + 1) % 4])


def make_workspace(place: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, trainer: str) -> Path:
    """A workspace with a watched champion and a recipe that asks for no approval."""
    place.mkdir()
    sets = {"canaries": (0, MEASURED), "hold_out": (100, MEASURED), "material": (200, MATERIAL)}
    for name, (start, count) in sets.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in questions(name, start, count)]
        (place / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    workspace = {
        "version": 1,
        "models": {"live": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "live", "attempts": 1}},
        "datasets": {name: {"kind": "jsonl", "path": f"{name}.jsonl"} for name in sets if name != "material"},
        "champions": {"assistant": "live"},
        "gates": {
            "promotion": {
                "rules": [
                    {"metric": "accuracy", "better_than": "champion", "alpha": 0.01, "dataset": "hold_out"},
                    {"metric": "accuracy", "no_worse_than": "champion", "margin": 0.05, "dataset": "canaries"},
                ]
            }
        },
        "monitors": {
            "watch": {"champion": "assistant", "canaries": {"dataset": "canaries"}, "recipe": "mend"},
        },
        "recipes": {
            "mend": {
                "champion": "assistant",
                "synthesis": {"sources": [{"kind": "questions", "path": "material.jsonl"}], "near_duplicate": 1.0},
                "base_model": "live",
                "trainer": {"trainer": trainer, "endpoint": f"{candidate.url}/v1"},
                "proof": ["hold_out", "canaries"],
                "gate": "promotion",
                "approval": False,
            }
        },
        "nightly": {"monitors": ["watch"]},
    }
    (place / "driftgate.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")
    return place


def change(folder: Path, path: tuple[str, ...], value: object) -> None:
    """Set a value of the workspace file."""
    file = folder / "driftgate.yaml"
    workspace = yaml.safe_load(file.read_text())
    inner = workspace
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
    inner[path[-1]] = value
    file.write_text(yaml.safe_dump(workspace), encoding="utf-8")


@contextmanager
def ledger_of(folder: Path) -> Iterator[Ledger]:
    """The workspace's ledger."""
    ledger = open_ledger(LEDGER, folder)
    try:
        yield ledger
    finally:
        ledger.close()


def state(folder: Path) -> tuple[str, str, str]:
    """The champion, the newest remediation's state, and why it ended, or its last message."""
    with ledger_of(folder) as ledger:
        newest = remediations(ledger)[0]
        events = events_of(ledger, newest.id)
        last = ending(events) or (events[-1] if events else None)
        return champion_of(ledger, "assistant") or "live", newest.state, last.message if last else ""


def newest(folder: Path) -> str:
    """The newest remediation's id."""
    with ledger_of(folder) as ledger:
        return remediations(ledger)[0].id


def messages(folder: Path) -> list[str]:
    """What the newest remediation's history says, in order."""
    with ledger_of(folder) as ledger:
        return [event.message for event in events_of(ledger, remediations(ledger)[0].id) if event.message]


def earlier(ledger: Ledger, days: float) -> None:
    """Let everything that happened to remediations have happened earlier."""
    ago = timedelta(days=days)

    def moved(table: Any, column: str) -> None:
        for row in connection.execute(select(table.c.id, table.c[column].label("at"))).all():
            if row.at is not None:
                connection.execute(update(table).where(table.c.id == row.id).values({column: row.at - ago}))

    with ledger.write() as connection:
        moved(_store._events, "at")
        moved(_store._remediations, "opened_at")
        moved(_store._remediations, "closed_at")


def opened(folder: Path) -> str:
    """Open a remediation, as an alert does; returns its id."""
    from driftgate.api.repair import begin_repair
    from driftgate.api.workspace import open_workspace

    with ledger_of(folder) as ledger:
        return begin_repair(open_workspace(folder), ledger, "mend", "live", {"why": "a test"})[0].id


Cli = Callable[..., Any]


def book(folder: Path) -> Counter[str]:
    """How often the training service was asked for a job, was paid for one, and cancelled one."""
    file = folder / "service.txt"
    return Counter(file.read_text().split()[0::2] if file.exists() else [])


def script(folder: Path, state: str) -> None:
    """What becomes of training jobs."""
    (folder / "job.txt").write_text(state)


def process(folder: Path, deadly: str = "") -> subprocess.Popen[bytes]:
    """``driftgate remediation run`` in a process of its own."""
    environment = {**os.environ, "DEADLY": deadly, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path.cwd())])}
    command = [sys.executable, "-m", "driftgate", "remediation", "run", "-w", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def recipe_of(folder: Path) -> Any:
    """The workspace's recipe as its file has it."""
    return yaml.safe_load((folder / "driftgate.yaml").read_text())["recipes"]["mend"]
