"""Take looks in: what each saw is added to incidents, once, however often and by however many processes it is tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection, select

from driftgate.ledger import Ledger, create_tables, insert_new
from driftgate.monitor.alert import Alert
from driftgate.monitor.incidents._config import IncidentsConfig
from driftgate.monitor.incidents._kinds import cause_of_blindness, titled
from driftgate.monitor.incidents._severity import severity_of, severity_of_blindness
from driftgate.monitor.incidents._signs import clear, signal
from driftgate.monitor.incidents._store import UNRESOLVED, reading
from driftgate.monitor.incidents._tables import incidents, metadata, taken_in
from driftgate.monitor.incidents._values import SEVERITIES, Part, Severity, Sign
from driftgate.monitor.looks import Conclusion, LookRow, Result, alerts_at, looks_not_in, results_before

_BEFORE = timedelta(days=2)
"""Looks that are older when a ledger first keeps incidents are history, and open none."""
_COULD_SEE: tuple[Result, ...] = ("reference", "quiet", "moved")


def observe(ledger: Ledger, config: IncidentsConfig, now: datetime | None = None) -> int:
    """Add all looks that were not taken in yet to incidents, the oldest first; returns how many there were.

    Each is taken in by one transaction, together with what becomes of incidents by it: a process that is killed between
    a look and this leaves it to the next one.
    """
    create_tables(ledger, metadata)
    moment = now or datetime.now(UTC)
    with ledger.read() as connection:
        first = connection.execute(select(taken_in.c.run_id).limit(1)).first() is None
    found = looks_not_in(ledger, taken_in.c.run_id)
    for look in found:
        with ledger.write() as connection:
            if _take_in(connection, look.run_id, moment) and not (first and look.at < moment - _BEFORE):
                observe_look(connection, look, config)
    return len(found)


def observe_look(connection: Connection, look: LookRow, config: IncidentsConfig) -> None:
    """Add what a look saw to the incidents of its monitor, and count it for those that it saw nothing of."""
    seen = {signal(connection, sign, look.at, config).id for sign in _signs(connection, look, config)}
    result = look.conclusion.result if look.conclusion is not None else None
    for incident in reading(connection, incidents.c.monitor == look.monitor, incidents.c.state.in_(UNRESOLVED)):
        part = next((part for part in incident.parts if part.subject == look.of), None)
        if part is not None and incident.id not in seen:
            quiet = _saw_nothing(part, result) and look.at > incident.seen_at  # one of before says nothing of now
            detail = {"look": look.run_id}
            clear(connection, incident, look.of, look.at, quiet=quiet, needed=config.resolve_after, detail=detail)


def _saw_nothing(part: Part, result: Result | None) -> bool:
    """Whether a look counts towards the end of what a part says.

    That a signal moved is over where looks are quiet. That nothing could be measured is over where looks measure again,
    whatever they find.
    """
    if result is None:
        return False
    return result == "quiet" if part.signals else result in _COULD_SEE


def _signs(connection: Connection, look: LookRow, config: IncidentsConfig) -> Iterator[Sign]:
    if look.conclusion is None:
        return
    if look.conclusion.result == "moved":
        yield from _moved(connection, look, look.conclusion)
    elif look.conclusion.result == "unmeasurable":
        yield from _blind(connection, look, look.conclusion, config)
    elif look.conclusion.result == "reference":  # one that is worse than those before it has alerts
        yield from _moved(connection, look, None)


def _moved(connection: Connection, look: LookRow, conclusion: Conclusion | None) -> Iterator[Sign]:
    """A sign for each cause of a look's alerts, told by the gravest of them."""
    good_at, by_cause = _good_at(connection, look), dict[str, list[tuple[Severity, Alert]]]()
    for alert in alerts_at(connection, look):
        cause = f"unknown:{alert.signal}" if alert.cause == "unknown" else alert.cause
        by_cause.setdefault(cause, []).append((severity_of(alert, look.of), alert))
    for cause, found in by_cause.items():
        severity, gravest = max(found, key=lambda one: (SEVERITIES.index(one[0]), -one[1].adjusted_p_value))
        yield Sign(
            look.monitor,
            cause,
            f"{gravest.cause}_moved",
            severity,
            look.of,
            gravest.summary,
            f"driftgate monitor explain {gravest.key}",
            tuple(alert.signal for _, alert in found),
            since=look.at,
            good_at=good_at,
            detail={"look": look.run_id, "alerts": [alert.key for _, alert in found]},
        )
    if not by_cause and conclusion is not None:  # an alert that is kept no more is no quiet look
        told, detail = f"{look.of} moved: {conclusion.why}", {"look": look.run_id}
        of, since = (look.of,), look.at
        cause = f"unknown:{look.of}"
        yield Sign(look.monitor, cause, "unknown_moved", "medium", look.of, told, "", of, since, good_at, detail=detail)


def _blind(connection: Connection, look: LookRow, conclusion: Conclusion, config: IncidentsConfig) -> Iterator[Sign]:
    streak = _streak(connection, look)
    kind = conclusion.blindness or "unmeasurable"  # of a look that was kept before it was named
    cause = cause_of_blindness(look.of, kind)
    # What is open already is added to at once: one look that cannot tell is as good a sign of the same as several.
    if len(streak) < config.unmeasurable_after and not _is_open(connection, look, cause):
        return
    since = streak[-1]
    yield Sign(
        look.monitor,
        cause,
        kind,
        severity_of_blindness(kind, look.at - since),
        look.of,
        f"{look.of}: {titled(kind)}: {conclusion.reason}",
        conclusion.remedy,
        since=since,
        good_at=_good_at(connection, look),
        detail={"look": look.run_id},
    )


def _streak(connection: Connection, look: LookRow) -> Sequence[datetime]:
    """When the looks were made, this one first, that could not measure one after the other."""
    times = []
    for one in results_before(connection, look):
        if one.result != "unmeasurable":
            break
        times.append(one.at)
    return times


def _good_at(connection: Connection, look: LookRow) -> datetime | None:
    return next((one.at for one in results_before(connection, look) if one.result in ("quiet", "reference")), None)


def _is_open(connection: Connection, look: LookRow, cause: str) -> bool:
    here = (incidents.c.monitor == look.monitor, incidents.c.cause == cause, incidents.c.state.in_(UNRESOLVED))
    return any(part.subject == look.of and part.blind for one in reading(connection, *here) for part in one.parts)


def _take_in(connection: Connection, run_id: str, at: datetime) -> bool:
    """Whether this transaction is the one that takes a look in."""
    mine = token_hex(8)
    insert_new(connection, taken_in, [{"run_id": run_id, "by": mine, "at": at}])
    kept = connection.execute(select(taken_in.c.by).where(taken_in.c.run_id == run_id)).scalar_one()
    return bool(kept == mine)
