"""Looks at canaries and what they found, kept in the ledger.

A look is a run of the canary set through its flow by the live model. The first looks after a champion was put in
place are its reference; every later one is compared with them, canary by canary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, desc, select

from benchmarks.ledger import (
    Ledger,
    RunRow,
    UtcDateTime,
    cells_of,
    create_tables,
    find_run,
    insert_new,
    outcome_frame,
)
from monitor.alert import Alert
from monitor.config import TrafficConfig
from monitor.drift import Look, Period, Windows, look
from monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd

metadata = MetaData()

_looks = Table(
    "looks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("champion", String(128), nullable=False),
    Column("run_id", String(64), nullable=False, unique=True),
    Column("number", Integer, nullable=False),  # 0 for a reference look, then from 1
    Column("findings", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

_alerts = Table(
    "alerts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("alert", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class LookRow:
    """A look as the ledger holds it."""

    id: int
    monitor: str
    champion: str
    run_id: str
    number: int
    findings: Sequence[Mapping[str, Any]]
    at: datetime


@dataclass(frozen=True)
class AlertRow:
    """An alert as the ledger holds it."""

    monitor: str
    alert: Alert
    at: datetime


@dataclass(frozen=True)
class Watched:
    """What a look came to."""

    row: LookRow
    look: Look | None
    """None for a reference look."""
    alerts: tuple[Alert, ...]


def look_at_canaries(
    ledger: Ledger,
    monitor: str,
    champion: str,
    run: RunRow,
    *,
    reference_looks: int = 1,
    floors: Mapping[str, float] | None = None,
    alpha: float = 0.05,
) -> Watched:
    """Compare a canary run with the reference looks of the same champion, and keep what was found.

    Looking twice at the same run changes nothing.

    Parameters
    ----------
    champion : str
        The champion as it was put in place; another one begins a reference of its own.
    reference_looks : int
        How many of a champion's first looks are its reference.

    Returns
    -------
    Watched
        A reference look has no comparison and no alerts.
    """
    create_tables(ledger, metadata)
    earlier = [row for row in looks_of(ledger, monitor) if row.champion == champion and row.run_id != run.id]
    reference = sorted((row for row in earlier if row.number == 0), key=lambda row: row.at)[:reference_looks]
    now = datetime.now(UTC)
    if len(reference) < reference_looks:
        return Watched(_keep(ledger, monitor, champion, run.id, 0, [], now), None, ())
    number = 1 + sum(row.number > 0 for row in earlier)
    frames = [canary_frame(ledger, find_run(ledger, row.run_id)) for row in reference]
    current = canary_frame(ledger, run)
    windows = Windows("canaries", _period(frames), _period([current]))
    import pandas as pd

    found = look([windows], canaries=pd.concat([*frames, current]), floors=floors, alpha=alpha, number=number)
    findings = [_plain(finding) for finding in found.findings]
    row = _keep(ledger, monitor, champion, run.id, number, findings, now)
    _keep_alerts(ledger, monitor, found.alerts, now)
    return Watched(row, found, found.alerts)


def look_at_traffic(
    ledger: Ledger,
    monitor: str,
    folder: Path,
    traffic: TrafficConfig,
    now: datetime,
    *,
    floors: Mapping[str, float] | None = None,
    evidence: Path | None = None,
) -> Watched | None:
    """Compare the newest telemetry with the days before, and keep what was found.

    Parameters
    ----------
    folder : Path
        The telemetry store's folder.
    evidence : Path, optional
        Folder for evidently's report of the two windows, written where something moved.

    Returns
    -------
    Watched or None
        None where one of the windows holds no call.
    """
    from monitor.telemetry import frame

    create_tables(ledger, metadata)
    middle = now - timedelta(days=traffic.current_days)
    start = middle - timedelta(days=traffic.reference_days)
    only = {"request_model": traffic.request_model} if traffic.request_model else {}
    calls = frame(folder, start, now, only=only)
    current = calls["time"] >= middle
    if not current.any() or current.all():
        return None
    windows = Windows("telemetry", Period(start, middle), Period(middle, now))
    chosen = traffic.signals or [name for name in SIGNALS.names() if not SIGNALS.get(name).of_canaries]
    found = look([windows], telemetry=calls, signals=chosen, floors=floors, alpha=traffic.alpha)
    key = f"traffic-{monitor}-{now:%Y%m%dT%H%M%S}"
    row = _keep(ledger, monitor, traffic.request_model, key, 1, [_plain(f) for f in found.findings], now)
    _keep_alerts(ledger, monitor, found.alerts, now)
    if found.alerts and evidence is not None:
        from monitor.evidence import write_evidence

        evidence.mkdir(parents=True, exist_ok=True)
        write_evidence(calls[~current], calls[current], evidence / f"{key}.html")
    return Watched(row, found, found.alerts)


def canary_frame(ledger: Ledger, run: RunRow) -> pd.DataFrame:
    """The answers of a canary run as the signals read them.

    Returns
    -------
    pandas.DataFrame
        A row for each canary: ``time`` (of the run's beginning), ``key`` (upstream id), ``slice`` (category),
        ``answer``, ``correct``, ``response_model``, ``fingerprint`` and ``prompt_hash``.
    """
    import pandas as pd

    frames = []
    for cell in cells_of(ledger, run.id):
        frame = outcome_frame(ledger, cell.id)
        measured = ~frame["outcome"].isin(["failed", "missing"])
        frames.append(
            pd.DataFrame(
                {
                    "time": pd.Timestamp(run.created_at),
                    "key": frame["upstream_id"],
                    "slice": frame["category"],
                    "answer": frame["answer"].fillna("").where(measured),
                    # What was not measured is no evidence against the model; what it left unanswered is.
                    "correct": frame["correct"].astype(float).fillna(0.0).where(measured),
                    "response_model": frame["served_model"].fillna(""),
                    "fingerprint": frame["fingerprint"].fillna(""),
                    "prompt_hash": str(cell.details.get("flow_hash", "")),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def looks_of(ledger: Ledger, monitor: str, limit: int = 1000) -> list[LookRow]:
    """The looks of a monitor, the newest first."""
    create_tables(ledger, metadata)
    query = select(_looks).where(_looks.c.monitor == monitor).order_by(desc(_looks.c.id)).limit(limit)
    with ledger.read() as connection:
        return [LookRow(**row._mapping) for row in connection.execute(query)]


def alerts_of(ledger: Ledger, monitor: str | None = None, limit: int = 100) -> list[AlertRow]:
    """Alerts, the newest first; of one monitor or of all."""
    create_tables(ledger, metadata)
    query = select(_alerts).order_by(desc(_alerts.c.at)).limit(limit)
    if monitor is not None:
        query = query.where(_alerts.c.monitor == monitor)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [AlertRow(row.monitor, Alert.from_json(row.alert), row.at) for row in rows]


def _period(frames: Sequence[pd.DataFrame]) -> Period:
    start = min(frame["time"].min() for frame in frames).to_pydatetime()
    end = max(frame["time"].max() for frame in frames).to_pydatetime()
    return Period(start, end + timedelta(microseconds=1))


def _plain(finding: Any) -> dict[str, Any]:
    evidence = asdict(finding.place)
    return {
        "signal": finding.signal.name,
        "moved": list(finding.moved),
        "p_value": finding.p_value,
        "adjusted_p_value": finding.adjusted_p_value,
        "evidence": {k: v for k, v in evidence.items() if isinstance(v, (int, float, str, type(None)))},
    }


def _keep_alerts(ledger: Ledger, monitor: str, alerts: Sequence[Alert], at: datetime) -> None:
    rows = [{"key": a.key, "monitor": monitor, "alert": a.to_json(), "at": at} for a in alerts]
    with ledger.write() as connection:
        insert_new(connection, _alerts, rows)


def _keep(
    ledger: Ledger, monitor: str, champion: str, run_id: str, number: int, findings: Sequence[Any], at: datetime
) -> LookRow:
    row = {
        "monitor": monitor,
        "champion": champion,
        "run_id": run_id,
        "number": number,
        "findings": list(findings),
        "at": at,
    }
    with ledger.write() as connection:
        insert_new(connection, _looks, [row])
        kept = connection.execute(select(_looks).where(_looks.c.run_id == run_id)).one()
    return LookRow(**kept._mapping)
