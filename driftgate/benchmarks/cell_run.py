"""A cell while it runs: its workers take samples, record what became of each, and stop at a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from driftgate.benchmarks.aggregate import LiveLines, aggregate_cell, aggregate_evaluations
from driftgate.benchmarks.asking import ModelRefuses, Negotiated, Refusals, alike, refused_first, stranger
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.delivery import batch_models, line_models
from driftgate.benchmarks.outcomes import classify, rule_of
from driftgate.benchmarks.progress import CellProgress, Display
from driftgate.benchmarks.recorder import Recorder
from driftgate.benchmarks.shards import Share
from driftgate.benchmarks.spending import Budget, LimitReached, line_cost
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.engines import Engine, FinishedLine, open_engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatedLine, Evaluators
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
    pending_samples,
)

_BATCHED_LINES = 10_000
"""Samples of a cell that wait for batches at once, at most; each takes some kilobytes."""


@dataclass(frozen=True)
class SuiteRun:
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
class CellRun:
    """What the workers of a cell share."""

    shared: SuiteRun
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
            raise first_problem(group) from None
        if self.progress.done - before < len(pending):
            reached, last = self.shared.budget.reached(), self.shared.budget.last
            waited = f"model '{self.cell.model}' was waited for, and the last that was heard is: {last}"
            told, slow = f"{reached}; {waited}" if last else reached, self.shared.budget.timed_out
            raise LimitReached(told, self.shared.budget.remedy(), fault="too_slow" if slow else "")

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
                raise ModelRefuses(call.error.message, call.error.remedy, fault=call.error.fault) from call.error
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


@asynccontextmanager
async def opened(shared: SuiteRun, ordinal: int, cell: Cell, later: int) -> AsyncIterator[CellRun]:
    """A cell that is ready to be asked; its aggregation nodes run once everything wanted of it was asked."""
    ledger, suite = shared.ledger, shared.suite
    cell_id = add_cell(ledger, shared.run.id, ordinal, cell_row(cell), cell.samples)
    todo: Mapping[str, tuple[int, list[int]]] = pending_samples(ledger, cell_id, retry_failed=shared.retry_failed)
    asked = len(cell.samples) * cell.repeats
    if shared.share is not None:
        todo = shared.share.of_todo(ordinal, cell, todo)
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
    running = CellRun(
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


def cell_row(cell: Cell) -> dict[str, object]:
    return {
        "model": cell.model,
        "flow": cell.flow.name,
        "variant": cell.variant,
        "dataset": cell.dataset.name,
        "signature": cell.signature(),
        "details": {**cell.describe(), MEANT: cell.asks},
    }


def first_problem(group: BaseExceptionGroup[DriftgateError]) -> DriftgateError:
    problem = group.exceptions[0]
    return first_problem(problem) if isinstance(problem, BaseExceptionGroup) else problem
