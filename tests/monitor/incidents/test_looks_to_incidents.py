"""What looks make of incidents: each look counts once, and worse evidence never ends one sooner."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, audit_of, open_ledger
from driftgate.monitor.alert import Alert, Hint, Period
from driftgate.monitor.incidents import (
    IncidentsConfig,
    Sign,
    acknowledge,
    find_incident,
    history,
    incidents,
    observe,
    reopen,
    resolve,
    settle,
    silence,
)
from driftgate.monitor.looks import Conclusion, LookRow, keep_look

BEGUN = datetime.now(UTC) - timedelta(hours=30)
HOUR = timedelta(hours=1)
CONFIG = IncidentsConfig()
_numbers = itertools.count()
DOWN = "40 of the reference's 40 canaries were not measured (40 failed: HTTP 500)"


@pytest.fixture
def ledger(tmp_path: Path, location: str) -> Iterator[Ledger]:
    opened = open_ledger(location, tmp_path)
    yield opened
    opened.close()


def alert(signal: str, at: datetime, cause: str = "model", effect: float = -0.1, floor: float = 0.05) -> Alert:
    current = Period(at - HOUR, at)
    reference = Period(at - 48 * HOUR, at - 47 * HOUR)
    return Alert(
        signal=signal,
        title=signal,
        unit="share",
        moved="fell",
        slices=(),
        reference=reference,
        current=current,
        n_reference=100,
        n_current=100,
        reference_value=0.9,
        current_value=0.8,
        effect=effect,
        effect_low=effect * 1.5,
        effect_high=effect * 0.5,
        effect_unit="difference of shares",
        floor=floor,
        p_value=0.001,
        adjusted_p_value=0.001,
        detector="exact",
        detail={},
        cause=cause,
        hints=(Hint("unknown", "nothing else"),),
        summary=f"{signal} fell",
    )


def look(
    ledger: Ledger,
    result: str,
    at: datetime,
    *alerts: Alert,
    of: str = "canaries",
    monitor: str = "watch",
    why: str = "",
) -> LookRow:
    prefix = "" if of == "canaries" else f"{of}-"
    down = (DOWN, "", "endpoint_down") if result == "unmeasurable" else ()
    conclusion = Conclusion(result, *down)
    row = LookRow(0, monitor, "live#1", f"{prefix}look-{next(_numbers)}", 1, [], at, conclusion)
    return keep_look(ledger, row, alerts)


def after(ledger: Ledger, results: Sequence[str], **how: str) -> None:
    """Looks, an hour apart, each taken in at once."""
    for number, result in enumerate(results):
        at = BEGUN + number * HOUR
        look(ledger, result, at, *([alert("canary_accuracy", at)] if result == "moved" else []), **how)
        observe(ledger, CONFIG)


def test_a_look_counts_once_however_many_take_it_in(ledger) -> None:
    for number in range(4):
        at = BEGUN + number * HOUR
        look(ledger, "moved", at, alert("canary_accuracy", at), alert("canary_agreement", at))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: observe(ledger, CONFIG), range(8)))
    (one,) = incidents(ledger)
    assert (one.signs, set(one.signals)) == (4, {"canary_accuracy", "canary_agreement"})
    assert (one.cause, one.since) == ("model", BEGUN)
    assert [event.what for event in history(ledger, one.id)] == ["opened", "seen", "seen", "seen"]


_OBSERVES = """
import sys
from pathlib import Path
from driftgate.ledger import open_ledger
from driftgate.monitor.incidents import IncidentsConfig, observe, _observe
if sys.argv[3] == "dies":
    import os
    note = _observe.signal
    _observe.signal = lambda *a: (note(*a), os.kill(os.getpid(), 9))
