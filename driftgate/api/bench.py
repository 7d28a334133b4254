"""A suite from plan to report: run it, or go on with a run of it; score, judge, write."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from driftgate.api import preflight, session
from driftgate.api._waiting import wait_for
from driftgate.api.preflight import Finding
from driftgate.api.session import Planned
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.asking import AllRefused
from driftgate.benchmarks.batches import under_way
from driftgate.benchmarks.gate import EXIT_CODES, GateVerdict
from driftgate.benchmarks.looks import Looks
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.report import ReportFiles
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.benchmarks.spending import LimitReached
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import Model
from driftgate.ledger import (
    REFUSED,
    Ledger,
    RunKind,
    RunRow,
    add_refused_run,
    find_run,
    latest_runs,
    newer_unfinished,
)

_AWAITED = timedelta(hours=48)
"""A batch takes 24 hours at most, and its replies are of the model of then."""
_GRAVEST = ("pass", "inconclusive", "unmeasurable", "fail")


@dataclass(frozen=True)
class Begun:
    """A run that stands in the ledger and is ready to be worked on."""

    run: RunRow
    planned: Planned
    models: Mapping[str, Model]
    doubts: Sequence[Finding] = ()
    """What the preflight warns of, and what it could not know."""
    goes_on: bool = False
    """Whether the run had begun before."""

    @property
    def samples(self) -> int:
        """Samples asked for, over all cells."""
        return sum(len(cell.samples) * cell.repeats for cell in self.planned.cells)

    @property
    def resume(self) -> str:
        """The command that goes on with it."""
        return f"driftgate bench --resume --run {self.run.id}"


@dataclass(frozen=True)
class Done:
    """A run that was carried out, and what came of it."""

    run: RunRow
    scored: Sequence[CellScores]
    verdicts: Sequence[GateVerdict]
    files: ReportFiles

    max_failed: float

    @property
    def failing(self) -> list[CellScores]:
        """Cells of which more failed than the suite allows."""
        return [scores for scores in self.scored if scores.failed_share > self.max_failed]

    @property
    def unanswered(self) -> list[CellScores]:
        """Cells in which no sample at all got an answer, though not all of them failed: nothing could be read."""
        asked = (scores for scores in self.scored if scores.failed_share <= self.max_failed)
        return [scores for scores in asked if scores.failed_share < 1 and scores.answered_nothing]

    @property
    def exit_code(self) -> int:
        """The gravest verdict's; unmeasurable where too much failed, nothing was answered, or nobody was asked."""
        unasked = any(scores.unasked for scores in self.scored)
        failed = [EXIT_CODES["unmeasurable"]] if self.failing or self.unanswered or unasked else []
        return gravest([*failed, *(verdict.exit_code for verdict in self.verdicts)])


def begin(
    workspace: OpenWorkspace,
    ledger: Ledger,
    suite: str,
    *,
    run: RunRow | None = None,
    cache: bool | None = None,
    trial: bool = False,
    looks: Looks | None = None,
) -> Begun:
    """Plan a suite and write a new run of it into the ledger, or prepare to go on with ``run``.

    Parameters
    ----------
    trial : bool
        The new run is no benchmark but a trial: see :data:`driftgate.ledger.RunKind`.
    looks : Looks, optional
        The gate that may stop the new run, and how it is asked.

    Raises
    ------
    DriftgateError
        Something that it needs is missing, or what the run asks for has changed since it began.
    """
    kind: RunKind = "trial" if trial else "benchmark"
    if run is None:
        prepared = _prepared(workspace, ledger, suite, kind, cache=cache)
        return _begun(workspace, ledger, _may_stop(workspace, prepared, looks), None, kind)
    prepared = _may_stop(workspace, preflight.prepare(workspace, ledger, suite, cache=cache), session.looks_of(run))
    session.check_same_plan(run, prepared.planned)
    return _begun(workspace, ledger, prepared, run, kind)


def _may_stop(workspace: OpenWorkspace, prepared: preflight.Prepared, looks: Looks | None) -> preflight.Prepared:
    """What is prepared, as it is asked where a gate may stop it."""
    return (
        prepared if looks is None else replace(prepared, planned=session.sequential(workspace, prepared.planned, looks))
    )


def looks_by(gate: str, seed: int | None) -> Looks:
    """How a run is asked that a gate may stop; in an order of its own unless a seed is given."""
    return Looks(gate, secrets.randbelow(1_000_000_000) if seed is None else seed)


def begin_or_go_on(workspace: OpenWorkspace, ledger: Ledger, suite: str) -> Begun:
    """As :func:`begin`; a run that ended while its batches were under way is gone on with, as they are paid for.

    It is where it asks for the same as the suite does now, and its batches are not older than :data:`_AWAITED`.

    Raises
    ------
    DriftgateError
        Something that the suite needs is missing.
    """
    prepared = _prepared(workspace, ledger, suite, "benchmark")
    begun = (run for run in latest_runs(ledger, suite=suite, kinds=["benchmark"]) if run.status != REFUSED)
    newest = next(begun, None)
    goes_on = (
        newest is not None
        and newest.status != "complete"
        and prepared.planned.suite.delivery == "batch"
        and session.is_same_plan(newest, prepared.planned)
        and under_way(ledger, newest.id, datetime.now(UTC) - _AWAITED)
    )
    return _begun(workspace, ledger, prepared, newest if goes_on else None, "benchmark")


