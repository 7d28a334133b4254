"""What each command does; :mod:`driftgate.cli` only reads its arguments."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from driftgate.api import ci, session, tables
from driftgate.api.display import ProgressDisplay
from driftgate.api.workspace import OpenWorkspace, json_schema, open_workspace
from driftgate.benchmarks.gate import EXIT_CODES, GateVerdict
from driftgate.benchmarks.runner import LimitReached
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, RunRow, cells_of, find_run, latest_runs, open_ledger, outcome_frame, samples_frame

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of SIGINT."""
_LOG_WIDTH = 150
_GRAVEST = ("pass", "inconclusive", "unmeasurable", "fail")


def _console() -> Console:
    """A log has no width of its own; a table is not to be squeezed into eighty columns there.

    Without emoji: rich would make one of a signature's ``:one:``.
    """
    plain = Console(highlight=False, emoji=False)
    return plain if plain.is_terminal else Console(highlight=False, emoji=False, width=max(plain.width, _LOG_WIDTH))


console = _console()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[OpenWorkspace, Ledger]]:
    """The workspace in a folder and its ledger, closed afterwards."""
    workspace = open_workspace(folder)
    ledger = open_ledger(workspace.ledger, workspace.folder)
    try:
        yield workspace, ledger
    finally:
        ledger.close()


@dataclass(frozen=True)
class Done:
    """A run that was carried out, and what came of it."""

    run: RunRow
    scored: Sequence[CellScores]
    verdicts: Sequence[GateVerdict]

    @property
    def exit_code(self) -> int:
        """The gravest verdict's."""
        return gravest([verdict.exit_code for verdict in self.verdicts])


def run_bench(folder: Path, suite: str, *, resume: bool, run: str, retry_failed: bool, cache: bool | None) -> int:
    """Run a suite or go on with a run; gates are judged by ``driftgate gate``."""
    with opened(folder) as (workspace, ledger):
        going_on = resume or bool(run) or retry_failed
        row = session.unfinished(ledger, run, suite, retry_failed=retry_failed) if going_on else None
        name = row.suite if row is not None else suite or _only(workspace.config.suites, "suite")
        carry_out(workspace, ledger, name, [], run=row, retry_failed=retry_failed, cache=cache)
        return 0


@dataclass(frozen=True)
class GateFiles:
    """Where a verdict is written beside the terminal."""

    json: Path | None = None
    junit: Path | None = None
    undecided: str = ""
    """What an undecided check is in JUnit XML; empty: a failure or an error."""
    summary: Path | None = None

    def write(self, verdicts: Sequence[GateVerdict]) -> None:
        """Write what was asked for."""
        if self.json is not None:
            text = json.dumps([v.as_json() for v in verdicts], ensure_ascii=False, indent=1)
            self.json.write_text(text + "\n", "utf-8")
        if self.junit is not None:
            ci.write_junit(self.junit, verdicts, self.undecided)
        if self.summary is not None:
            self.summary.write_text(ci.summary_of(verdicts), "utf-8")


def run_gate(folder: Path, run: str, name: str, files: GateFiles) -> int:
    """Judge a run that is in the ledger."""
    with opened(folder) as (workspace, ledger):
        row = find_run(ledger, run)
        if row.status != "complete":
            raise DriftgateError(
                f"run {row.id} is {row.status}", f"finish it with: driftgate bench --resume --run {row.id}"
            )
        if name and name not in workspace.config.gates:
            raise DriftgateError(f"the workspace has no gate '{name}'", nearest(name, workspace.config.gates))
        gates = [name] if name else session.gates_of(workspace, row.suite)
        if not gates:
            raise DriftgateError(f"no gate judges the suite '{row.suite}'", "add one under gates")
        verdicts = session.judge_run(workspace, ledger, row, score_run(ledger, row.id, store=False), gates)
        _print_verdicts(verdicts)
        files.write(verdicts)
        ci.announce(verdicts, os.environ, workspace.reports / row.id)
        return gravest([v.exit_code for v in verdicts])


def run_report(folder: Path, run: str) -> int:
    """Score a run anew from its outcomes and write its report."""
    with opened(folder) as (workspace, ledger):
        row = find_run(ledger, run)
        scored = score_run(ledger, row.id)
        files = session.report(workspace, ledger, row, scored)
        console.print(f"report: {escape(session.shown(files.html))}", soft_wrap=True)
        console.print(f"summary: {escape(session.shown(files.markdown))}", soft_wrap=True)
        return 0


def run_runs(folder: Path, limit: int, suite: str) -> int:
    """List runs."""
    with opened(folder) as (_, ledger):
        found = latest_runs(ledger, limit, suite=suite or None)
        if found:
            tables.print_runs(console, found)
        else:
            console.print("the ledger holds no run yet; begin one with: driftgate bench")
        return 0


