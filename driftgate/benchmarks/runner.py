"""Run the cells of a suite: every sample asked for, exactly one outcome each, nothing asked twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from driftgate.benchmarks.aggregate import LiveLines, aggregate_cell, aggregate_evaluations
from driftgate.benchmarks.asking import AllRefused, ModelRefuses, Negotiated, Refusals, alike, refused_first, stranger
from driftgate.benchmarks.batches import LedgerBatches
from driftgate.benchmarks.by_looks import ask_by_looks
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.delivery import batch_models, line_models, model_batches
from driftgate.benchmarks.judges import grade_anchors
from driftgate.benchmarks.looks import Stops
from driftgate.benchmarks.outcomes import classify, rule_of
from driftgate.benchmarks.progress import CellProgress, Display
from driftgate.benchmarks.rare_collections import rare_collections
from driftgate.benchmarks.recorder import Recorder
from driftgate.benchmarks.shards import Share
from driftgate.benchmarks.spending import Budget, check_budget, line_cost
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.engines import Engine, FinishedLine, open_engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatedLine, Evaluators
from driftgate.flows.foreign import described
from driftgate.flows.line import Line, tokens
from driftgate.flows.models import (
    AdaptiveLimit,
    Batches,
    Model,
    ModelMisconfigured,
    Prices,
    WaitEnded,
)
from driftgate.flows.retrieval import Paid, paid_since
from driftgate.ledger import (
    MEANT,
    Ledger,
    LedgerReplies,
    Record,
    RunRow,
    add_cell,
    finish_run,
    pending_samples,
    set_status,
)

_BATCHED_LINES = 10_000
"""Samples of a cell that wait for batches at once, at most; each takes some kilobytes."""


class LimitReached(DriftgateError):
    """The suite's limit on cost or time was reached, or cannot be kept; the run can be resumed."""


async def run_suite(
    ledger: Ledger,
    run: RunRow,
    suite: SuiteConfig,
    cells: Sequence[Cell],
    models: Mapping[str, Model],
    display: Display,
    *,
    retry_failed: bool = False,
    stops: Stops | None = None,
) -> None:
    """Run, or go on with, the cells of a run.

    Parameters
    ----------
    models : Mapping
        Live models by name; they are closed by the caller.
    retry_failed : bool
        Ask samples whose outcome is ``failed`` once more.
    stops : Stops, optional
        May stop the run before all samples were asked; the cells then have their ``looks``.

    Raises
    ------
    LimitReached
        A limit stopped the run cleanly, or the limit on cost cannot be kept.
    DriftgateError
        A model refuses all that it is asked, which stops its cells and is raised once those of the others are done, or
        the ledger refuses; the ledger is intact and the run can be resumed.
    """
    set_status(ledger, run.id, "running")
    prices = {cell.model: cell.model_config.prices for cell in cells}
    shared = _SuiteRun(ledger, run, suite, models, prices, display, retry_failed, Budget(suite))
    if suite.delivery == "batch":
        book, names = LedgerBatches(ledger, run.id), dict.fromkeys(cell.model for cell in cells)
        shared.batches.update({n: model_batches(models[n], book, shared.budget.patience, shared.tell) for n in names})
    timer = shared.budget.watch()
    try:
        check_budget(suite, cells)
        for cell in cells:
            cell.evaluators.open()
        graded = await grade_anchors(ledger, run.id, [cell.evaluators for cell in cells])
        shared.budget.add(graded.cost, "a judge's grade of an anchor")
        shared.told.extend(filter(None, [graded.words]))
        with rare_collections():
            if stops is None:
                await _run_cells(shared, cells)
            else:
                await _run_by_looks(shared, cells, stops)
    except asyncio.CancelledError:
        set_status(ledger, run.id, "interrupted", "stopped by the user")
        raise
    except BaseException as problem:  # whatever it is, nobody works on the run any more
        _try_set_status(ledger, run.id, str(problem) if isinstance(problem, DriftgateError) else described(problem))
        raise
    finally:
        if timer is not None:
            timer.cancel()
        for batches in shared.batches.values():
            await batches.aclose()
    finish_run(ledger, run.id)


def add_cells(ledger: Ledger, run: RunRow, cells: Sequence[Cell]) -> None:
    """Write the cells of a run and the samples asked for in them, before several processes ask their shares."""
    for ordinal, cell in enumerate(cells):
        add_cell(ledger, run.id, ordinal, _cell_row(cell), cell.samples)


