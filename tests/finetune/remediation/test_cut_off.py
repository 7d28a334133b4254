"""A remediation that is cut off anywhere is gone on with, by one process at a time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from remediation_steps import advance, steps

from driftgate.finetune.remediation import (
    STEPS,
    Busy,
    Progress,
    StepResult,
    Trained,
    events_of,
    find_remediation,
    open_remediation,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, open_ledger


async def test_a_failed_step_is_tried_again_and_earlier_ones_are_not(ledger: Ledger) -> None:
    broken = True

    async def train(progress: Progress) -> StepResult:
        if broken:
            raise DriftgateError("the service does not answer")
        return Trained(model="m")

    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})
    with pytest.raises(DriftgateError, match="does not answer"):
        await advance(ledger, opened, steps(done, train=train))
    broken = False
    assert (await advance(ledger, opened, steps(done, train=train))).state == "promoted"
    assert done.count("synthesise") == 1


CUT_OFF = """
import asyncio, os, signal, sys
from pathlib import Path
from driftgate.ledger import open_ledger
from driftgate.finetune.remediation import *
from driftgate.finetune.remediation import advance, open_remediation

ledger = open_ledger("ledger.db", Path(sys.argv[1]))
remediation, _ = open_remediation(ledger, "tickets", "alert", "c", {})
deadly, log = sys.argv[2], Path(sys.argv[1]) / "log.txt"
results = {
    "choose": Choice(), "synthesise": Material(items="i", sha256="0f", count=40), "train": Trained(model="m"),
    "evaluate": Proved(run="r"), "judge": Judgement(),
    "approve": Agreement(), "roll_out": RolledOut(), "promote": Promoted(model="m", run="r"),
}

def make(name):
    async def step(progress):
        with log.open("a") as file:
            file.write(f"{name} {progress.notes.get('job', '-')}\\n")
        progress.note({"job": f"job-of-{name}"})
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return results[name]
    return step

async def nothing(progress):
    pass

steps = Steps(**{name: make(name) for name in STEPS})
print(asyncio.run(advance(ledger, remediation, steps, nothing, seconds=0.4)).state)
"""


@pytest.mark.parametrize("deadly", STEPS)
def test_killed_in_any_step_it_goes_on_from_there(tmp_path: Path, deadly: str) -> None:
    def process(victim: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(CUT_OFF), str(tmp_path), victim]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    died = process(deadly)
    assert died.returncode == -9, died.stderr
    again = process("none")
    assert again.stdout.strip() == "promoted", again.stderr
    lines = (tmp_path / "log.txt").read_text().split("\n")[:-1]
    expected = [f"{name} -" for name in STEPS]
    place = list(STEPS).index(deadly)
    # The deadly step runs twice and finds what it noted before it died; every other step runs once.
    assert lines == [*expected[: place + 1], f"{deadly} job-of-{deadly}", *expected[place + 1 :]]


@pytest.mark.core
async def test_two_processes_at_once_do_a_step_once(either: Ledger, location: str, tmp_path: Path) -> None:
    done: list[str] = []

    async def train(progress: Progress) -> StepResult:
        done.append("train")
        await asyncio.sleep(1.0)  # longer than a lease lasts: it is kept up
        return Trained(model="m")

    opened, _ = open_remediation(either, "tickets", "alert", "c", {})
    other = open_ledger(location, tmp_path)
    found = await asyncio.gather(
        advance(either, opened, steps(done, train=train)),
        advance(other, opened, steps(done, train=train)),
        return_exceptions=True,
    )
    other.close()
    assert sorted(done) == sorted(STEPS)
    assert sorted(type(one).__name__ for one in found) == ["Busy", "Remediation"]
    assert isinstance(next(one for one in found if isinstance(one, Exception)), Busy)


async def test_who_was_stopped_too_long_writes_nothing_any_more(ledger: Ledger, tmp_path: Path) -> None:
    done: list[str] = []
    opened, _ = open_remediation(ledger, "tickets", "alert", "c", {})

    async def stalls(progress: Progress) -> StepResult:
        progress.hold.kept.end()  # nobody renews it, as where a machine slept
        other = open_ledger("ledger.db", tmp_path)
        await advance(other, opened, steps(done))
        other.close()
        with pytest.raises(DriftgateError):
            progress.note({"handle": "mine"})
        return Trained(model="mine")

    with pytest.raises(DriftgateError, match="holds the lease"):
        await advance(ledger, opened, steps([], train=stalls))
    assert find_remediation(ledger, opened.id).state == "promoted"
    assert not any("mine" in str(event.detail) for event in events_of(ledger, opened.id))