def run_show(folder: Path, run: str, sample: str) -> int:
    """Show a run, or one sample of it with every node's output."""
    with opened(folder) as (_, ledger):
        row = find_run(ledger, run)
        if not sample:
            console.print(f"{row.id} · {row.status}" + (f": {escape(row.reason)}" if row.reason else ""))
            tables.print_scores(console, score_run(ledger, row.id, store=False))
            return 0
        found = 0
        for cell in cells_of(ledger, row.id):
            frame = outcome_frame(ledger, cell.id)
            fits = frame[(frame["upstream_id"] == sample) | frame["key"].str.contains(sample, regex=False)]
            for entry in samples_frame(ledger, cell.id, [int(i) for i in fits["sample_id"].head(5)]):
                found += 1
                console.rule(escape(cell.name), align="left")
                console.print_json(json.dumps(entry, ensure_ascii=False, default=str))
        if not found:
            raise DriftgateError(f"no sample of run {row.id} fits '{sample}'", "give its id or a part of its key")
        return 0


def run_init(folder: Path, example: str = "") -> int:
    """Make a workspace."""
    from driftgate.api._init import scaffold

    for path in scaffold(folder, example):
        console.print(f"made {escape(session.shown(path.resolve()))}", soft_wrap=True)
    console.print(f"next: driftgate doctor -w {folder}", soft_wrap=True)
    return 0


def run_doctor(folder: Path) -> int:
    """Print every finding as it is made; exit 2 where something needs mending."""
    from driftgate.api._doctor import examine

    bad = 0
    for finding in examine(folder):
        mark = "[green]good[/]" if finding.good else "[red]mend[/]"
        console.print(f"{mark}  [bold]{escape(finding.subject)}[/]: {escape(finding.found)}", soft_wrap=True)
        if finding.remedy:
            console.print(f"      {escape(finding.remedy)}", soft_wrap=True)
        bad += not finding.good
    console.print("everything is in order" if not bad else f"{bad} to mend")
    return 2 if bad else 0


def run_schema() -> int:
    """Print the schema."""
    print(json.dumps(json_schema(), indent=1))
    return 0


def carry_out(
    workspace: OpenWorkspace,
    ledger: Ledger,
    suite: str,
    gates: Sequence[str],
    *,
    run: RunRow | None = None,
    retry_failed: bool = False,
    cache: bool | None = None,
) -> Done:
    """Run a suite, or go on with a run of it; score, judge, report, and print all of that.

    Raises
    ------
    DriftgateError
        Something could not be begun or done; the ledger is intact.
    SystemExit
        130: the user stopped the run; how to go on was printed.
    """
    planned = session.plan(workspace, ledger, suite, cache=cache)
    if run is not None:
        session.check_same_plan(run, planned)
    models = session.open_models(workspace, ledger, planned.suite.models)  # before a run that cannot begin is recorded
    run = run or session.begin(ledger, planned)
    samples = sum(len(cell.samples) for cell in planned.cells)
    console.print(f"run [bold]{run.id}[/]: {len(planned.cells)} cells, {samples:,} samples")
    resume = f"go on with: driftgate bench --resume --run {run.id}"
    try:
        display = ProgressDisplay(console)
        asyncio.run(session.work(ledger, run, planned, models, display, retry_failed=retry_failed))
    except KeyboardInterrupt:
        console.print(f"stopped; {resume}", soft_wrap=True)
        raise SystemExit(INTERRUPTED) from None
    except LimitReached as problem:
        raise DriftgateError(problem.message, resume) from problem
    scored = score_run(ledger, run.id)
    verdicts = session.judge_run(workspace, ledger, run, scored, gates)
    run = find_run(ledger, run.id)
    files = session.report(workspace, ledger, run, scored)
    tables.print_scores(console, scored)
    _print_verdicts(verdicts)
    console.print(f"report: {escape(session.shown(files.html))}", soft_wrap=True)
    return Done(run, scored, verdicts)


def _print_verdicts(verdicts: Sequence[GateVerdict]) -> None:
    for verdict in verdicts:
        tables.print_verdict(console, verdict)


def gravest(codes: Sequence[int]) -> int:
    """The exit code of several parts."""
    order = [0, *(EXIT_CODES[name] for name in _GRAVEST[1:]), INTERRUPTED]
    return max(codes, key=order.index, default=0)


def _only(names: Collection[str], kind: str) -> str:
    if len(names) == 1:
        return next(iter(names))
    raise DriftgateError(f"which {kind}?", f"name one of: {', '.join(names)}")
