"""A monitor's looks at traffic, replayed over its stored calls or over a file of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.watching import find_monitor
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.replay import MOST_TEXTS, Replay, replay

if TYPE_CHECKING:
    import pandas as pd

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def replay_traffic(
    workspace: OpenWorkspace,
    monitor: str,
    file: Path | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    signals: Sequence[str] | None = None,
    sizes: Sequence[float] = (),
    starts: int = 6,
    seed: int = 0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Replay:
    """Look at past calls as a monitor would have, and count how soon changes put into them are found.

    Parameters
    ----------
    monitor : str
        Whose settings are taken; empty: those that a monitor has unless it says otherwise, and a look a day.
    file : Path, optional
        A file of calls; by default those that the workspace has stored.
    columns : mapping of str to str, optional
        The file's column of a field, by field.
    signals, sizes, starts, seed, advance
        As of :func:`driftgate.monitor.replay.replay`.

    Raises
    ------
    DriftgateError
        There is no such monitor or it does not look at traffic, or the calls cannot be read or are of too few days.
    """
    traffic, floors = TrafficConfig(), {}
    if monitor:
        found = find_monitor(workspace, monitor)
        if found.traffic is None:
            raise DriftgateError(f"the monitor '{monitor}' does not look at traffic", "add traffic to it")
        traffic, floors = found.traffic, found.floors
    calls = _stored(workspace, traffic) if file is None else _of_file(file, columns or {})
    return replay(
        calls, traffic, floors=floors, signals=signals, sizes=sizes, starts=starts, seed=seed, advance=advance
    )


def _stored(workspace: OpenWorkspace, traffic: TrafficConfig) -> pd.DataFrame:
    from driftgate.monitor.telemetry import COLUMNS, sample

    only = {"request_model": traffic.request_model} if traffic.request_model else {}
    columns = tuple(name for name in COLUMNS if name not in ("input_text", "output_text"))
    return sample(
        workspace.telemetry, _EVER, datetime.now(UTC), only=only, columns=columns, most_texts=MOST_TEXTS
    ).calls


def _of_file(file: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    from driftgate.api._call_rows import calls_of_file

    return calls_of_file(file, columns)