async def run_share(
    ledger: Ledger,
    run: RunRow,
    suite: SuiteConfig,
    cells: Sequence[Cell],
    models: Mapping[str, Model],
    display: Display,
    share: Share,
    *,
    retry_failed: bool = False,
) -> Budget:
    """Ask a share of a run's samples, and nothing else: whoever divided the run aggregates and ends it.

    Returns
    -------
    Budget
        What it cost.

    Raises
    ------
    LimitReached, DriftgateError
        As :func:`run_suite` does.
    """
    suite, cells = share.of_suite(suite), [share.of_cell(cell) for cell in cells]
    prices = {cell.model: cell.model_config.prices for cell in cells}
    shared = _SuiteRun(ledger, run, suite, models, prices, display, retry_failed, Budget(suite), share)
    timer = shared.budget.watch()
    try:
        for cell in cells:
            cell.evaluators.open()
        with rare_collections():
            await _run_cells(shared, cells)
    finally:
        if timer is not None:
            timer.cancel()
    return shared.budget


@dataclass(frozen=True)
class _SuiteRun:
    """What the cells of a run share."""

    ledger: Ledger
    run: RunRow
    suite: SuiteConfig
    models: Mapping[str, Model]
    prices: Mapping[str, Prices]
    """By model."""
    display: Display
    retry_failed: bool
    budget: Budget
    share: Share | None = None
    """What this process asks of each cell, where others ask the rest."""
    answering: set[str] = field(default_factory=set)
    """Models that have answered a sample."""
    batches: dict[str, Batches] = field(default_factory=dict)
    """By model, where requests are delivered in batches."""
    running: list[CellProgress] = field(default_factory=list)
    """Of the cells that run now."""
    told: list[str] = field(default_factory=list)
    """What the anchors took, until a cell has said it."""

    def tell(self, model: str, words: str) -> None:
        """Tell the user of something that concerns the cells of a model."""
        for progress in [one for one in self.running if one.cell.model == model][:1]:
            progress.notes.append(words)
            self.display.advance(progress)


