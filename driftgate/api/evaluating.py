"""Grade a share of production's calls, and look at what was said of its answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from driftgate.api._grading import check_limit
from driftgate.api._waiting import wait_for
from driftgate.api.deployments import known_as
from driftgate.api.prices import PricedModels, pricing_of
from driftgate.api.telemetry import bring_up_to_date
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import described_judges
from driftgate.benchmarks.judges import JudgeCheck, check_judge, grade_anchors
from driftgate.flows.evaluators import COST, EvaluatorContext, Evaluators, bind_to_calls
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, RunRow, calibrations_of, finish_run, latest_runs, start_run
from driftgate.monitor.answer_look import Answers, Drawn, look_at_answers
from driftgate.monitor.blindness import of_error
from driftgate.monitor.config import EvaluateConfig
from driftgate.monitor.graded import GradedCall, graded_between, keep_graded
from driftgate.monitor.known_errors import Errors
from driftgate.monitor.looks import Conclusion, LookRow, keep_look
from driftgate.monitor.sampling import Candidate, in_turn, is_drawn
from driftgate.monitor.watch import Watched

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

_COLUMNS = (
    "time",
    "trace_id",
    "span_id",
    "slice",
    "request_model",
    "response_model",
    "fingerprint",
    "prompt_hash",
    "finish_reason",
    "error",
    "conversation",
    "user",
    "evaluations",
    "input_text",
    "output_text",
)
_ANCHORS_HOLD = timedelta(hours=24)
"""How long what a judge said of its anchors is taken for what it would say."""
_AT_ONCE = 8


def evaluate_answers(workspace: OpenWorkspace, ledger: Ledger, name: str, config: EvaluateConfig) -> Watched:
    """Grade what a monitor draws of production's calls, and compare what was said of answers with the days before.

    Raises
    ------
    DriftgateError
        The ledger refuses.
    """
    now = datetime.now(UTC)
    try:
        bring_up_to_date(workspace, ledger)
        evaluators = bound(workspace, ledger, name, config)
        evaluators.open()
        return look_at_answers(ledger, name, config, _graded(workspace, ledger, name, config, evaluators, now), now)
    except Exception as raised:  # also a defect leaves the answers unwatched, and is no reason to forget it
        log.debug("the answers of %s could not be looked at", name, exc_info=True)
        problem = in_words(raised)
        conclusion = Conclusion("unmeasurable", problem.message, problem.remedy, of_error(problem))
        key = f"answers-{name}-{now:%Y%m%dT%H%M%S%f}"
        row = keep_look(ledger, LookRow(0, name, config.request_model, key, 0, [], now, conclusion))
        return Watched(row, conclusion)


def bound(workspace: OpenWorkspace, ledger: Ledger | None, name: str, config: EvaluateConfig) -> Evaluators:
    """The evaluators of a monitor's calls; nobody is asked.

    Raises
    ------
    DriftgateError
        One cannot be made, takes what no call tells, or has a limit on its cost that cannot be kept.
    """
    context = EvaluatorContext(
        PricedModels(workspace.config.models, pricing_of(workspace, ledger)),
        workspace.folder,
        workspace.config.connections,
        lambda model: known_as(ledger, model),
    )
    made = bind_to_calls(config.evaluators, context, f"monitors.{name}.evaluate.evaluators")
    for judge in made.judged.values():
        check_limit(judge, config.max_cost_per_hour)
    return made


def judges_checked(
    workspace: OpenWorkspace, ledger: Ledger, name: str, config: EvaluateConfig
) -> Mapping[str, JudgeCheck]:
    """What the newest anchors say of the judges that grade a monitor's calls; nobody is asked.

    Raises
    ------
    DriftgateError
        The evaluators cannot be made.
    """
    evaluators = bound(workspace, ledger, name, config)
    about = described_judges(evaluators)
    run = _newest(ledger, name, _plan(name, config, about)[1], timedelta.max)
    return {key: check_judge(ledger, run.id, key, one) for key, one in about.items()} if run is not None else {}


def _pin(config: EvaluateConfig, evaluators: Evaluators) -> str:
    """Of all that decides a grade: other evaluators, or another judge, grade anew."""
    judged = {key: judge.pin_id for key, judge in evaluators.judged.items()}
    bound = {key: one.model_dump(mode="json") for key, one in config.evaluators.items()}
    content = json.dumps([bound, judged, dict(evaluators.own), dict(evaluators.lists)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _graded(
    workspace: OpenWorkspace, ledger: Ledger, name: str, config: EvaluateConfig, evaluators: Evaluators, now: datetime
) -> Answers:
    from driftgate.monitor.telemetry import frame

    middle = now - timedelta(days=config.current_days)
    start = middle - timedelta(days=config.reference_days)
    only = {"request_model": config.request_model} if config.request_model else {}
    # Of a large traffic few calls are drawn, and of the others only what applications say is wanted.
    wanted = (config.rate, config.seed)
    calls = frame(workspace.telemetry, start, now, only=only, columns=_COLUMNS, graded=wanted)
    drawn = calls[
        [
            is_drawn(trace, span, config.rate, config.seed)
            for trace, span in zip(calls["trace_id"], calls["span_id"], strict=True)
        ]
    ]
    pin, checks, stopped = _pin(config, evaluators), _checked(ledger, name, config, evaluators), ""
    sound = Evaluators("", tuple(b for b in evaluators.bindings if b.key not in checks or not checks[b.key].doubtful))
    kept = graded_between(ledger, name, pin, start, now)
    if sound.bindings:
        desk = _Desk(ledger, name, pin, config, sound, {one.key: one for one in kept})
        stopped = wait_for(desk.grade(drawn[_has_text(drawn)]))
        kept = graded_between(ledger, name, pin, start, now)
    return Answers(
        calls=calls.drop(columns=["input_text", "output_text"]),
        graded=kept,
        drawn=_drawn(drawn, middle, kept),
        checks={key.partition(".")[2]: check for key, check in checks.items()},
        errors=_errors(ledger, evaluators),
        stopped=stopped,
    )


def _drawn(calls: pd.DataFrame, middle: datetime, kept: Sequence[GradedCall]) -> list[Drawn]:
    """How many calls tell what was answered, or told it when they were graded: of all, and of each slice."""
    import pandas as pd

    graded = {one.key for one in kept}
    was = pd.Series(
        [key in graded for key in zip(calls["trace_id"], calls["span_id"], strict=True)], calls.index, dtype=bool
    )
    told, now = _has_text(calls) | was, calls["time"] >= middle

    def of(name: str | None) -> Drawn:
        here = calls["slice"] == name if name is not None else now | ~now
        counts = [int(chosen.sum()) for side in (now, ~now) for chosen in (here & side, here & side & told)]
        return Drawn(name, *counts)

    return [of(None), *(of(name) for name in sorted(calls["slice"].unique()))]


def _has_text(calls: pd.DataFrame) -> pd.Series[bool]:
    return calls["output_text"].notna() & (calls["error"] == "")


def _checked(ledger: Ledger, name: str, config: EvaluateConfig, evaluators: Evaluators) -> Mapping[str, JudgeCheck]:
    """What the judges' anchors say: graded once a day, in a run of their own, which keeps how calls are drawn."""
    about = described_judges(evaluators)
    if not about:
        return {}
    plan, pinned = _plan(name, config, about)
    run = _newest(ledger, name, pinned, _ANCHORS_HOLD)
    if run is None:
        run = start_run(ledger, f"answers-{name}", plan, pinned, config.seed, version("driftgate"), kind="canary")
        wait_for(grade_anchors(ledger, run.id, [evaluators]))
        finish_run(ledger, run.id)
    return {key: check_judge(ledger, run.id, key, one) for key, one in about.items()}


