"""Bring production's model calls from where they are into the workspace's telemetry folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.addressing import addresses_judge
from driftgate.flows.refusals import is_refusal
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger
from driftgate.monitor.config import EvaluateConfig
from driftgate.monitor.sampling import is_drawn
from driftgate.monitor.telemetry import Intake, InUse, Reason, Store, left_out, pseudonyms, steps
from driftgate.monitor.telemetry.sources import CollectionResult, SourceConfig, check_collected, collect_all

if TYPE_CHECKING:
    import pandas as pd

EVERY = timedelta(minutes=5)
"""How often ``driftgate serve`` collects."""
_LATE = 3 * EVERY
"""A collection by the service that is older than this did not take place."""


def intake(folder: Path, evaluated: Sequence[EvaluateConfig] = ()) -> Intake:
    """What is told of a call on its way into a telemetry folder: whether the answer is a refusal, or talks to a judge,
    and under which pseudonym its user is known there.

    Parameters
    ----------
    evaluated : sequence of EvaluateConfig
        The continuous evaluations of the workspace: the content of calls that one of them draws is kept, redacted.
    """
    told_of = Intake(refused=is_refusal, addressed=addresses_judge, pseudonym=pseudonyms(folder))
    if not evaluated:
        return told_of

    def keeps(trace_id: str, span_id: str) -> bool:
        return any(is_drawn(trace_id, span_id, one.rate, one.seed) for one in evaluated)

    return replace(told_of, redact=told, keeps=keeps)


def evaluations(workspace: OpenWorkspace) -> list[EvaluateConfig]:
    """The continuous evaluations of the workspace's monitors."""
    return [one.evaluate for one in workspace.config.monitors.values() if one.evaluate is not None]


def sources(workspace: OpenWorkspace) -> list[SourceConfig]:
    """Where the workspace's telemetry comes from, with every path inside the workspace.

    Raises
    ------
    DriftgateError
        A path leads out of the workspace.
    """
    return [source.placed(workspace.inside) for source in workspace.config.telemetry]


def collect(workspace: OpenWorkspace, ledger: Ledger) -> list[CollectionResult]:
    """Bring what every source has come up with since the last time into the telemetry folder.

    Raises
    ------
    InUse
        Another process, such as ``driftgate serve``, writes the folder; it collects itself.
    DriftgateError
        The folder cannot be written, or a path leads out of the workspace.
    """
    named = sources(workspace)
    if not named:
        return []
    with Store(workspace.telemetry) as store:
        return collect_all(named, store, ledger, intake(workspace.telemetry, evaluations(workspace)), datetime.now(UTC))


def bring_up_to_date(workspace: OpenWorkspace, ledger: Ledger) -> None:
    """See to it that the telemetry folder holds what every source has, or say that it does not.

    Raises
    ------
    DriftgateError
        A source could not be read, or whoever writes the folder has not read it lately.
    """
    try:
        collect(workspace, ledger)
    except InUse:
        check_collected(ledger, sources(workspace), datetime.now(UTC), _LATE)
    else:
        check_collected(ledger, sources(workspace), datetime.now(UTC), EVERY)


def not_kept(workspace: OpenWorkspace, days: int) -> Mapping[Reason, int]:
    """What ``driftgate serve`` received in the newest days and did not keep as a call of a model, by reason.

    Raises
    ------
    DriftgateError
        The telemetry folder leads out of the workspace.
    """
    return left_out(workspace.telemetry, datetime.now(UTC) - timedelta(days=days - 1))


def steps_of(workspace: OpenWorkspace, days: int) -> pd.DataFrame:
    """What agents and tools did in the newest days.

    Raises
    ------
    DriftgateError
        The telemetry folder leads out of the workspace.
    """
    now = datetime.now(UTC)
    return steps(workspace.telemetry, now - timedelta(days=days), now + timedelta(days=1))