observe(open_ledger(sys.argv[2], Path(sys.argv[1])), IncidentsConfig())
"""


def test_a_process_killed_while_it_takes_a_look_in_leaves_it_to_the_next(ledger, location, tmp_path) -> None:
    look(ledger, "moved", BEGUN, alert("canary_accuracy", BEGUN))
    killed = subprocess.run([sys.executable, "-c", _OBSERVES, str(tmp_path), location, "dies"], env={**os.environ})
    assert killed.returncode == -9 and incidents(ledger) == []
    observe(ledger, CONFIG)
    (one,) = incidents(ledger)
    assert one.signs == 1 and [event.what for event in history(ledger, one.id)] == ["opened"]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("results", "state"),
    [
        (["moved", "quiet", "quiet"], "resolved"),
        (["moved", "quiet", "unmeasurable", "quiet"], "open"),
        (["moved", "quiet", "inconclusive", "quiet"], "open"),
        (["moved", "quiet", "moved", "quiet"], "open"),
        (["moved", "quiet", "reference", "quiet"], "open"),
        (["moved", "quiet", "inconclusive", "quiet", "quiet"], "resolved"),
    ],
)
def test_two_quiet_looks_in_a_row_end_what_moved(ledger, results, state) -> None:
    after(ledger, results)
    assert [one.state for one in incidents(ledger) if one.cause == "model"] == [state]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("results", "found"),
    [
        (["unmeasurable"], []),
        (["unmeasurable", "quiet", "unmeasurable"], []),
        (["unmeasurable", "unmeasurable"], ["open"]),
        (["unmeasurable", "unmeasurable", "inconclusive", "inconclusive"], ["open"]),
        (["unmeasurable", "unmeasurable", "quiet", "quiet"], ["resolved"]),
        (["unmeasurable", "unmeasurable", "moved", "moved"], ["resolved", "open"]),
        (["unmeasurable", "unmeasurable", "reference", "reference"], ["resolved"]),
    ],
)
def test_what_could_not_be_measured_ends_where_looks_measure_again(ledger, results, found) -> None:
    after(ledger, results)
    assert [one.state for one in reversed(incidents(ledger))] == found


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_causes_and_monitors_are_incidents_of_their_own_and_a_signal_stays_with_its_own(ledger) -> None:
    look(ledger, "moved", BEGUN, alert("latency", BEGUN, "service"), alert("input_drift", BEGUN, "input"), of="traffic")
    other = BEGUN + timedelta(minutes=1)
    look(ledger, "moved", other, alert("latency", other, "service"), of="traffic", monitor="other")
    later, last = BEGUN + HOUR, BEGUN + 2 * HOUR
    look(ledger, "moved", later, alert("latency", later, "unknown"), of="traffic")  # the cause looks otherwise by now
    look(ledger, "moved", last, alert("error_rate", last, "unknown"), of="traffic")
    observe(ledger, CONFIG)
    found = {(one.monitor, one.cause): one.signs for one in incidents(ledger)}
    assert found == {
        ("watch", "service"): 2,
        ("watch", "input"): 1,
        ("other", "service"): 1,
        ("watch", "unknown:error_rate"): 1,
    }


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_an_endpoint_that_is_down_and_the_errors_of_its_traffic_are_one_incident(ledger) -> None:
    for number in range(2):
        at = BEGUN + number * HOUR
        look(ledger, "unmeasurable", at)
        look(ledger, "moved", at, alert("error_rate", at, "service", 0.4), of="traffic")
    observe(ledger, CONFIG)
    (one,) = incidents(ledger)
    assert one.cause == "service" and {part.subject for part in one.parts} == {"canaries", "traffic"}
    for number in range(2, 4):  # the canaries are answered again, and calls go on to fail
        look(ledger, "quiet", BEGUN + number * HOUR)
    observe(ledger, CONFIG)
    assert incidents(ledger)[0].state == "open"
    for number in range(2, 4):
        look(ledger, "quiet", BEGUN + number * HOUR, of="traffic")
    observe(ledger, CONFIG)
    assert incidents(ledger)[0].state == "resolved"


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_it_gets_worse_and_never_better_while_it_is_open(ledger) -> None:
    for number, effect in enumerate((-0.06, -0.3, -0.06)):
        at = BEGUN + number * HOUR
        look(ledger, "moved", at, alert("canary_accuracy", at, effect=effect))
        observe(ledger, CONFIG)
    (one,) = incidents(ledger)
    told = history(ledger, one.id)
    assert [(event.what, event.severity) for event in told] == [
        ("opened", "high"),
        ("worse", "critical"),
        ("seen", "critical"),
    ]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_a_quiet_look_of_before_that_is_taken_in_late_counts_for_nothing(ledger) -> None:
    later = BEGUN + 3 * HOUR
    look(ledger, "moved", later, alert("canary_accuracy", later))
    observe(ledger, CONFIG)
    for number in range(2):
        look(ledger, "quiet", BEGUN + number * HOUR)
    observe(ledger, CONFIG)
    assert (incidents(ledger)[0].state, incidents(ledger)[0].parts[0].quiet) == ("open", 0)


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_an_outage_of_a_day_gets_worse_once(ledger) -> None:
    after(ledger, ["unmeasurable"] * 28)
    (one,) = incidents(ledger)
    assert [event.what for event in history(ledger, one.id)].count("worse") == 1 and one.severity == "critical"


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_one_that_comes_back_late_is_another(ledger) -> None:
    config = IncidentsConfig(reopen_hours=2)
    for number, result in enumerate(["moved", "quiet", "quiet", "moved", "quiet", "quiet", "quiet", "quiet", "moved"]):
        at = BEGUN + number * HOUR
        look(ledger, result, at, *([alert("canary_accuracy", at)] if result == "moved" else []))
        observe(ledger, config)
    second, first = incidents(ledger)
    assert [event.what for event in history(ledger, first.id)].count("reopened") == 1
    assert (first.state, second.state) == ("resolved", "open")


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_looks_of_long_ago_open_nothing_on_a_ledger_that_never_kept_incidents(ledger) -> None:
    old = datetime.now(UTC) - timedelta(days=30)
    look(ledger, "moved", old, alert("canary_accuracy", old))
    look(ledger, "moved", BEGUN, alert("canary_agreement", BEGUN))
    observe(ledger, CONFIG)
    assert [one.signals for one in incidents(ledger)] == [("canary_agreement",)]


def test_people_at_the_same_moment_and_what_they_did(ledger) -> None:
    sign = Sign("watch", "x", "endpoint_down", "high", "x", "it is down")
    settle(ledger, "x", [sign], BEGUN, CONFIG, over="")
    name = incidents(ledger)[0].id

    def end(who: str) -> str:
        try:
            return resolve(ledger, name, who).resolved_by
        except DriftgateError:
            return ""

    with ThreadPoolExecutor(4) as pool:
        ended = [who for who in pool.map(end, ("a", "b", "c", "d")) if who]
    assert len(ended) == 1 and find_incident(ledger, name).resolved_by == ended[0]
    reopen(ledger, name, "kim", "not over")
    acknowledge(ledger, name, "kim", "on it")
    silence(ledger, name, datetime.now(UTC) + HOUR, "lee", "until the call")
    told = [(event.what, event.who) for event in history(ledger, name)]
    assert told[-4:] == [("resolved", ended[0]), ("reopened", "kim"), ("acknowledged", "kim"), ("silenced", "lee")]
    audited = [(row.action, row.who) for row in audit_of(ledger)]
    assert audited == [
        ("incident.silence", "lee"),
        ("incident.acknowledge", "kim"),
        ("incident.reopen", "kim"),
        ("incident.resolve", ended[0]),
    ]
    with pytest.raises(DriftgateError, match="no time zone"):
        silence(ledger, name, datetime(2027, 1, 1), "kim")
    assert [one.id for one in incidents(ledger, states=["acknowledged"], monitor="watch", least="high")] == [name]
    assert not incidents(ledger, least="critical") and not incidents(ledger, monitor="")


RESULTS = st.sampled_from(["quiet", "inconclusive", "unmeasurable", "moved"])


@settings(max_examples=25)
@given(st.lists(RESULTS, max_size=6), st.integers(0, 5), st.sampled_from(["inconclusive", "unmeasurable", "moved"]))
def test_worse_evidence_never_ends_an_incident_sooner(results: list[str], place: int, worse: str) -> None:
    given = ["moved", *results]
    worsened = [worse if number == place + 1 and one == "quiet" else one for number, one in enumerate(given)]

    def ends(looks: list[str]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            ledger = open_ledger("ledger.db", Path(folder))
            try:
                for number, result in enumerate(looks):
                    at = BEGUN + number * HOUR
                    look(ledger, result, at, *([alert("canary_accuracy", at)] if result == "moved" else []))
                observe(ledger, CONFIG)
                (one,) = [one for one in incidents(ledger) if one.cause == "model"]
                first = (event.at for event in history(ledger, one.id) if event.what == "resolved")
                return min((at.timestamp() for at in first), default=float("inf"))
            finally:
                ledger.close()

    assert ends(worsened) >= ends(given)
