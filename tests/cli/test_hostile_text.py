"""Whatever a dataset, a service or the ledger says, no command prints what a terminal or a build system obeys."""

from __future__ import annotations

import csv
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status, Step
from command_line import Cli
from hostile import HOSTILE, obeyed, poison
from promoted import right_answer
from sqlalchemy import insert, update

from driftgate.api.jobs import ask_for
from driftgate.api.jobs._tables import jobs, outputs
from driftgate.benchmarks.datasets import make_sample
from driftgate.cli import app
from driftgate.finetune.remediation import open_remediation
from driftgate.finetune.remediation._store import add_event
from driftgate.ledger import add_cell, finish_run, latest_runs, open_ledger, pending_samples, record, start_run
from driftgate.monitor.incidents import IncidentsConfig, Sign, settle

COUNT = 8
MARK = "result=Succeeded"
"""Of the hostile text, what is left to be seen."""


ORDERS = ("show", "cancel", "pause", "resume")
SILENT = {
    *("azure deploy", "azure publish", "azure render", "azure retry", "azure workbook", "demo handbook"),
    *("keys list", "ledger pack", "notify status", "privacy canaries", "remediation resume", "runs conventions"),
    *("schema", "serve", "view"),
}
"""Commands that print nothing which comes from anywhere else, or that a plain installation refuses."""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command of the command line."""
    found = typer.main.get_command(app) if command is None else command
    if hasattr(found, "commands"):
        if path and found.invoke_without_command:
            yield " ".join(path)
        for name, below in found.commands.items():
            yield from commands(below, (*path, name))
    else:
        yield " ".join(path)


def reply(prompt: str) -> Step:
    """A letter, one time in four a failure that says much, and once a reply that does."""
    number = int((re.findall(r"\[(\d+)\]", prompt) or ["0"])[-1])
    if number % 4 == 3:
        return Status(400, {"error": {"message": f"refused {number}{HOSTILE}", "code": HOSTILE}})
    return Answer("A" if number % 2 else f"답: B {HOSTILE}", fingerprint=HOSTILE)


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace in a folder of a hostile name, with a dataset and a service that are hostile."""
    endpoint.default = reply
    endpoint.refuses = lambda body: Answer("B") if body.get("model") == "other" else None
    folder = tmp_path / f"space {HOSTILE.partition(chr(0x202E))[0]}"
    rows = [
        {
            "id": f"q{n}{HOSTILE}",
            "question": f"{'' if n else '=cmd() '}{HOSTILE} [{n}] 무엇인가?",
            "choices": [f"가{n}{HOSTILE}", f"나{n}", f"다{n}", f"라{n}"],
            "answer": "AB"[n % 2],
            "category": f"범주 {n % 2}{HOSTILE}",
        }
        for n in range(COUNT)
    ]
    folder.mkdir()
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt", "attempts": 1, "timeout": 5.0}
    rules = [{"metric": "accuracy", "min": 0.1}, {"metric": "accuracy", "no_worse_than": "previous"}]
    config = {
        "version": 1,
        "models": {"live": model, "next": {**model, "model": "other"}},
        "datasets": {"own": {"kind": "jsonl", "path": "own.jsonl"}},
        "suites": {
            "small": {"models": ["live", "next"], "datasets": ["own"], "variants": ["terse"], "max_failed": 1.0}
        },
        "gates": {"small": {"suite": "small", "rules": rules}},
        "champions": {"assistant": "live"},
        "monitors": {"watch": {"champion": "assistant", "canaries": {"dataset": "own", "variant": "terse"}}},
        "nightly": {"suites": ["small"], "gates": ["small"], "monitors": ["watch"]},
        "telemetry": [{"source": "files", "folder": "traces"}],
        "retrievers": {"docs": {"folder": "docs"}},
        "notifications": {
            "channels": {"hook": {"kind": "webhook", "url": f"{endpoint.url}/{HOSTILE}", "secret": "${env:TEST_TOKEN}"}}
        },
        "synthesis": {
            "faq": {
                "sources": [
                    {"kind": "documents", "path": "material"},
                    {"kind": "questions", "path": "ready.jsonl"},
                    {"kind": "prompts", "path": "seeds.jsonl"},
                ],
                "form": "text",
                "model": "live",
                "count": 30,
                "coverage": {"clusters": 2},
                "personas": [{"name": HOSTILE, "describe": HOSTILE}],
            }
        },
        "service": {"port": _free_port(), "token": "${env:TEST_TOKEN}"},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    (folder / "docs").mkdir()
    (folder / "docs" / f"{HOSTILE.replace('/', '')}.md").write_text(f"# {HOSTILE}\n\n{HOSTILE}", "utf-8")
    (folder / "docs" / f"{HOSTILE.replace('/', '')}.docx").write_text(HOSTILE, "utf-8")
    (folder / "material").mkdir()
    rows = [{"text": f"{HOSTILE} {n}일 안에 낸다.", "slice": HOSTILE} for n in range(3)]
    (folder / "material" / "rules.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "material" / f"{HOSTILE.replace('/', '')}.png").write_text("", "utf-8")
    ready = [
        {"question": f"{HOSTILE} [{n}]?", "answer": f"{n} {HOSTILE}", "passage": HOSTILE, "category": HOSTILE}
        for n in range(4)
    ]
    (folder / "ready.jsonl").write_text("\n".join(map(json.dumps, ready)), "utf-8")
    seeds = [{"prompt": f"{HOSTILE} [{n}]", "slice": HOSTILE} for n in range(4)]
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)), "utf-8")
    (folder / "traces").mkdir()
    (folder / "traces" / "call.jsonl").write_text(json.dumps({"time": HOSTILE, HOSTILE: 1}) + "\n", "utf-8")
    label = {"sample": HOSTILE, "grade": HOSTILE, "passed": HOSTILE}
    (folder / "hostile.jsonl").write_text(json.dumps(label) + "\n", "utf-8")
    (folder / "answers.jsonl").write_text(json.dumps({"id": HOSTILE, "gold": "A", "prediction": HOSTILE}) + "\n")
    return folder


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _remediation(folder: Path) -> str:
    """A remediation of a hostile cause; its id."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    one, _ = open_remediation(
        ledger, "assistant", f"model {HOSTILE}"[:190], "live", {"why": HOSTILE, "recipe": HOSTILE}
    )
    add_event(ledger, one.id, "train", "held", {"why": HOSTILE}, HOSTILE)
    ledger.close()
    return one.id


def _incident(folder: Path) -> str:
    """An incident of a hostile summary; its id."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    sign = Sign("watch", "hostile", "endpoint_down", "high", "canaries", HOSTILE, HOSTILE)
    settle(ledger, "hostile", [sign], datetime.now(UTC), IncidentsConfig(), over="")
    ledger.close()
    return "latest"


