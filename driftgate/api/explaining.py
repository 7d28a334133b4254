"""Why an alert was raised: what moved, since when, by how much, in which looks and slices, and who is suspected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftgate.api._frames import stacked
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, cells_of, node_results, outcome_frame
from driftgate.monitor.alert import Alert, Period
from driftgate.monitor.looks import AlertRow, LookRow, alerts_of, looks_of, pinned_reference
from driftgate.monitor.suspects import Lost, Suspect, in_words, lost_canaries, registered, suspects

if TYPE_CHECKING:
    import pandas as pd

_ALL = 100_000
"""Alerts and looks that are searched."""


@dataclass(frozen=True)
class SeenAt:
    """What one look says of the signal."""

    at: datetime
    result: str
    told: str


@dataclass(frozen=True)
class Explanation:
    """What is known of an alert."""

    alert: Alert
    monitor: str
    at: datetime
    since: datetime
    """When what the first of the looks that go on saying it looked at began."""
    looks: tuple[SeenAt, ...]
    """The looks at the same before it, and it, the oldest first."""
    slices: tuple[tuple[str, str, bool], ...]
    """Each slice that was compared, what it says, and whether it is one of those that moved."""
    suspects: tuple[Suspect, ...]
    lost: Lost | None
    """Of canaries, what became of those that were right."""
    repair: str
    """Whether it calls for a repair, and why."""
    unread: str
    """Why the calls themselves could not be looked at again; empty where they could."""


def explain(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Explanation:
    """Explain an alert.

    Parameters
    ----------
    name : str
        Its key or a part of it that only one has, or ``latest``.

    Raises
    ------
    DriftgateError
        None or more than one fits.
    """
    row = find_alert(ledger, name)
    alert = row.alert
    signal = registered(alert.signal)
    canary = signal is not None and signal.of_canaries
    looks = looks_of(ledger, row.monitor, _ALL)
    own = next((one for one in looks if one.at == row.at and _is_about(one, alert)), None)
    looks = [one for one in looks if one.of == own.of] if own is not None else []
    before = after = None
    lost, unread = None, ""
    if canary and own is not None:
        pooled = [one.run_id for one in looks if one.at <= own.at][: alert.looks]
        before, after = _canaries(ledger, own, pooled)
        lost = lost_canaries(before, after) if len(before) and len(after) else None
    elif own is None or own.of in ("traffic", "answers"):
        before, after, unread = _calls(workspace, alert, own)
    said, quiet = _nearest(ledger, row.monitor, row.at, canary=canary)
    until = [one for one in looks if one.at <= row.at]
    since = _since(ledger, row.monitor, alert, until)
    return Explanation(
        alert=alert,
        monitor=row.monitor,
        at=row.at,
        since=since,
        looks=tuple(reversed([_seen(one, alert) for one in until[:6]])),
        slices=_slices(alert, own),
        suspects=suspects(
            alert,
            own.findings if own is not None else (),
            before,
            after,
            canaries=said,
            quiet_canaries=quiet,
            lost=lost,
            anchors=_anchors(workspace, ledger, row.monitor, alert),
        ),
        lost=lost,
        repair=_repair(alert, quiet),
        unread=unread,
    )


def find_alert(ledger: Ledger, name: str) -> AlertRow:
    """An alert by its key, a part of it that only one has, or ``latest``.

    Raises
    ------
    DriftgateError
        None or more than one fits.
    """
    rows = alerts_of(ledger, limit=_ALL)
    if not rows:
        raise DriftgateError(
            f"'{name}' names no alert: none was raised", "driftgate monitor alerts says what every monitor saw last"
        )
    fit = rows[:1] if name == "latest" else [row for row in rows if name and name in row.alert.key]
    if len(fit) != 1:
        keys = ", ".join(row.alert.key for row in (fit or rows)[:6])
        raise DriftgateError(f"'{name}' names {len(fit)} alerts", f"name one of {keys}, or latest")
    return fit[0]


def _is_about(look: LookRow, alert: Alert) -> bool:
    return any(one.get("signal") == alert.signal for one in look.findings)


def _anchors(workspace: OpenWorkspace, ledger: Ledger, monitor: str, alert: Alert) -> dict[str, bool]:
    """What the anchors of the judge say that gave the grades, and whether that puts it in doubt; empty without one."""
    config = workspace.config.monitors.get(monitor)
    if config is None or config.evaluate is None or registered(alert.signal) is not None:
        return {}
    from driftgate.api.evaluating import judges_checked

    try:
        checks = judges_checked(workspace, ledger, monitor, config.evaluate)
    except DriftgateError as problem:
        return {f"its anchors cannot be read: {problem.message}": True}
    by_name = {name.partition(".")[2]: check for name, check in checks.items()}
    check = by_name.get(alert.signal.partition(".")[0])
    return {} if check is None else {f"its anchors: {check.told}": check.doubtful}


def _since(ledger: Ledger, monitor: str, alert: Alert, looks: Sequence[LookRow]) -> datetime:
    """Where the newest window began of the first of the looks that go on raising the alert."""
    raised = {row.at: row.alert for row in alerts_of(ledger, monitor, _ALL) if row.alert.signal == alert.signal}
    since = alert.current.start
    for look in looks:  # the newest first
        if look.at not in raised:
            break
        since = raised[look.at].current.start
    return since


def _seen(look: LookRow, alert: Alert) -> SeenAt:
    of_signal = [one for one in look.findings if one.get("signal") == alert.signal and "everywhere" in one]
    same = [one for one in of_signal if one.get("periods", 1) == alert.periods and one.get("looks", 1) == alert.looks]
    told = in_words((same or of_signal)[0]) if of_signal else "not compared"
    return SeenAt(look.at, look.conclusion.result if look.conclusion is not None else "looked", told)


def _slices(alert: Alert, look: LookRow | None) -> tuple[tuple[str, str, bool], ...]:
    if look is None:
        return ()
    for finding in look.findings:
        if finding.get("signal") != alert.signal or finding.get("periods", 1) != alert.periods:
            continue
        if finding.get("looks", 1) == alert.looks and finding.get("slices"):
            return tuple(
                (name, in_words({**finding, "everywhere": told}), name in alert.slices)
                for name, told in finding["slices"].items()
                if told["effect"] is not None and told["p_value"] is not None
            )
    return ()


def _canaries(ledger: Ledger, look: LookRow, pooled: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers of a look's reference and of the runs that it pools, with the replies where they are kept."""
    import pandas as pd

    def of_runs(runs: Sequence[str]) -> pd.DataFrame:
        frames = []
        for cell in (cell for run in runs for cell in cells_of(ledger, run)):
            frame = outcome_frame(ledger, cell.id)
            said = _replies(ledger, cell.id)
            frames.append(
                frame.assign(
                    flow_hash=str(cell.details.get("flow_hash", "")),
                    response=frame["sample_id"].map(said),
                )
            )
        if not frames:
            return pd.DataFrame()
        frame = stacked(frames)
        renamed = {"category": "slice", "served_model": "response_model", "flow_hash": "prompt_hash"}
        return frame.rename(columns=renamed)

    return of_runs(pinned_reference(ledger, look.monitor, look.champion)), of_runs(pooled[::-1])


