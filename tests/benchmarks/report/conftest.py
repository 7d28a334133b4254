"""A run in a real ledger: every outcome, Korean text, hostile text, and a cell whose every sample failed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.report import ReportFiles, write_report
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.flows.engines import NodeResult
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import (
    Ledger,
    Record,
    RunRow,
    VerdictRow,
    add_cell,
    add_verdict,
    find_run,
    finish_run,
    open_ledger,
    pending_samples,
    record,
    start_run,
    verdicts_of,
)

SCRIPT = "<script>window.hacked=1</script>"
SEOUL = ZoneInfo("Asia/Seoul")
CATEGORIES = {"Korean-History": "HUMSS", "Law": "HUMSS", f"Math {SCRIPT}": "STEM", "Chemistry": "STEM"}
N = 60
UNANSWERED = {3: "unparsed", 10: "truncated", 17: "filtered", 24: "failed", 31: "missing"}


@dataclass(frozen=True)
class Written:
    """A run and its report."""

    ledger: Ledger
    run: RunRow
    scored: list[CellScores]
    verdicts: list[VerdictRow]
    files: ReportFiles

    @property
    def html(self) -> str:
        return self.files.html.read_text(encoding="utf-8")

    @property
    def markdown(self) -> str:
        return self.files.markdown.read_text(encoding="utf-8")


def make_samples(n: int = N) -> list[Sample]:
    names = list(CATEGORIES)
    samples = []
    for i in range(n):
        category = names[i % len(names)]
        question = f"{i}번: 조선 시대에 특산물 대신 쌀로 내게 한 제도는? {SCRIPT}"
        data = {
            "question": question,
            "choices": ["대동법", "영정법", "균역법", f"호패법 {SCRIPT}"],
            "answer": "ABCD"[i % 4],
        }
        place = {"subset": f"s{i % 4}", "category": category, "super_category": CATEGORIES[category]}
        samples.append(make_sample("exam", "test", i, data, **place))
    return samples


def make_record(cell_id: int, sample: Sample, sample_id: int, outcome: str, answer: str | None, seed: int) -> Record:
    rng = random.Random(f"{seed}{sample.key}")
    correct = float(answer == sample.data["answer"]) if outcome == "answered" else None
    latency = None if outcome in ("failed", "filtered") else rng.lognormvariate(-1 + seed, 0.5)
    output = {"answer": answer, "rule": "letter"}
    nodes = [
        NodeResult("render", "completed", f"질문: {sample.data['question']}\n정답:", 0.001),
        NodeResult(
            "ask", "completed" if latency else "failed", {"text": answer or SCRIPT}, 0.2, "" if latency else SCRIPT
        ),
    ]
    found = [Evaluation("render", "prompt", "contains", 1.0)]
    if latency:
        nodes.append(NodeResult("extract", "completed", output, 0.001))
        found.append(Evaluation("extract", "choice", "correct", correct or 0.0))
        found.append(Evaluation("extract", "style", "", None, error="ValueError: no style"))
    return Record(
        cell_id=cell_id,
        sample_id=sample_id,
        round=0,
        outcome=outcome,
        answer=answer,
        correct=correct,
        rule="letter" if answer else "",
        error=f"HTTP 500 {SCRIPT}" if outcome == "failed" else "",
        finish_reason="stop" if latency else "",
        input_tokens=120,
        output_tokens=2,
        cost=0.0002 * seed,
        latency=latency,
        seconds=0.3,
        served_model="m-2026",
        fingerprint="fp_1",
        attempts=1,
        cached=False,
        finished_at=datetime.now(UTC),
        nodes=nodes,
        evaluations=found,
    )


def fill_cell(
    ledger: Ledger,
    run: RunRow,
    ordinal: int,
    model: str,
    samples: list[Sample],
    *,
    skill: float,
    all_failed: bool = False,
) -> None:
    """Add a cell; its model knows the share ``skill`` of the keys and else answers C."""
    details = {
        "model_config": {
            "provider": "openai",
            "api_key": "${env:TOP_SECRET}",
            "parameters": {"temperature": 0},
            "prices": {"input": 1.0, "output": 2.0, "currency": "EUR"},
        },
        "dataset_source": "hub HAERAE-HUB/KMMLU",
        "dataset_licence": "CC BY-ND 4.0",
        "samples": "abc",
        "flow_hash": "f00",
    }
    row = {"model": model, "flow": "multiple_choice", "variant": "terse", "dataset": "exam"}
    cell_id = add_cell(ledger, run.id, ordinal, row | {"signature": f"v1|exam|{model}", "details": details}, samples)
    ids = pending_samples(ledger, cell_id)
    rng = random.Random(ordinal)
    records = []
    for i, sample in enumerate(samples):
        outcome = "failed" if all_failed else UNANSWERED.get(i, "answered")
        if outcome == "missing":
            continue
        known = rng.random() < skill
        answer = (sample.data["answer"] if known else "C") if outcome == "answered" else None
        records.append(make_record(cell_id, sample, ids[sample.key][0], outcome, answer, ordinal + 1))
    record(ledger, records)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """Three cells (one has nothing but failures) and a verdict with a rule of each kind."""
    folder = tmp_path_factory.mktemp("report")
    ledger = open_ledger("ledger.db", folder)
    run = start_run(ledger, "nightly", {}, "0123456789abcdef", 7, "0.1.0")
    samples = make_samples()
    fill_cell(ledger, run, 0, f"gpt {SCRIPT}", samples, skill=0.9)
    fill_cell(ledger, run, 1, "small|model", samples, skill=0.2)
    fill_cell(ledger, run, 2, "broken", samples, skill=0.0, all_failed=True)
    finish_run(ledger, run.id)
    scored = score_run(ledger, run.id)
    rules = [{"metric": "accuracy", "min": 0.5}, {"metric": "latency_p95", "max": 60}]
    gate = GateConfig.model_validate({"suite": "nightly", "rules": rules})
    verdict = judge(ledger, "promotion", gate, run.id, scored)
    add_verdict(ledger, run.id, verdict.gate, verdict.verdict, verdict.as_json())
    run, verdicts = find_run(ledger, run.id), verdicts_of(ledger, run.id)
    files = write_report(ledger, run, scored, verdicts, folder / "reports", timezone=SEOUL)
    yield Written(ledger, run, scored, verdicts, files)
    ledger.close()
