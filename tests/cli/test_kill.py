"""Runs that are killed or stopped in the middle, as separate processes, and gone on with."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status, Step
from command_line import Cli, Make

from driftgate.ledger import cells_of, latest_runs, open_ledger, outcome_frame

QUESTIONS = 120
IN_FLIGHT = 8

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def reply(prompt: str) -> Step:
    """A reply of every kind, the same each time a question is asked; each takes a moment."""
    number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
    if number % 17 == 3:
        return Status(400, AZURE_FILTERED)
    if number % 19 == 4:
        return Status(500, {"error": {"message": "boom"}})
    if number % 13 == 5:
        return Answer("모르겠습니다", seconds=0.04)
    return Answer("ABCD"[(number + number // 10) % 4], seconds=0.04)


Start = Callable[..., subprocess.Popen[str]]


def hear_ctrl_c() -> None:
    """A shell's background job ignores SIGINT, and so would everything it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start() -> Iterator[Start]:
    """``start("bench", ...)``: the command in a process of its own, ended with the test at the latest."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "driftgate", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        begun.append(subprocess.Popen(command, text=True, preexec_fn=hear_ctrl_c, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_requests(endpoint: ChatEndpoint, process: subprocess.Popen[str], count: int) -> None:
    deadline = time.monotonic() + 60
    while len(endpoint.requests) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"only {len(endpoint.requests)} requests came"
        time.sleep(0.002)


def result(folder: Path) -> tuple[str, list[tuple[Any, ...]]]:
    """The newest run's status, and outcome, answer and correctness of every sample."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (run,) = latest_runs(ledger)
    (cell,) = cells_of(ledger, run.id)
    frame = outcome_frame(ledger, cell.id)[["key", "outcome", "answer", "correct", "error"]]
    rows = [tuple(row) for row in frame.fillna("-").itertuples(index=False)]
    ledger.close()
    return run.status, rows


def test_kill_9_at_three_moments_and_resume(make: Make, endpoint: ChatEndpoint, cli: Cli, start: Start) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"in_flight": IN_FLIGHT, "attempts": 1}

    folder = make(QUESTIONS, change)
    endpoint.default = reply
    assert cli("bench", "-w", folder).code == 0
    undisturbed = result(folder)
    assert len(endpoint.requests) == QUESTIONS
    endpoint.forget()
    for path in (folder / ".driftgate").iterdir():
        path.unlink()

    moments = sorted(random.Random(20261123).sample(range(5, QUESTIONS - 10), 3))
    resume: list[str] = []
    for moment in moments:
        process = start("bench", *resume, "-w", folder)
        wait_for_requests(endpoint, process, moment)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        resume = ["--resume"]
    status, rows = result(folder)
    assert status == "running"
    assert "missing" in {outcome for _, outcome, *_ in rows}

    last = start("bench", "--resume", "-w", folder)
    out, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    assert "are already recorded" in out
    assert result(folder) == undisturbed
    assert undisturbed[0] == "complete"
    assert {outcome for _, outcome, *_ in undisturbed[1]} == {"answered", "unparsed", "filtered", "failed"}
    extra = len(endpoint.requests) - QUESTIONS
    assert len(endpoint.asked) == QUESTIONS
    assert extra <= IN_FLIGHT * len(moments)


def test_ctrl_c_leaves_a_run_that_can_go_on(make: Make, endpoint: ChatEndpoint, cli: Cli, start: Start) -> None:
    folder = make(QUESTIONS)
    endpoint.default = reply
    process = start("bench", "-w", folder)
    wait_for_requests(endpoint, process, 40)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert "stopped; go on with: driftgate bench --resume --run" in out
    assert result(folder)[0] == "interrupted"
    assert len(endpoint.requests) < QUESTIONS
    assert cli("bench", "--resume", "-w", folder).code == 0
    status, rows = result(folder)
    assert status == "complete"
    assert "missing" not in {outcome for _, outcome, *_ in rows}
    assert len(endpoint.requests) - QUESTIONS <= IN_FLIGHT


def test_ctrl_c_in_the_first_nightly_suite_begins_no_second(make: Make, endpoint: ChatEndpoint, start: Start) -> None:
    def change(config: dict[str, Any]) -> None:
        config["suites"]["other"] = config["suites"]["small"]
        config["nightly"]["suites"] = ["small", "other"]

    folder = make(QUESTIONS, change)
    endpoint.default = reply
    process = start("nightly", "-w", folder)
    wait_for_requests(endpoint, process, 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert result(folder)[0] == "interrupted"
