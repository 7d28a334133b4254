"""``repeats`` from the command line: killed and gone on with, printed everywhere, judged per sample."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

import driftgate
from driftgate.ledger import ask_frame, cells_of, latest_runs, open_ledger

QUESTIONS, REPEATS, IN_FLIGHT = 24, 5, 4


def asked_five_times(config: dict[str, Any]) -> None:
    config["models"]["tested"] |= {"in_flight": IN_FLIGHT, "parameters": {"temperature": 1}}
    config["suites"]["small"] |= {"repeats": REPEATS}
    rules = [{"metric": "accuracy", "min": 1.0, "pass_rate": 0.2}, {"metric": "accuracy", "min": 1.0}]
    config["gates"] = {
        name: {"suite": "small", "rules": [rule]} for name, rule in zip(("flicker", "every"), rules, strict=True)
    }
    config["nightly"]["gates"] = ["flicker"]


class Flickers:
    """Right, but for one question, which it gets right every second time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.times, self.lock = seconds, 0, threading.Lock()

    def __call__(self, prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        if number != 3:
            return Answer("ABCD"[number % 4], seconds=self.seconds)
        with self.lock:
            self.times += 1
            return Answer("D" if self.times % 2 else "A", seconds=self.seconds)


def test_what_repeats_show_is_printed_and_judged(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(QUESTIONS, asked_five_times)
    endpoint.default = Flickers()
    done = cli("bench", "-w", folder, "--json", folder / "run.json")
    assert "1 cells, 120 questions, 5 of each sample" in done.out
    said = "each sample asked 5 times: pass@2 99.6%, pass@5 100.0%, majority 100.0%, unsteady 4.2%"
    assert said in " ".join(done.out.split())
    assert cli("gate", "--gate", "flicker", "-w", folder).code == 0
    every = cli("gate", "--gate", "every", "-w", folder)
    assert every.code == 1 and "counted" in every.out
    shown = json.loads((folder / "run.json").read_text("utf-8"))
    (cell,) = shown["cells"]
    values = {score["metric"]: score["value"] for score in cell["scores"] if score["slice_kind"] == "all"}
    assert (values["pass@5"], values["majority"], values["unsteady"]) == (1.0, 1.0, pytest.approx(1 / 24))
    assert sum(cell["outcomes"].values()) == QUESTIONS * REPEATS
    (page,) = (folder / "reports").glob("**/*.html")
    (summary,) = (folder / "reports").glob("**/*.md")
    assert "each sample asked 5 times" in page.read_text("utf-8")
    assert "each sample asked 5 times: pass\\@" in summary.read_text("utf-8").replace("@\u2060", "\\@")


def result(folder: Path) -> tuple[str, list[tuple[Any, ...]]]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (run,) = latest_runs(ledger)
    (cell,) = cells_of(ledger, run.id)
    frame = ask_frame(ledger, cell.id)[["key", "repeat", "outcome"]]
    ledger.close()
    return run.status, [tuple(row) for row in frame.itertuples(index=False)]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_killed_run_asks_no_repeat_twice_but_what_was_in_flight(make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(QUESTIONS, asked_five_times)
    endpoint.default = Flickers(seconds=0.04)
    command = [sys.executable, "-m", "driftgate", "bench", "-w", str(folder)]
    for number, moment in enumerate(sorted(random.Random(5).sample(range(30, 110), 2))):
        process = subprocess.Popen([*command, *(["--resume"] if number else [])], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(endpoint.requests) < moment:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    status, rows = result(folder)
    assert status == "running" and ("missing" in {outcome for *_, outcome in rows})
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL, timeout=120)
    status, rows = result(folder)
    assert status == "complete"
    assert len(rows) == len(set(rows)) == QUESTIONS * REPEATS and {outcome for *_, outcome in rows} == {"answered"}
    assert len(endpoint.requests) - QUESTIONS * REPEATS <= IN_FLIGHT * 2


def test_a_rescore_says_that_it_reads_one_answer(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(QUESTIONS, asked_five_times)
    endpoint.default = Flickers()
    assert cli("bench", "-w", folder).code == 0
    done = cli("runs", "rescore", "latest", "--as", "lm_eval", "-w", folder)
    assert done.code == 2 and "asked each sample 5 times, and a convention reads one answer" in done.err


def test_every_command_reads_a_run_with_repeats(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(QUESTIONS, asked_five_times)
    endpoint.default = Flickers()
    assert cli("bench", "-w", folder).code == 0
    space = folder / "driftgate.yaml"
    space.write_text(space.read_text("utf-8").replace("repeats: 5", "repeats: 1"), "utf-8")
    assert cli("bench", "-w", folder).code == 0
    runs = [run.id for run in driftgate.open(folder).runs()]
    again = runs[1]
    for command, code in (
        (("runs", "show", again), 0),
        (("runs", "samples", again, "--wrong"), 0),
        (("report", again), 0),
        (("compare", *runs, "--html", folder / "c.html", "--csv", folder / "c", "--resamples", "200"), 0),
        (("ledger", "check"), 0),
        (("gate", again), 1),
    ):
        done = cli(*command, "-w", folder)
        assert done.code == code, (command, done)
    (sample,) = re.findall(r"\{.*\}", cli("runs", "show", again, "q3", "-w", folder).out, re.DOTALL)
    shown = json.loads(sample)
    assert [one["answer"] for one in shown["repeats"]] == ["D", "A", "D", "A", "D"]
    assert [one["correct"] for one in shown["repeats"]] == [1.0, 0.0, 1.0, 0.0, 1.0]
    done = cli("dataset", "plan", "own", "--runs", ",".join(runs), "-w", folder)
    assert done.code == 2 and "asked 5 times" in done.err
    score = values(cli, folder, again)
    for command in (("ledger", "archive", "--run", again), ("ledger", "expire", "--run", again)):
        assert cli(*command, "-w", folder).code == 0
        assert values(cli, folder, again) == score
    assert cli("ledger", "check", "-w", folder).code == 0


def values(cli: Cli, folder: Path, run: str) -> list[str]:
    """What is printed of a run's scores."""
    lines = cli("runs", "show", run, "-w", folder).out.splitlines()
    return [line for line in lines if line.startswith(("│", "  tested"))]