def _plan(name: str, config: EvaluateConfig, about: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """What a run of the judges' anchors is planned as, and its hash."""
    plan = {
        "monitor": name,
        "cells": [],
        "drawn": {"seed": config.seed, "rate": config.rate, "per_hour": config.per_hour},
        "judges": {key: one["pin_id"] for key, one in about.items()},
    }
    return plan, hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]


def _newest(ledger: Ledger, name: str, pinned: str, within: timedelta) -> RunRow | None:
    for run in latest_runs(ledger, 20, suite=f"answers-{name}", status="complete"):
        if run.plan_hash == pinned and datetime.now(UTC) - run.created_at < within:
            return run
    return None


def _errors(ledger: Ledger, evaluators: Evaluators) -> dict[str, Errors]:
    """The errors of the judges that people's labels tell."""
    found = {}
    for key, judge in evaluators.judged.items():
        for row in calibrations_of(ledger, judge.pin_id)[:1]:
            if (errors := Errors.of(row.details, judge.threshold)) is not None:
                found[key.partition(".")[2]] = errors
    return found


@dataclass
class _Desk:
    """Where calls are graded, each of them once."""

    ledger: Ledger
    monitor: str
    pin: str
    config: EvaluateConfig
    evaluators: Evaluators
    kept: dict[tuple[str, str], GradedCall]

    async def grade(self, calls: pd.DataFrame) -> str:
        """Grade what the budgets allow; says why not all of it was, empty where it was."""
        records: list[dict[str, Any]] = calls.to_dict("records")  # type: ignore[assignment]
        rows = {(row["trace_id"], row["span_id"]): row for row in records}
        waiting = [
            Candidate(*key, str(row["slice"]), row["time"].floor("h").to_pydatetime())
            for key, row in rows.items()
            if key not in self.kept or not self.kept[key].done
        ]
        graded: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        spent: dict[datetime, float] = defaultdict(float)
        unknown = False
        for one in self.kept.values():
            hour = one.time.replace(minute=0, second=0, microsecond=0)
            if one.done:
                graded[hour][one.slice] += 1
            spent[hour] += one.cost or 0.0
        limit, left, stopped = self.config.max_cost_per_hour, self.config.per_look, ""
        turn = in_turn(waiting, graded, self.config.per_hour, self.config.seed)
        while left > 0:
            batch: list[Candidate] = []
            for candidate in turn:
                if limit is None or spent[candidate.hour] < limit:
                    batch.append(candidate)
                if len(batch) == min(left, _AT_ONCE):
                    break
            if not batch:
                break
            left -= len(batch)
            done = await asyncio.gather(*(self._one(rows[one.key]) for one in batch))
            for candidate, row in zip(batch, done, strict=True):
                spent[candidate.hour] += row.cost or 0.0
                unknown |= row.cost is None
            if unknown and limit is not None:
                stopped = "the judge's service does not say how many tokens a grade took, so that its cost is not known"
                break
        return stopped

    async def _one(self, call: Mapping[str, Any]) -> GradedCall:
        data = {
            "query": call["input_text"] or "",
            "response": call["output_text"],
            **{name: call[name] or "" for name in ("slice", "request_model", "response_model", "finish_reason")},
        }
        made = [one for binding in self.evaluators.bindings for one in await binding.evaluate({"data": data})]
        values = {
            f"{one.evaluator}.{one.metric}": float(one.value)
            for one in made
            if one.value is not None and self._is_signal(f"{one.node}.{one.evaluator}", one.metric)
        }
        key = (call["trace_id"], call["span_id"])
        row = GradedCall(
            monitor=self.monitor,
            pin=self.pin,
            trace_id=key[0],
            span_id=key[1],
            attempt=self.kept[key].attempt + 1 if key in self.kept else 1,
            time=call["time"].to_pydatetime(),
            slice=str(call["slice"]),
            values=values,
            errors={one.evaluator: one.error for one in made if one.error},
            cost=self.evaluators.judges_cost(made, None),
            at=datetime.now(UTC),
        )
        # At once: who is killed has paid for it all the same.
        await asyncio.shield(asyncio.to_thread(keep_graded, self.ledger, row))
        return row

    def _is_signal(self, key: str, metric: str) -> bool:
        """Of a judge whether the answer passes; of other evaluators every number."""
        if key in self.evaluators.judged:
            return metric == "passed"
        return metric != COST
