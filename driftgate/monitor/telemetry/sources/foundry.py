"""Results of a Foundry project's continuous evaluation, joined to the calls that they are of.

An evaluation's runs are read in the order in which they were made, each once it has ended. A result names the response
that it is of; the call of that response is looked for in the store. Where it has not arrived yet, the watermark stays
before its run, for as long as ``late`` says, and the run is read again: a result that is read twice counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from driftgate.flows.models import resolve
from driftgate.ledger import Ledger
from driftgate.monitor.foundry_project import opened
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._logs import part_of
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import label
from driftgate.monitor.telemetry._spans import hash_of
from driftgate.monitor.telemetry._tables import advance, watermark
from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._store import Store

_GOING_ON = frozenset({"queued", "in_progress"})
_CALL = ("time", "trace_id", "span_id", "response_hash")


class FoundryResultsConfig(SourceConfig):
    """A Foundry project whose continuous evaluation grades responses that production gave."""

    endpoint: str
    """Address of the project, ``https://RESOURCE.services.ai.azure.com/api/projects/PROJECT``; ``${env:NAME}`` is
    replaced."""
    evaluations: list[str] = Field(min_length=1)
    """Ids of the evaluations, such as ``eval_68a1…``, that its rules name."""
    since: AwareDatetime | None = None
    """Where reading begins the first time; without it, a day back."""
    late: timedelta = Field(timedelta(days=1), gt=timedelta(0))
    """How long a result waits for its call to arrive; afterwards it is counted as one that names no call."""


@dataclass(frozen=True)
class _Run:
    """A run of an evaluation."""

    id: str
    made: datetime
    ended: bool


def collect(config: FoundryResultsConfig, store: Store, ledger: Ledger, intake: Intake, now: datetime) -> Collected:
    """Read the results of runs made since the last collection.

    Raises
    ------
    DriftgateError
        The project cannot be reached, or refuses.
    """
    endpoint = resolve(config.endpoint, "telemetry.endpoint")
    until, waiting = now, 0
    with opened(endpoint, "reading results of continuous evaluation") as (_, client):
        for evaluation in config.evaluations:
            reached, missed = _collect(client, evaluation, endpoint, config, store, ledger, intake, now)
            until, waiting = min(until, reached), waiting + missed
    return Collected(0, until, f"{waiting:,} results wait for their calls" if waiting else "")


def _collect(
    client: Any,
    evaluation: str,
    endpoint: str,
    config: FoundryResultsConfig,
    store: Store,
    ledger: Ledger,
    intake: Intake,
    now: datetime,
) -> tuple[datetime, int]:
    """How far one evaluation was read, and how many results wait."""
    digest = hashlib.sha256("\n".join((endpoint, evaluation)).encode()).hexdigest()
    source = f"foundry:{digest[:32]}"
    first = watermark(ledger, source) or config.since or now - timedelta(days=1)
    calls: Mapping[str, tuple[datetime, str, str]] | None = None
    reached, waiting = first, 0
    held = False
    for run in _runs(client, evaluation, first):
        held = held or not run.ended
        if not run.ended:
            continue
        if calls is None:
            calls = _calls(store, first - config.late, now)
        parts, missed = [], 0
        for response, result in _results(client, evaluation, run.id):
            call = calls.get(hash_of(label(response)))
            if call is None:
                missed += 1
            else:
                at, trace_id, span_id = call
                parts.append(part_of(trace_id, span_id, at, [(names.EVALUATION_EVENT, result)], intake))
        store.append(parts)
        if missed and now - run.made < config.late:
            held, waiting = True, waiting + missed
        elif missed and not held:
            store.note({Reason.EVALUATION: missed})
        if not held:
            reached = run.made + timedelta(seconds=1)  # the service tells whole seconds
            advance(ledger, source, reached, 0)
    return (reached if held else now), waiting


def _runs(client: Any, evaluation: str, first: datetime) -> Iterator[_Run]:
    """Runs made since then, the oldest first."""
    found = []
    for run in client.evals.runs.list(evaluation, order="desc", limit=100):
        made = datetime.fromtimestamp(run.created_at, UTC)
        if made < first:
            break
        found.append(_Run(run.id, made, run.status not in _GOING_ON))
    yield from reversed(found)


def _results(client: Any, evaluation: str, run: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each result that names a response, as the conventions' event has it; its explanation is content."""
    for item in client.evals.runs.output_items.list(run, eval_id=evaluation, limit=100):
        told: Mapping[str, Any] = item.datasource_item or {}
        response = told.get("resp_id") or told.get("response_id")
        if not isinstance(response, str):
            continue
        for result in item.results or ():
            passed = getattr(result, "passed", None)
            yield (
                response,
                {
                    names.EVALUATION_NAME: result.name,
                    names.EVALUATION_SCORE: result.score,
                    names.EVALUATION_LABEL: "" if passed is None else "pass" if passed else "fail",
                },
            )


def _calls(store: Store, start: datetime, end: datetime) -> dict[str, tuple[datetime, str, str]]:
    """Time, trace and span of each call by the hash of its response."""
    from driftgate.monitor.telemetry._frame import frame

    found = frame(store.folder, start, end + timedelta(hours=1), columns=_CALL)
    rows = found[found["response_hash"] != ""]
    times = [time.to_pydatetime() for time in rows["time"]]
    named = zip(times, rows["trace_id"].astype(str), rows["span_id"].astype(str), strict=True)
    return dict(zip(rows["response_hash"].astype(str), named, strict=True))


SOURCE = Source(FoundryResultsConfig, collect)