def _replies(ledger: Ledger, cell_id: int) -> dict[int, str]:
    """What the model said, by sample: the reply that a node hands on as one, else the last text that a node made.

    Empty where texts are kept no more.
    """
    try:
        results = node_results(ledger, cell_id)
    except DriftgateError:  # expired, or its archive is elsewhere: what became of the answers is known all the same
        return {}
    said = {}
    for sample, nodes in results.items():
        made = [node.output for node in nodes.values()]
        replies = [one["text"] for one in made if isinstance(one, dict) and isinstance(one.get("text"), str)]
        texts = replies or [one for one in made if isinstance(one, str)]
        if texts:
            said[sample] = texts[-1]
    return said


def _calls(
    workspace: OpenWorkspace, alert: Alert, look: LookRow | None
) -> tuple[pd.DataFrame | None, pd.DataFrame | None, str]:
    from driftgate.monitor.telemetry import COLUMNS, frame

    columns = tuple(one for one in COLUMNS if not one.endswith(("_text", "_ngrams")))
    only = {"request_model": look.champion} if look is not None and look.champion else {}

    def read(period: Period) -> pd.DataFrame:
        return frame(workspace.telemetry, period.start, period.end, only=only, columns=columns)

    before, now = read(alert.reference), read(alert.current)
    lacking = [
        f"{len(side):,} of {count:,} calls of the {name} window"
        for name, side, count in (("reference", before, alert.n_reference), ("current", now, alert.n_current))
        if len(side) < count / 2
    ]
    return before, now, f"kept are {' and '.join(lacking)}" if lacking else ""


def _nearest(ledger: Ledger, monitor: str, at: datetime, *, canary: bool) -> tuple[str, bool | None]:
    """What the look at canaries nearest to an alert on traffic says, and whether it is quiet."""
    if canary:
        return "", None
    looks = [one for one in looks_of(ledger, monitor, _ALL) if one.of == "canaries" and one.conclusion is not None]
    looks = [one for one in looks if one.conclusion is not None and one.conclusion.result in ("quiet", "moved")]
    if not looks:
        return "", None
    near = min(looks, key=lambda one: abs(one.at - at))
    of_accuracy = [one for one in near.findings if one.get("signal") == "canary_accuracy" and "everywhere" in one]
    told = f": {in_words(of_accuracy[0])}" if of_accuracy else ""
    result = near.conclusion.result if near.conclusion is not None else ""
    when = f"{near.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"the canaries of {when} are {result}{told}", result == "quiet"


def _repair(alert: Alert, quiet: bool | None) -> str:
    signal = registered(alert.signal)
    if signal is None or not signal.of_canaries:
        veto = "; the canaries are quiet" if quiet else ""
        return f"no: only canaries that are answered worse open a repair, and {alert.title} is none{veto}"
    if alert.cause != "model":
        return f"no: the likeliest cause is {alert.cause}"
    if alert.effect_high is None or alert.effect_high >= 0.0:
        return "no: the interval does not leave out that others like these did not move"
    return "yes, where the monitor names a recipe"