@dataclass(frozen=True)
class _CellRun:
    """What the workers of a cell share."""

    shared: _SuiteRun
    cell: Cell
    cell_id: int
    engine: Engine
    evaluators: Evaluators
    models: Sequence[Mapping[str, Model]]
    """For each repeat: what one repeat was answered answers no other from the cache."""
    recorder: Recorder
    progress: CellProgress
    limit: AdaptiveLimit
    negotiated: Negotiated
    refusals: Refusals
    todo: Mapping[str, tuple[int, list[int]]]
    """Of each sample that was still to be asked: its id and its rounds, by its key."""
    served: set[str] = field(default_factory=set)
    """The models that replies said they are of."""
    live: LiveLines = field(default_factory=LiveLines)
    """What aggregation nodes take of the lines that were run here."""

    async def ask(self, samples: Sequence[Sample]) -> None:
        """Ask those of some samples that are still to be asked, and end once the ledger has their outcomes.

        Raises
        ------
        LimitReached
            A limit was reached before the last of them.
        DriftgateError
            The model refuses all that it is asked, or the ledger refuses.
        """
        # Every sample once, then every sample again: a run that is stopped has asked all of them about as often.
        repeats = self.cell.repeats
        pending = [
            (sample, self.todo[sample.key][0], round_)
            for repeat in range(repeats)
            for sample in samples
            if sample.key in self.todo
            for round_ in self.todo[sample.key][1]
            if round_ % repeats == repeat
        ]
        most, before = _BATCHED_LINES if self.shared.batches else self.cell.model_config.in_flight, self.progress.done
        taken = iter(pending)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(most, len(pending))):
                    workers.create_task(self.work(taken))
            await self.recorder.drain()
        except* DriftgateError as group:
            raise _first(group) from None
        if self.progress.done - before < len(pending):
            reached, last = self.shared.budget.reached(), self.shared.budget.last
            waited = f"model '{self.cell.model}' was waited for, and the last that was heard is: {last}"
            raise LimitReached(f"{reached}; {waited}" if last else reached, self.shared.budget.remedy())

    def say(self, words: Sequence[str]) -> None:
        """Tell the user something."""
        self.progress.notes += words
        self.shared.display.advance(self.progress)

    async def work(self, pending: Iterator[tuple[Sample, int, int]]) -> None:
        """Take samples until none is left or a limit is reached; all workers of the cell share the iterator.

        A sample that was answered is always recorded: whoever resumes the run need not pay for it again. One that was
        still waited for when a limit was reached is asked again then.
        """
        while True:
            await self.refusals.turn()
            if self.shared.budget.reached() or (taken := next(pending, None)) is None:
                self.refusals.leave()
                return
            sample, sample_id, round_ = taken
            asked_as = f"{sample.key}#{round_}"
            line = Line(self.models[round_ % self.cell.repeats], sample.id, self.cell.retriever, asked_as)
            try:
                record = await self.one(sample, sample_id, round_, line)
            except WaitEnded as ended:
                self.shared.budget.last = ended.last or self.shared.budget.last
                self.refusals.leave()
                return
            await self.negotiated.note(line.calls)
            await self.recorder.record(record)
            self.know(record.served_model)
            self.spend(record)
            self.progress.done += 1
            self.progress.outcomes[record.outcome] += 1
            self.progress.failures.update([record.error] if record.outcome == "failed" else [])
            self.progress.capacity = self.limit.capacity
            self.shared.display.advance(self.progress)
            self.refusals.ended(record.outcome, record.error, line.calls)

    def know(self, served: str) -> None:
        """Say it once where the model is another than the one that is asked for."""
        if served not in self.served:
            self.served.add(served)
            self.progress.notes += filter(None, [stranger(self.cell, served)])

    def spend(self, record: Record) -> None:
        """Count what a line and its grades cost."""
        prices = self.cell.model_config.prices
        currency = None if prices.free else prices.currency
        graded = self.evaluators.judges_cost(record.evaluations, currency)
        self.shared.budget.add(record.cost, f"a reply of model '{self.cell.model}'")
        self.shared.budget.add(graded, "a judge's grade")
        self.shared.budget.purse.spent += graded or 0.0
        for cost in (record.cost, graded):
            so_far = self.progress.cost
            self.progress.cost = None if so_far is None or cost is None else so_far + cost

    def searched(self) -> Sequence[Paid]:
        """What searches took since the last line, which of all lines that go on at once did not."""
        return paid_since(self.cell.retriever) if self.cell.retriever is not None else ()

    async def one(self, sample: Sample, sample_id: int, round_: int, line: Line) -> Record:
        """Take one sample through the flow and its evaluators."""
        began = time.perf_counter()
        inputs = self.cell.line_inputs(sample)
        result = await self.engine.run_line(inputs, line)
        for call in line.calls:
            if isinstance(call.error, ModelMisconfigured) and call.model == self.cell.model:
                raise ModelRefuses(call.error.message, call.error.remedy) from call.error
            if isinstance(call.error, ModelMisconfigured | WaitEnded):
                raise call.error
        outcome, answer, error = classify(result, line.calls, self.cell.answer)
        seconds = time.perf_counter() - began
        lines = [EvaluatedLine("", "", FinishedLine({}, result.aggregated))] if result.aggregated else []
        found = await self.evaluators.evaluate(sample.row, inputs, result, line.calls, seconds, lines)
        self.live.keep(sample_id, round_, lines)
        correct = next((e.value for e in found if e.key == self.evaluators.primary), None)
        replies, used = [call.reply for call in line.calls if call.reply is not None], tokens(line.calls)
        last = replies[-1] if replies else None
        return Record(
            cell_id=self.cell_id,
            sample_id=sample_id,
            round=round_,
            outcome=outcome,
            answer=answer,
            correct=correct,
            rule=rule_of(result.nodes),
            error=error,
            finish_reason=last.finish_reason if last else "",
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            reasoning_tokens=used.reasoning_tokens,
            cached_tokens=used.cached_tokens,
            cost=line_cost(self.cell, line.calls, self.shared.prices, self.searched()),
            latency=sum(r.latency for r in replies) if replies and all(r.timed for r in replies) else None,
            seconds=time.perf_counter() - began,
            served_model=last.model if last else "",
            fingerprint=last.fingerprint if last else "",
            attempts=sum(r.attempts for r in replies),
            cached=bool(replies) and all(r.cached for r in replies),
            finished_at=datetime.now(UTC),
            nodes=tuple(result.nodes.values()),
            evaluations=found,
            lines=[one.tagged() for one in lines],
            asked={call.model for call in line.calls if call.model},
        )


