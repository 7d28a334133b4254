"""Runs that several processes work on: the ledger is the one of a single process, row for row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make
from ledger_rows import reply, rows_of

from driftgate.benchmarks.datasets import make_sample
from driftgate.benchmarks.shards import Share
from driftgate.flows.errors import DriftgateError

QUESTIONS = 40

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture
def start() -> Iterator[Any]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "driftgate", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        begun.append(subprocess.Popen(command, text=True, preexec_fn=before, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def _wait(condition: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.01)


def test_four_shards_leave_the_ledger_of_one_process_row_for_row(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(QUESTIONS, lambda config: config["models"]["tested"].update(timeout=60.0))
    endpoint.default = reply
    assert cli("bench", "-w", folder).code == 0
    whole = rows_of(folder)
    assert len(whole["outcomes"]) == QUESTIONS and len(endpoint.requests) == QUESTIONS
    endpoint.forget()
    for path in (folder / ".driftgate").iterdir():
        path.unlink()

    done = cli("bench", "--shards", "4", "-w", folder)
    assert done.code == 0, done.err
    divided = rows_of(folder)
    for table, rows in whole.items():
        assert set(divided[table]) ^ set(rows) == set(), table
    assert len(endpoint.requests) == QUESTIONS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_shard_that_is_killed_stops_the_run_and_it_is_gone_on_with(
    make: Make, endpoint: ChatEndpoint, cli: Cli, start: Any
) -> None:
    folder = make(QUESTIONS, lambda config: config["models"]["tested"].update(in_flight=4, timeout=60.0))
    endpoint.default = lambda prompt: Answer("A", seconds=0.15)
    process = start("bench", "--shards", "2", "-w", folder)
    _wait(lambda: len(endpoint.requests) >= 6 or process.poll() is not None)
    os.kill(children(process)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2 and "killed by signal 9" in err and "--shards 2" in err
    recorded = rows_of(folder)["outcomes"]
    assert 0 < len(recorded) < QUESTIONS

    assert cli("bench", "--resume", "--shards", "2", "-w", folder).code == 0
    assert len(rows_of(folder)["outcomes"]) == QUESTIONS
    assert len(endpoint.asked) == QUESTIONS
    assert len(endpoint.requests) <= QUESTIONS + 4


def _lives(pid: int) -> bool:
    """Whether a process does anything any more; one that has ended may stay until somebody asks how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("background", [False, True], ids=["terminal", "background"])
def test_the_shards_of_a_killed_run_ask_no_longer(
    make: Make, endpoint: ChatEndpoint, start: Any, background: bool
) -> None:
    """What a shell starts in the background ignores interrupts, and so does what that starts."""
    folder = make(QUESTIONS, lambda config: config["models"]["tested"].update(in_flight=2, timeout=60.0))
    endpoint.default = lambda prompt: Answer("A", seconds=0.3)
    ignoring = partial(signal.signal, signal.SIGINT, signal.SIG_IGN) if background else None
    process = start("bench", "--shards", "2", "-w", folder, before=ignoring)
    _wait(lambda: len(endpoint.requests) >= 2 or process.poll() is not None)
    own = children(process)
    assert len(own) == 2
    process.kill()
    process.wait()
    _wait(lambda: not any(map(_lives, own)), 60)
    assert len(endpoint.requests) < QUESTIONS


def test_the_limit_on_cost_is_shared(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"prices": {"input": 1e6, "output": 0}, "in_flight": 2, "timeout": 60.0}
        config["suites"]["small"]["max_cost"] = 400.0

    folder = make(QUESTIONS, change)
    endpoint.default = lambda prompt: Answer("A")
    cost = cli("bench", "-w", folder)
    assert cost.code == 2 and "limit of 400" in cost.err
    alone = len(endpoint.requests)
    endpoint.forget()
    for path in (folder / ".driftgate").iterdir():
        path.unlink()
    shared = cli("bench", "--shards", "2", "-w", folder)
    assert shared.code == 2 and "limit of 200" in shared.err and "--shards 2" in shared.err
    assert 0 < len(endpoint.requests) <= alone + 2


def test_what_cannot_be_divided_is_refused(make: Make, cli: Cli) -> None:
    folder = make(8)
    assert cli("bench", "--shards", "65", "-w", folder).code == 2
    assert cli("bench", "--shards", "0", "-w", folder).code == 2
    assert "no run yet" in cli("runs", "list", "-w", folder).out


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "x/4", "1/0", "²/4"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(DriftgateError, match="no share"):
        Share.parse(text)


def test_every_sample_is_in_one_share_and_equal_questions_are_in_the_same() -> None:
    samples = [make_sample("d", "test", place, {"question": f"{place // 2}?"}) for place in range(200)]
    for of in (1, 2, 3, 7):
        shares = [[Share(place, of).has(sample) for place in range(1, of + 1)] for sample in samples]
        assert all(sum(own) == 1 for own in shares)
        assert shares[::2] == shares[1::2]
        assert all(any(own[place] for own in shares) for place in range(of))