def _foreign_run(folder: Path) -> str:
    """A run whose every name is hostile, as one from elsewhere may have; its id."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = start_run(ledger, HOSTILE, {"cells": []}, "hash", 0, HOSTILE)
    names = dict.fromkeys(("model", "flow", "variant", "dataset", "signature"), HOSTILE)
    sample = make_sample(HOSTILE, HOSTILE, 0, {"question": HOSTILE, "answer": HOSTILE}, id=HOSTILE, category=HOSTILE)
    cell = add_cell(ledger, run.id, 0, {**names, "details": {"nodes": [HOSTILE]}}, [sample])
    record(ledger, [right_answer(cell, number) for number, _ in pending_samples(ledger, cell).values()])
    finish_run(ledger, run.id)
    ledger.close()
    return run.id


def _foreign_job(folder: Path) -> str:
    """A job whose asker, history and output are hostile; its id."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    job, _ = ask_for(ledger, "nightly", HOSTILE, note=HOSTILE)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(reason=HOSTILE, holder=HOSTILE))
        connection.execute(insert(outputs).values(job_id=job.id, words=HOSTILE, left_out=1))
    ledger.close()
    return job.id


def test_no_command_prints_what_a_terminal_or_a_build_system_obeys(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("GITHUB_ACTIONS", "TF_BUILD", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TEST_TOKEN", "a-token-of-enough-letters")
    where = ("-w", str(folder))
    offences: list[str] = []
    heard: dict[str, str] = {}

    def run(name: str, *arguments: object) -> None:
        done = cli(*name.split(), *arguments)
        heard[name] = heard.get(name, "") + done.out + done.err
        for stream, printed in (("stdout", done.out), ("stderr", done.err)):
            if found := obeyed(printed):
                offences.append(f"{name} {arguments}: {stream}: {found}")

    run("bench", "small", *where)
    run("bench", "small", "--no-cache", *where)
    run("monitor check", "watch", *where)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    first, second = (row.id for row in latest_runs(ledger, 2, suite="small"))
    ledger.close()
    run("baseline export", first, folder / "base.json", "--with-text", *where)
    remediation = _remediation(folder)
    run("gate", first, *where)
    run("champion promote", "assistant", "next", "--run", first, "--reason", HOSTILE, *where)
    run("champion rollback", "assistant", "--reason", HOSTILE, *where)
    run(
        "runs import",
        folder / "answers.jsonl",
        "--map",
        "id=id,gold=gold,prediction=prediction",
        "--dataset",
        "own",
        *where,
    )
    run("keys create", "ci", "--scope", "read", *where)
    assert poison(folder / ".driftgate/ledger.db") > 100
    foreign, job = _foreign_run(folder), _foreign_job(folder)
    given: dict[str, Sequence[Sequence[object]]] = {
        "gate": [(first, *where), ("latest", *where), (HOSTILE, *where)],
        "champion promote": [("assistant", HOSTILE, "--run", first, *where)],
        "calibrate": [
            (HOSTILE, folder / "own.jsonl", *where),
            ("x.y", folder / "own.jsonl", "--run", HOSTILE, *where),
            ("x.y", folder / "drawn.csv", "--run", first, "--draw", "3", *where),
            ("x.y", folder / "hostile.jsonl", *where),
        ],
        "compare": [(first, second, *where), (f"{first}/live", f"{second}/next", *where), (HOSTILE, *where)],
        "pairwise": [
            (f"{first}/live", f"{second}/next", "--judge", "live", "--criteria", HOSTILE, *where),
            (f"{first}/live", HOSTILE, "--judge", HOSTILE, "--criteria", HOSTILE, *where),
        ],
        "report": [(first, *where), (foreign, *where)],
        "doctor": [where, (*where, "--json"), ("-w", folder / "none")],
        "documents": [where, ("docs", *where, "--json"), (HOSTILE, *where)],
        "init": [(folder,), (folder / "new", "--ci", "azure"), (folder / "newer", "--example", "rag")],
        "schema": [()],
        "runs list": [
            (*where, "--limit", HOSTILE),
            (*where, f"--{HOSTILE}"),
            (*where, HOSTILE),
            (*where, "--kind", "all"),
            (*where, "--kind", HOSTILE),
        ],
        "runs show": [
            (first, *where),
            (first, "q1", *where),
            (foreign, *where),
            (foreign, "x", *where),
            (HOSTILE, *where),
        ],
        "runs samples": [
            *((run, *where, *how) for run in (first, foreign) for how in ((), ("--wrong",), ("--failed",))),
            (first, *where, "--csv", folder / "samples.csv"),
        ],
        "runs rescore": [
            (first, "--as", "published-ko", "--categories", *where),
            (foreign, "--as", "published-ko", *where),
        ],
        "runs score-diff": [(first, "--from", "asked", "--to", "published-ko", *where)],
        "runs conventions": [()],
        "baseline import": [(folder / "base.json", *where), (folder / "own.jsonl", *where)],
        "incidents": [(*where, "--all"), ("--monitor", HOSTILE, *where), ("--severity", HOSTILE, *where)],
        "incidents show": [(_incident(folder), *where), (HOSTILE, *where)],
        "incidents ack": [("latest", "--note", HOSTILE, *where), (HOSTILE, *where)],
        "incidents silence": [("latest", "--for", "8h", *where), ("latest", "--until", HOSTILE, *where)],
        "incidents resolve": [("latest", *where), (HOSTILE, *where)],
        "incidents reopen": [("latest", *where), (HOSTILE, *where)],
        "notify test": [("hook", *where), (HOSTILE, *where)],
        "notify status": [where],
        "flow parity": [("multiple_choice", HOSTILE, "--suite", "small", *where)],
        "flow attribute": [
            (HOSTILE, second, *where),
            (first, second, *where),
            (f"{first}/live", f"{first}/next", *where),
        ],
        "dataset subset": [("own", *where), (HOSTILE, *where)],
        "dataset plan": [("own", "live", "next", *where), (HOSTILE, "live", "next", *where)],
        "monitor check": [(HOSTILE, *where), ("watch", *where)],
        "monitor prompt-drift": [(HOSTILE, *where), ("watch", "--limit", "4", "--repeats", "2", *where)],
        "monitor backtest": [(f"{first}/live", f"{second}/live", "--orders", "5", *where)],
        "monitor choose-canaries": [
            (f"{first}/live", "--others", f"{second}/live", "--n", "3", *where),
            (HOSTILE, *where),
        ],
        "monitor rereference": [("watch", "--reason", HOSTILE, *where), (HOSTILE, "--reason", "x", *where)],
        "monitor explain": [(HOSTILE, *where), ("latest", *where)],
        "monitor collect": [where],
        "monitor alerts": [where],
        "champion list": [where],
        "champion retire": [("assistant", *where), (HOSTILE, *where)],
        "champion rollback": [("assistant", "--reason", HOSTILE, *where), (HOSTILE, "--reason", "x", *where)],
        "synth coverage": [where, (HOSTILE, *where)],
        "synth persona": [where, ("--write", *where)],
        "synth make": [where],
        "synth evolve": [
            (folder / "answers.jsonl", folder / "none.jsonl", *where),
            (folder / "seeds.jsonl", folder / "evolved.jsonl", *where),
        ],
        "synth report": [where, (HOSTILE, *where)],
        "synth check": [where, (HOSTILE, *where)],
        "synth show": [(*where, "-n", "50"), (*where, "--rejects", "-n", "50"), (*where, "--cluster", HOSTILE)],
        "synth export": [(folder / "handed", *where), (folder / "handed", "--form", HOSTILE, *where)],
        "remediation list": [where, ("--recipe", HOSTILE, *where), ("--champion", HOSTILE, "--state", HOSTILE, *where)],
        "remediation show": [(remediation, *where), (HOSTILE, *where)],
        "remediation run": [where],
        "remediation approve": [(remediation, *where)],
        "remediation stop": [("--reason", HOSTILE, *where)],
        "remediation resume": [where],
        "remediation reject": [(remediation, "--reason", HOSTILE, *where), (HOSTILE, "--reason", "x", *where)],
        "remediation abandon": [(remediation, "--reason", HOSTILE, *where), (HOSTILE, "--reason", "x", *where)],
        "audit": [where, ("--action", HOSTILE, *where), ("--who", HOSTILE, *where)],
        "jobs": [where, ("--name", HOSTILE, *where), ("--state", HOSTILE, *where)],
        "jobs show": [(job, *where), (HOSTILE, *where)],
        "jobs run": [(HOSTILE, *where)],
        "jobs cancel": [(HOSTILE, *where), (job, *where)],
        "privacy check": [
            (folder / "hostile.jsonl", *where),
            (folder / "own.jsonl", "--sources", folder / "own.jsonl", "--held-out", folder / "docs", *where),
            (folder / "own.jsonl", "--recipe", HOSTILE, *where),
            (folder / HOSTILE.replace("/", ""), *where),
        ],
        "privacy seal": [("own", *where), (HOSTILE, *where)],
        "privacy canaries": [("2",)],
        "azure workbook": [where],
        "azure publish": [(first, *where), (HOSTILE, *where)],
        "azure render": [where, ("--bicep", *where)],
        "azure deploy": [
            ("-g", HOSTILE, "--set", f"workspaceResourceId={HOSTILE}", "--file", str(folder / "azure.json"), *where),
            ("-g", "x", "--set", f"{HOSTILE}=x", *where),
        ],
        "azure retry": [where],
        "keys create": [
            (HOSTILE, "--scope", "read", *where),
            ("ci", "--scope", HOSTILE, *where),
            ("ci", "--scope", "read", "--expires", HOSTILE, *where),
        ],
        "keys list": [where],
        "keys revoke": [(HOSTILE, *where)],
        "ledger check": [where],
        "ledger archive": [(*where, "--older-than", "0")],
        "ledger expire": [("--run", second, *where)],
        "ledger pack": [where],
        "forget": [
            ("--matching", HOSTILE, "--dry-run", *where),
            ("--matching", "x", "--dry-run", *where),
            ("--sample", HOSTILE, *where),
            ("--run", first, *where),
            ("--run", HOSTILE, *where),
        ],
        **{f"training {order}": [(remediation, *where), (HOSTILE, *where)] for order in ORDERS},
        "export": [(HOSTILE, *where), ("live", "--quantised", HOSTILE, *where)],
        "demo loop": [(folder,)],
        "demo handbook": [where],
        "nightly": [where],
    }
    for name, ways in given.items():
        for arguments in ways:
            run(name, *arguments)
    run("bench", HOSTILE, *where)
    asked = [row["question"] for row in csv.DictReader((folder / "samples.csv").open(encoding="utf-8", newline=""))]
    assert [text[:7] for text in asked if "cmd()" in text] == ["'=cmd()"] * 2
    heard["serve"], heard["view"] = _served(folder), _viewed(folder)
    for name in ("serve", "view"):
        if found := obeyed(heard[name]):
            offences.append(f"{name}: {found}")
    assert not offences, "\n".join(offences)
    assert not [printed for printed in heard.values() if "a defect of driftgate" in printed]
    assert set(heard) == set(commands()), "a command is not run against a hostile ledger: add it"
    silent = {name for name, printed in heard.items() if MARK not in printed}
    assert silent <= SILENT, f"the hostile text does not reach {sorted(silent - SILENT)}: make it"


def test_names_in_the_workspace_file_are_not_obeyed_either(cli: Cli, folder: Path) -> None:
    file = folder / "driftgate.yaml"
    usual = yaml.safe_load(file.read_text("utf-8"))
    for change in (
        {"ledger": f"${{env:{HOSTILE}}}"},
        {"ledger": HOSTILE},
        {"reports": f"../{HOSTILE}"},
        {HOSTILE: HOSTILE},
        {"models": {HOSTILE: {}}},
        {"datasets": {"own": {"kind": HOSTILE}}},
        {"datasets": {"own": {"kind": "jsonl", "path": HOSTILE}}},
        {"suites": {"small": {"models": [HOSTILE], "datasets": [HOSTILE]}}},
        {"include": [HOSTILE]},
    ):
        file.write_text(yaml.safe_dump({**usual, **change}), "utf-8")
        for command in ("doctor", "bench", "runs list"):
            done = cli(*command.split(), "-w", str(folder))
            assert not obeyed(done.out) and not obeyed(done.err)
            assert "a defect" not in done.err, done.err


def _served(folder: Path) -> str:
    """What the service prints, asked for a page that is not there under a hostile name."""
    program = [sys.executable, "-m", "driftgate", "serve", "-w", str(folder)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    assert process.stdout is not None
    port = yaml.safe_load((folder / "driftgate.yaml").read_text("utf-8"))["service"]["port"]
    line = process.stdout.readline()
    assert "driftgate serves" in line
    _asked(f"http://127.0.0.1:{port}")
    process.send_signal(signal.SIGINT)
    return line + process.communicate(timeout=60)[0]


def _asked(address: str) -> None:
    """Ask for a page under a hostile name, once somebody listens."""
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{address}/%1b%5b31m%0a::error::x", timeout=5)
        except urllib.error.HTTPError:
            return
        except urllib.error.URLError:
            time.sleep(0.1)


def _viewed(folder: Path) -> str:
    """What is printed by the pages for one machine, of which one was asked under a hostile name."""
    program = [sys.executable, "-u", "-m", "driftgate", "view", "-w", str(folder)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    assert process.stdout is not None
    printed = process.stdout.readline() + process.stdout.readline()
    address = re.findall(r"http://[^/]+", printed)[0]
    _asked(address)
    process.send_signal(signal.SIGINT)
    return printed + process.communicate(timeout=20)[0]
