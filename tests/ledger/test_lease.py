"""Who leads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from driftgate.api.jobs import LEAD, serving
from driftgate.ledger import Deposed, Lease, Ledger
from driftgate.ledger._lease import _leases

BOTH = pytest.mark.parametrize("location", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def location(request: pytest.FixtureRequest) -> str:
    """Where the ledger is: a database of its own on a server takes a second or two, so few tests ask for one."""
    of_server = getattr(request, "param", "sqlite") == "postgresql"
    return str(request.getfixturevalue("postgres")()) if of_server else "ledger.db"


@BOTH
def test_one_holds_it_and_another_when_it_is_given_back(ledger: Ledger) -> None:
    first, second = Lease(ledger, LEAD), Lease(ledger, LEAD)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire() and not second.taken_over
    assert not first.acquire()
    assert second.fence == 2


@BOTH
def test_of_many_at_once_one_gets_it(ledger: Ledger) -> None:
    leases = [Lease(ledger, LEAD) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(Lease.acquire, leases)) == 1


@BOTH
def test_who_gives_no_sign_of_life_is_replaced_and_writes_nothing_any_more(ledger: Ledger) -> None:
    first, second = Lease(ledger, LEAD, seconds=0.3), Lease(ledger, LEAD, seconds=0.3)
    assert first.acquire()
    assert not second.acquire()
    time.sleep(0.2)
    assert first.acquire()  # a sign of life: the time runs anew
    assert not second.acquire()
    time.sleep(0.2)
    assert not second.acquire()
    time.sleep(0.2)
    assert second.acquire() and second.taken_over
    with pytest.raises(Deposed), first.held():
        raise AssertionError("it was let in")
    assert not first.is_mine() and second.is_mine()
    assert not first.acquire()
    with second.held():
        pass


@pytest.mark.parametrize("hours", [-6, 6, 24 * 400])
def test_the_clock_says_nothing_about_who_lives(ledger: Ledger, hours: int) -> None:
    first, second = Lease(ledger, LEAD, seconds=0.3), Lease(ledger, LEAD, seconds=0.3)
    assert first.acquire()
    with ledger.write() as connection:  # as a machine with another clock writes it
        connection.execute(update(_leases).values(beat_at=datetime.now(UTC) + timedelta(hours=hours)))
    assert not second.acquire()
    time.sleep(0.35)
    assert second.acquire()  # dead, whatever it is stamped


def test_who_serves_is_told_while_it_gives_signs_of_life(ledger: Ledger) -> None:
    assert serving(ledger) is None
    lease = Lease(ledger, LEAD)
    assert serving(ledger) is None
    lease.acquire()
    found = serving(ledger)
    assert found is not None and found.holder == lease.holder
    with ledger.write() as connection:
        connection.execute(update(_leases).values(beat_at=datetime.now(UTC) - timedelta(minutes=2)))
    assert serving(ledger) is None
