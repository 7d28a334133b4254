"""A workspace after two weeks: nights, looks, a finding, a repair that waits, and a run under way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import text

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.benchmarks.scores import score_run
from driftgate.finetune.choice import Figure, Measured, Option
from driftgate.finetune.remediation import Choice, open_remediation
from driftgate.finetune.remediation._store import add_event
from driftgate.flows.engines import NodeResult
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import (
    Ledger,
    Record,
    add_cell,
    add_verdict,
    finish_run,
    install_champion,
    open_ledger,
    pending_samples,
    record,
    start_run,
)
from driftgate.monitor.alert import Alert, Hint, Period
from driftgate.monitor.incidents import IncidentsConfig, observe
from driftgate.monitor.looks import Conclusion, LookRow, keep_look

NIGHTS, QUESTIONS, LOOKS = 4, 60, 24
MARKUP = "<script>window.hacked = 1</script>"
"""Stands in a question and in an error, and is text on every page."""
JUDGE = "reply.helpful"
_WORDS = ("건축구조", "회계", "지구과학", "형법", "전기자기학")


def make_world(folder: Path) -> Path:
    """Write the workspace and fill its ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id,question,A,B,C,D,answer,category"]
    lines += [f"q{n},{s.data['question']},가,나,다,라,{'ABCD'[n % 4]},{s.category}" for n, s in enumerate(questions())]
    (folder / "exam.csv").write_text("\n".join(lines), encoding="utf-8")
    model = {"provider": "openai", "endpoint": "http://127.0.0.1:9/v1", "model": "gpt-live"}
    canaries = {"dataset": "exam", "limit": 20}
    config = {
        "version": 1,
        "name": "support-desk",
        "models": {"small": model, "large": model | {"model": "gpt-large"}},
        "datasets": {"exam": {"kind": "csv", "path": "exam.csv", "columns": {"choices": ["A", "B", "C", "D"]}}},
        "suites": {"nightly": {"models": ["small", "large"], "datasets": ["exam"], "variants": ["terse"]}},
        "gates": {"release": {"suite": "nightly", "rules": [{"metric": "accuracy", "min": 0.6}]}},
        "champions": {"assistant": "small"},
        "monitors": {
            "assistant": {"champion": "assistant", "canaries": canaries, "traffic": {"request_model": "gpt-live"}},
            "search": {"champion": "assistant", "canaries": canaries, "cron": "30 2 * * *"},
        },
        "nightly": {"suites": ["nightly"], "gates": ["release"]},
        "service": {"token": "${env:DRIFTGATE_TOKEN}"},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    ledger = open_ledger(".driftgate/ledger.db", folder)
    fill(ledger)
    ledger.close()
    return folder


def fill(ledger: Ledger) -> None:
    """Put everything into a ledger."""
    now = datetime.now(UTC).replace(microsecond=0)
    install_champion(ledger, "assistant", "small", "lead@example.com")
    for night in range(NIGHTS):
        add_night(ledger, now - timedelta(days=NIGHTS - night, hours=2), night)
    add_looks(ledger, now)
    observe(ledger, IncidentsConfig())
    add_repair(ledger)
    running = start_run(ledger, "nightly", {"cells": [{}]}, "hash", 0, "0.1")
    cell = add_cell(ledger, running.id, 0, _cell("small"), questions())
    record(ledger, _records(ledger, cell, questions()[:25], 0.7, random.Random(99), now))


def questions() -> list[Sample]:
    """The exam; its first question holds markup."""
    return [
        make_sample(
            "exam",
            "test",
            n,
            {
                "question": f"{MARKUP if n == 0 else ''}{_WORDS[n % 5]} 문제 {n}: 다음 중 옳은 것은?",
                "choices": ["가", "나", "다", "라"],
                "answer": "ABCD"[n % 4],
            },
            id=f"q{n}",
            category=_WORDS[n % 5],
            super_category="STEM" if n % 2 else "HUMSS",
        )
        for n in range(QUESTIONS)
    ]


def _cell(model: str) -> dict[str, Any]:
    judge = {"pin_id": "pin-1", "scale": [1, 5], "threshold": 3.0, "grade": "grade"}
    details = {"nodes": ["ask", "reply"], "judges": {JUDGE: judge}, "n": QUESTIONS}
    return {
        "model": model,
        "flow": "multiple_choice",
        "variant": "terse",
        "dataset": "exam",
        "signature": "extract:v2|flow:abc",
        "details": details,
    }


def add_night(ledger: Ledger, at: datetime, night: int) -> str:
    """A night of two models, scored and judged; the small one gets worse at the end."""
    run = start_run(
        ledger, "nightly", {"cells": [{}, {}]}, "hash", 0, "0.1", id=f"{at:%Y%m%d-%H%M%S}-nightly-{night:04x}"
    )
    asked = questions()
    rng = random.Random(night)
    for place, (model, share) in enumerate((("small", 0.8 if night < NIGHTS - 1 else 0.55), ("large", 0.9))):
        cell = add_cell(ledger, run.id, place, _cell(model), asked)
        record(ledger, _records(ledger, cell, asked, share, rng, at))
    finish_run(ledger, run.id)
    score_run(ledger, run.id)
    verdict = "fail" if night == NIGHTS - 1 else "pass"
    rule = {
        "rule": "accuracy >= 0.6",
        "cell": "small · terse · exam",
        "verdict": verdict,
        "says": "accuracy is at least 0.6",
        "reason": "accuracy 0.55, its 95% interval lies below 0.6" if verdict == "fail" else "",
    }
    add_verdict(ledger, run.id, "release", verdict, {"rules": [rule]})
    with ledger.write() as connection:
        connection.execute(
            text("UPDATE runs SET created_at = :at, finished_at = :end WHERE id = :id"),
            {"at": _stored(at), "end": _stored(at + timedelta(minutes=9)), "id": run.id},
        )
    return run.id


def _stored(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000000"


def _records(
    ledger: Ledger, cell: int, asked: Sequence[Sample], share: float, rng: random.Random, at: datetime
) -> list[Record]:
    ids = pending_samples(ledger, cell)
    return [_record(cell, ids[sample.key][0], n, sample, share, rng, at) for n, sample in enumerate(asked)]


def _record(
    cell: int, sample_id: int, n: int, sample: Sample, share: float, rng: random.Random, at: datetime
) -> Record:
    gold = str(sample.data["answer"])
    right, broken = rng.random() < share, n % 29 == 7
    answer = gold if right else "ABCD"[("ABCD".index(gold) + 1) % 4]
    asked = NodeResult("ask", "completed", f"{sample.data['question']}\nA. 가\nB. 나\nC. 다\nD. 라", 0.001)
    reply = NodeResult("reply", "completed", {"text": f"정답은 {answer}입니다.", "finish_reason": "stop"}, 0.4)
    said = [] if broken else [Evaluation("reply", "match", "match", float(right)), *_grades(right, rng)]
    return Record(
        cell_id=cell,
        sample_id=sample_id,
        round=0,
        outcome="failed" if broken else "answered",
        answer=None if broken else answer,
        correct=None if broken else float(right),
        rule="first_line/letter",
        error=f"the service answered 500 {MARKUP}" if broken else "",
        finish_reason="" if broken else "stop",
        input_tokens=180,
        output_tokens=12,
        cost=None if n % 11 == 3 else 0.0004,
        latency=None if broken else 0.2 + 0.6 * rng.random(),
        seconds=0.5,
        served_model="gpt-live-2026-05-01",
        fingerprint="fp_1",
        attempts=1,
        cached=False,
        finished_at=at + timedelta(seconds=n),
        nodes=[asked] if broken else [asked, reply],
        evaluations=said,
        asked=["small"],
    )


def _grades(right: bool, rng: random.Random) -> list[Evaluation]:
    grade = float(rng.choice((4, 5)) if right else rng.choice((1, 2, 3)))
    return [
        Evaluation("reply", "helpful", "grade", grade, "it names the right choice" if right else "it is wrong"),
        Evaluation("reply", "helpful", "passed", float(grade >= 3)),
    ]


def _finding(signal: str, at: datetime, reference: float | None, current: float | None, slices: bool) -> dict[str, Any]:
    effect = None if current is None or reference is None else current - reference
    told = {
        "p_value": 0.4 if effect is None or abs(effect) < 0.05 else 0.0004,
        "effect": effect,
        "low": None if effect is None else effect - 0.04,
        "high": None if effect is None else effect + 0.04,
        "reference_value": reference,
        "current_value": current,
        "n_reference": 160,
        "n_current": 20,
        "method": "cmh",
        "days": None,
    }
    return {
        "signal": signal,
        "looks": 1,
        "periods": 1,
        "reference": [(at - timedelta(days=8)).isoformat(), (at - timedelta(days=1)).isoformat()],
        "current": [(at - timedelta(days=1)).isoformat(), at.isoformat()],
        "floor": 0.05,
        "moved": ["회계"] if effect is not None and effect < -0.1 else [],
        "p_value": told["p_value"],
        "adjusted_p_value": told["p_value"],
        "evidence": told,
        "everywhere": told,
        "steady": None,
        "slices": {"회계": told, "형법": {**told, "effect": 0.0}} if slices else {},
    }


def add_looks(ledger: Ledger, now: datetime) -> None:
    """A day of hourly looks: an hour without an endpoint, and a model that answers worse at the end."""
    rng = random.Random(5)
    for n in range(LOOKS):
        at = now - timedelta(hours=LOOKS - n)
        conclusion, findings, alerts = Conclusion("quiet"), [], []
        value = 0.8 + rng.uniform(-0.03, 0.03)
        if n in (9, 10):
            conclusion = Conclusion("unmeasurable", "20 of 20 canaries failed: connection refused", "see the endpoint")
            findings = []
        else:
            worse = n >= LOOKS - 2
            value = 0.56 if worse else value
            findings = [
                _finding("canary_accuracy", at, 0.8, value, slices=True),
                _finding("canary_agreement", at, 0.95, 0.7 if worse else 0.94, slices=False),
            ]
            if worse:
                conclusion = Conclusion("moved", "canary accuracy fell by 24 points")
                alerts = [_alert(at, value)]
        look = LookRow(0, "assistant", "small#1", f"canary-{n:02}", n, findings, at, conclusion)
        keep_look(ledger, look, alerts)
        traffic = [
            _finding("error_rate", at, 0.01, 0.01 + rng.uniform(0, 0.01), slices=False),
            _finding("latency", at, 0.8, 0.8 + rng.uniform(-0.1, 0.1), slices=False),
        ]
        keep_look(ledger, LookRow(0, "assistant", "gpt-live", f"traffic-{n:02}", n, traffic, at, Conclusion("quiet")))


def _alert(at: datetime, value: float) -> Alert:
    return Alert(
        signal="canary_accuracy",
        title="canary accuracy",
        unit="share",
        moved="fell",
        slices=("회계",),
        reference=Period(at - timedelta(days=8), at - timedelta(days=1)),
        current=Period(at - timedelta(days=1), at),
        n_reference=160,
        n_current=20,
        reference_value=0.8,
        current_value=value,
        effect=value - 0.8,
        effect_low=value - 0.84,
        effect_high=value - 0.76,
        effect_unit="difference of shares",
        floor=0.05,
        p_value=0.0004,
        adjusted_p_value=0.0008,
        detector="mantel_haenszel",
        detail={},
        cause="model",
        hints=(Hint("model", "the fingerprint changed from fp_1 to fp_2"),),
        summary="Canary accuracy fell on slice '회계' from 80.0% to 56.0% (-24.0 points), likely cause: the model.",
    )


def add_repair(ledger: Ledger) -> str:
    """A remediation that waits for a person."""
    one, _ = open_remediation(ledger, "assistant", "canary accuracy fell on 회계", "small", {"recipe": "gone"})
    measured = Measured(dataset="exam", n=40, quality=Figure(value=0.5, low=0.35, high=0.65), unanswered={"failed": 3})
    base = Option(kind="base", name="base", model="small", measured=[measured])
    terse = Option(kind="prompt", name="prompt terse", model="small", measured=[measured], verdict="unmeasurable")
    choice = Choice(run="none", options=[base, terse])
    add_event(ledger, one.id, "choose", "finished", choice.model_dump(mode="json"), choice.told)
    for step, message in (("synthesise", "320 items"), ("train", "loss 0.41"), ("evaluate", ""), ("judge", "passed")):
        add_event(ledger, one.id, step, "started", {})
        add_event(ledger, one.id, step, "finished", {"note": message, "lineage": "none"}, message)
    add_event(ledger, one.id, "approve", "held", {"awaits": "hash-of-what-is-agreed-to"}, "it waits for an approval")
    return one.id
