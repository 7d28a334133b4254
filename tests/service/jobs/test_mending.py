"""When the job that takes remediations further is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from driftgate.api.jobs import LEAD, JobKind, ask_for_mending, list_jobs
from driftgate.api.jobs._tables import jobs
from driftgate.finetune.remediation import open_remediation, resume, stop
from driftgate.finetune.remediation._store import add_event
from driftgate.ledger import Lease, Ledger, open_ledger
from driftgate.service.jobs import Board, Ending
from driftgate.service.jobs._process import Output


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def board(ledger: Ledger) -> Board:
    lease = Lease(ledger, LEAD)
    assert lease.acquire()
    return Board(lease, {"mend": JobKind("mend", ("remediation", "run"), None, 60.0)})


def asked(ledger: Ledger) -> bool:
    """Whether asking anew brings a job that was not there."""
    before = len(list_jobs(ledger))
    ask_for_mending(ledger)
    return len(list_jobs(ledger)) > before


def mend(board: Board, state: str = "done") -> None:
    (job,) = board.begin((), 1, datetime.now(UTC))
    ending = Ending("done", 0, "") if state == "done" else Ending("failed", 2, "no model")
    board.end(job.id, ending, Output(""))


def opened(ledger: Ledger) -> str:
    return open_remediation(ledger, "assistant", "recipe x", "live", {"recipe": "x"})[0].id


def test_nothing_open_is_nothing_to_do(ledger: Ledger) -> None:
    assert not asked(ledger)


def test_what_was_opened_is_begun_once(ledger: Ledger, board: Board) -> None:
    opened(ledger)
    assert asked(ledger)
    assert list_jobs(ledger)[0].cause == "step"
    assert not asked(ledger)  # it waits
    board.begin((), 1, datetime.now(UTC))
    assert not asked(ledger)  # it runs


@pytest.mark.parametrize("state", ["done", "failed"])
def test_what_did_not_get_further_is_tried_again_in_an_hour_and_not_before(
    ledger: Ledger, board: Board, state: str
) -> None:
    opened(ledger)
    assert asked(ledger)
    mend(board, state)
    assert not asked(ledger)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(ended_at=datetime.now(UTC) - timedelta(minutes=61)))
    assert asked(ledger)


def test_what_waits_for_a_person_waits_until_there_is_an_approval(ledger: Ledger, board: Board) -> None:
    remediation = opened(ledger)
    assert asked(ledger)
    add_event(ledger, remediation, "approve", "held", {"awaits": "3f"}, "wants an approval")
    mend(board)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(ended_at=datetime.now(UTC) - timedelta(hours=23)))
    assert not asked(ledger)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(ended_at=datetime.now(UTC) - timedelta(days=3)))
    assert asked(ledger)  # its days may be over
    mend(board)
    add_event(ledger, remediation, "approve", "approved", {"of": "3f"}, "kim")
    assert asked(ledger)


def test_an_approval_is_acted_on_at_once(ledger: Ledger, board: Board) -> None:
    remediation = opened(ledger)
    assert asked(ledger)
    add_event(ledger, remediation, "approve", "held", {"awaits": "3f"}, "wants an approval")
    mend(board)
    add_event(ledger, remediation, "approve", "approved", {"of": "3f"}, "kim")
    assert asked(ledger)


def test_stopped_repairs_are_not_asked_for(ledger: Ledger) -> None:
    opened(ledger)
    stop(ledger, "kim", "the bill")
    assert not asked(ledger)
    resume(ledger, "kim")
    assert asked(ledger)