def _prepared(
    workspace: OpenWorkspace, ledger: Ledger, suite: str, kind: RunKind, *, cache: bool | None = None
) -> preflight.Prepared:
    """See that a new run can begin; that one could not is kept, for whoever asks what the newest came to."""
    try:
        return preflight.prepare(workspace, ledger, suite, cache=cache)
    except DriftgateError as problem:
        keep_refusal(workspace, ledger, suite, problem, kind)
        raise


def keep_refusal(
    workspace: OpenWorkspace, ledger: Ledger, suite: str, problem: DriftgateError, kind: RunKind = "benchmark"
) -> None:
    """Keep that a suite of the workspace was to be run and could not begin."""
    if suite in workspace.config.suites:
        add_refused_run(ledger, suite, problem.message, version("driftgate"), kind=kind)


def _begun(
    workspace: OpenWorkspace, ledger: Ledger, prepared: preflight.Prepared, run: RunRow | None, kind: RunKind
) -> Begun:
    planned = prepared.planned
    models = session.open_models(workspace, ledger, planned.suite.models, check=False)
    goes_on = run is not None
    return Begun(run or session.begin(ledger, planned, kind), planned, models, prepared.doubts, goes_on)


def finish(
    workspace: OpenWorkspace,
    ledger: Ledger,
    begun: Begun,
    gates: Sequence[str],
    display: Display,
    *,
    retry_failed: bool = False,
) -> Done:
    """Work on a run until it ends; score it, judge it by ``gates`` and write its report.

    Raises
    ------
    DriftgateError
        Something could not be done; the ledger is intact, and the remedy says how to go on.
    """
    stops = session.stops_of(workspace, ledger, begun.run)
    try:
        wait_for(
            session.work(
                ledger, begun.run, begun.planned, begun.models, display, retry_failed=retry_failed, stops=stops
            )
        )
    except LimitReached as problem:
        resume = f"go on with: {begun.resume}"
        raise DriftgateError(
            problem.message, f"{problem.remedy}, then {resume}" if problem.remedy else resume
        ) from problem
    except AllRefused as problem:
        retry = f"go on with: {begun.resume} --retry-failed (without --retry-failed these stay failed)"
        if stops is not None:
            retry = "begin a new run"
        raise DriftgateError(problem.message, f"{problem.remedy}, then {retry}") from problem
    scored = score_run(ledger, begun.run.id)
    judging = [*gates, *([stops.name] if stops is not None and stops.name not in gates else [])]
    verdicts = session.judge_run(workspace, ledger, begun.run, scored, judging)
    run = find_run(ledger, begun.run.id)
    files = session.report(workspace, ledger, run, scored)
    return Done(run, scored, verdicts, files, begun.planned.suite.max_failed)


def judge_stored(
    workspace: OpenWorkspace, ledger: Ledger, run: str, gate: str = ""
) -> tuple[RunRow, list[GateVerdict]]:
    """Judge a run that is in the ledger, by one gate or by every gate of its suite.

    Raises
    ------
    DriftgateError
        The run is not complete, or no gate judges its suite; or ``run`` is ``latest`` and a newer one is not complete:
        a verdict on the run before it would be taken for one on what was asked last.
    """
    row = find_run(ledger, run)
    if row.status != "complete":
        raise DriftgateError(f"run {row.id} is {row.status}", row.how_to_finish)
    if (newer := newer_unfinished(ledger, run)) is not None:
        raise DriftgateError(
            f"the newest benchmark, {newer.id}, is {newer.status}",
            f"{newer.how_to_finish}; or name the complete run before it: driftgate gate {row.id}",
        )
    if gate and gate not in workspace.config.gates:
        raise DriftgateError(f"the workspace has no gate '{gate}'", nearest(gate, workspace.config.gates))
    if row.kind == "baseline":
        raise DriftgateError(
            f"run {row.id} is an imported baseline, which others are compared with", "judge a run that was made here"
        )
    if not gate and row.kind in ("canary", "parity", "attribution"):
        raise DriftgateError(
            f"run {row.id} is no benchmark, its kind is {row.kind}", "judge a benchmark; see: driftgate runs list"
        )
    looks = session.looks_of(row)
    # A run that its gate may stop was asked as that gate wanted; another one is to be named.
    own = [looks.gate] if looks is not None and looks.gate in workspace.config.gates else []
    gates = [gate] if gate else own or session.gates_of(workspace, row.suite)
    if not gates:
        raise DriftgateError(f"no gate judges the suite '{row.suite}'", "add one under gates")
    scored = score_run(ledger, row.id, store=False)
    verdicts = session.judge_run(workspace, ledger, row, scored, gates)
    try:
        session.report(workspace, ledger, row, scored)  # the page beside the run says what the gate says now
    except DriftgateError as problem:
        told = ", ".join(f"{verdict.gate}: {verdict.verdict}" for verdict in verdicts)
        raise DriftgateError(f"judged and kept ({told}), but {problem.message}", problem.remedy) from problem
    return row, verdicts


def only(names: Collection[str], kind: str) -> str:
    """The one name there is.

    Raises
    ------
    DriftgateError
        There are several, or none.
    """
    if len(names) == 1:
        return next(iter(names))
    raise DriftgateError(f"which {kind}?", f"name one of: {', '.join(names)}" if names else f"add one under {kind}s")


def gravest(codes: Sequence[int]) -> int:
    """The exit code of several parts.

    Examples
    --------
    >>> gravest([0, 3, 4, 0]), gravest([3, 1, 4]), gravest([])
    (4, 1, 0)
    """
    order = [0, *(EXIT_CODES[name] for name in _GRAVEST[1:])]
    return max(codes, key=order.index, default=0)