async def _run_cells(shared: _SuiteRun, cells: Sequence[Cell]) -> None:
    """Run the cells one after the other, or together where they wait for batches.

    A model that refuses all that it is asked stops its own cells only.

    Raises
    ------
    AllRefused, ModelRefuses
        What stopped the cells of a model, once those of the other models are done.
    DriftgateError
        What stops them all.
    """
    refused: dict[str, AllRefused | ModelRefuses] = {}

    async def run(ordinal: int, cell: Cell) -> None:
        if cell.model in refused:
            return
        try:
            later = sum(len(other.samples) * other.repeats for other in cells[ordinal + 1 :])
            await _run_cell(shared, ordinal, cell, 0 if shared.batches else later)
        except (AllRefused, ModelRefuses) as problem:
            refused[cell.model] = problem

    try:
        async with asyncio.TaskGroup() as together:
            for ordinal, cell in enumerate(cells):
                if shared.batches:
                    together.create_task(run(ordinal, cell))
                else:
                    await run(ordinal, cell)
    except* DriftgateError as group:
        raise _first(group) from None
    problems = sorted(refused.values(), key=lambda problem: not isinstance(problem, AllRefused))
    if len(problems) > 1:
        remedies = dict.fromkeys(problem.remedy for problem in problems)
        raise type(problems[0])("; ".join(problem.message for problem in problems), "; ".join(remedies))
    if problems:
        raise problems[0]


async def _run_by_looks(shared: _SuiteRun, cells: Sequence[Cell], stops: Stops) -> None:
    """Run the cells side by side, block by block, until their gate has decided."""
    await ask_by_looks(shared.ledger, cells, lambda place, cell: _opened(shared, place, cell, 0), stops)


async def _run_cell(shared: _SuiteRun, ordinal: int, cell: Cell, later: int) -> None:
    async with _opened(shared, ordinal, cell, later) as running:
        await running.ask(cell.samples)


@asynccontextmanager
async def _opened(shared: _SuiteRun, ordinal: int, cell: Cell, later: int) -> AsyncIterator[_CellRun]:
    """A cell that is ready to be asked; its aggregation nodes run once everything wanted of it was asked."""
    ledger, suite = shared.ledger, shared.suite
    cell_id = add_cell(ledger, shared.run.id, ordinal, _cell_row(cell), cell.samples)
    todo: Mapping[str, tuple[int, list[int]]] = pending_samples(ledger, cell_id, retry_failed=shared.retry_failed)
    asked = len(cell.samples) * cell.repeats
    if shared.share is not None:
        todo = shared.share.of_todo(cell, todo)
        asked = sum(map(shared.share.has, cell.samples)) * cell.repeats
    waiting = sum(len(rounds) for _, rounds in todo.values())
    progress = CellProgress(cell, asked, asked - waiting, later)
    progress.notes += alike(cell)
    if cell.evaluators.judged:
        progress.notes += shared.told
        shared.told.clear()  # it is said once
    shared.running.append(progress)
    shared.display.begin(progress)
    limit = AdaptiveLimit(cell.model_config.in_flight, shared.budget.patience)
    recorder = Recorder(ledger)
    kept = [LedgerReplies(ledger, shared.run.id, n) if suite.cache else None for n in range(cell.repeats)]
    if shared.batches:
        live = [batch_models(shared.models, cell, cell_id, shared.batches, replies) for replies in kept]
    else:
        live = [
            line_models(
                shared.models, cell, limit, replies, seed=suite.seed, purse=shared.budget.purse, prices=shared.prices
            )
            for replies in kept
        ]
    engine = open_engine(cell.flow, suite.engine, node_timeout=suite.node_timeout)
    running = _CellRun(
        shared,
        cell,
        cell_id,
        engine,
        cell.evaluators,
        live,
        recorder,
        progress,
        limit,
        Negotiated.of(ledger, cell_id, cell.model, progress.notes.append),
        Refusals(answered=bool(shared.batches) or cell.model in shared.answering),
        todo,
    )
    try:
        yield running
        if shared.share is None:
            await aggregate_cell(ledger, cell_id, cell, engine, running.live)
            await aggregate_evaluations(ledger, cell_id, cell.evaluators, running.live)
    finally:
        await recorder.drain()
        await engine.aclose()
        shared.running.remove(progress)
        progress.notes += refused_first(shared.models)
        shared.display.end(progress)
        if running.refusals.answered:
            shared.answering.add(cell.model)


def _cell_row(cell: Cell) -> dict[str, object]:
    return {
        "model": cell.model,
        "flow": cell.flow.name,
        "variant": cell.variant,
        "dataset": cell.dataset.name,
        "signature": cell.signature(),
        "details": {**cell.describe(), MEANT: cell.asks},
    }


def _first(group: BaseExceptionGroup[DriftgateError]) -> DriftgateError:
    problem = group.exceptions[0]
    return _first(problem) if isinstance(problem, BaseExceptionGroup) else problem


def _try_set_status(ledger: Ledger, run_id: str, reason: str) -> None:
    # Where the ledger itself is what failed, the run still reads as running and can be resumed.
    with suppress(DriftgateError):
        set_status(ledger, run_id, "stopped", reason)
