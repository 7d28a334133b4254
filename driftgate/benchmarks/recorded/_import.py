"""Write a file of recorded answers into the ledger as one complete run of one cell."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from driftgate.benchmarks.conventions.asked import CONVENTION as ASKED
from driftgate.benchmarks.datasets import Dataset, Sample
from driftgate.benchmarks.recorded._align import Alignment
from driftgate.benchmarks.recorded._preset import Benchmark, Source
from driftgate.benchmarks.recorded._questions import align, without_questions
from driftgate.benchmarks.recorded._rows import FAILED, FILTERED, NUMBERS, RecordedRows
from driftgate.benchmarks.recorded._unpaired import Answered, answered
from driftgate.benchmarks.signature import format_signature
from driftgate.flows.engines import NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators.normalised_match import normalised_match
from driftgate.flows.evaluators.numeric import numeric
from driftgate.flows.extraction import extract_choice, rule_set_id
from driftgate.flows.letters import LETTERS
from driftgate.flows.models import count
from driftgate.flows.sample import need_answers
from driftgate.ledger import Ledger, Record, RunRow, add_cell, finish_run, pending_samples, record, start_run

SUITE = "recorded"
"""What recorded runs are listed under."""
ASK = "ask"
"""The node that holds a recorded reply, as in the flow ``multiple_choice``."""
OUT_OF_RANGE = "out_of_range"
"""The rule of a prediction that is none of the choices, as the extractor names it."""
_CHUNK = 2000


@dataclass(frozen=True)
class Imported:
    """What came of a file."""

    run: RunRow
    asked: int
    rows: int
    new: bool
    """False where the very same file had been imported before."""
    joined: bool
    """Whether the answers stand beside their questions."""
    unpaired: int = 0
    """Rows whose question cannot be told: they are scored, and paired with nothing."""
    why: str = ""
    """Why there are such rows."""
    repeated: int = 0
    """Rows that answer a question once more: the first one counts."""
    out_of_range: int = 0
    """Predictions that are none of their question's choices, and so no answers."""


def import_file(
    ledger: Ledger,
    source: Source,
    rows: RecordedRows,
    dataset: Dataset | None,
    version: str,
    advance: Callable[[int], None] = lambda done: None,
) -> Imported:
    """Import a file; the same file twice is one run, and an import that was cut short goes on.

    Parameters
    ----------
    dataset : Dataset, optional
        The questions. Without them every right answer becomes a sample without a question, known by dataset,
        category and position.
    version : str
        Of driftgate.
    advance : callable
        Told how many rows more are written.

    Raises
    ------
    DriftgateError
        The rows answer something else, or most predictions are none of the choices.
    """
    if source.benchmark.letters or (dataset is not None and any("choices" in s.data for s in dataset.samples)):
        rows = rows.lettered()
    if dataset is not None:
        need_answers(dataset.samples, "importing recorded answers")
    questions = dataset or without_questions(ledger, source, rows)
    alignment = align(source.benchmark, rows, questions)
    found = answered(source.benchmark, rows, questions, alignment)
    questions = found.questions
    details = _describe(source, rows, found, alignment, joined=dataset is not None)
    plan_hash = hashlib.sha256(json.dumps(details, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
    outcomes = _outcomes(rows, found.samples, source)
    plan = {"suite": SUITE, "config": {"preset": source.preset, "columns": dict(source.columns)}, "cells": [details]}
    name = "-".join([questions.name, source.model, *([f"{source.shots}shot"] if source.shots else [])])
    run_id = f"{SUITE}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}-{plan_hash[:6]}"
    run = start_run(ledger, SUITE, plan, plan_hash, 0, version, kind="import", id=run_id)
    done = Imported(
        run,
        len(questions.samples),
        len(outcomes),
        run.status != "complete",
        dataset is not None,
        found.unpaired,
        alignment.why,
        len(alignment.repeated),
        sum(entry.rule == OUT_OF_RANGE for _, entry in outcomes),
    )
    if done.new:
        cell = {name: details[name] for name in ("model", "flow", "variant", "dataset", "signature")}
        cell_id = add_cell(ledger, run.id, 0, {**cell, "details": details}, questions.samples)
        ids = {key: sample_id for key, (sample_id, _) in pending_samples(ledger, cell_id).items()}
        wanted = [(ids[sample.key], entry) for sample, entry in outcomes if sample.key in ids]
        advance(len(outcomes) - len(wanted))
        for records in _records(cell_id, wanted, _numbers(rows)):
            record(ledger, records)
            advance(len(records))
        finish_run(ledger, run.id)
    return done


def _describe(
    source: Source, rows: RecordedRows, found: Answered, alignment: Alignment, *, joined: bool
) -> dict[str, Any]:
    """Everything that the run is of, for the ledger; what it does not say changes nothing of the run."""
    questions = found.questions
    read = "recorded" if rows.has("prediction") else rule_set_id()
    parts: dict[str, object] = {
        "dataset": f"{questions.name}:{questions.fingerprint[:6]}",
        "n": len(questions.samples),
        "flow": "recorded",
        "prompt": "unstated",
        "shots": "unstated" if source.shots is None else source.shots,
        "scoring": "text",
        **ASKED.signature_parts("text"),
        "extract": read,
        **({} if joined else {"questions": "none"}),
        **({"unpaired": found.unpaired} if found.unpaired else {}),
    }
    return {
        "model": source.model,
        "model_config": {"provider": "recorded", "file": rows.path.name},
        "file_sha256": rows.sha256,
        "flow": "recorded",
        "nodes": [ASK],
        "variant": f"{source.shots}shot" if source.shots else "",
        "dataset": questions.name,
        "dataset_fingerprint": questions.fingerprint,
        "dataset_source": questions.source,
        "dataset_licence": questions.licence,
        "samples": hashlib.sha256("\n".join(s.edition for s in questions.samples).encode()).hexdigest()[:12],
        "n": len(questions.samples),
        "shots": source.shots,
        "recorded_keys": alignment.keys,
        "letters": source.benchmark.letters,
        "signature": format_signature(parts),
    }


@dataclass(frozen=True, slots=True)
class _Outcome:
    row: int
    outcome: str
    answer: str | None
    correct: float | None
    rule: str
    text: str | None
    error: str


def _outcomes(rows: RecordedRows, samples: Sequence[Sample | None], source: Source) -> list[tuple[Sample, _Outcome]]:
    """What became of every sample that has a row.

    A prediction that is none of its question's choices is no answer, as where a reply of ours names one.

    Raises
    ------
    DriftgateError
        Most predictions are none of the choices: the column holds something else.
    """
    frame = rows.frame
    responses = frame["response"] if rows.has("response") else [""] * len(frame)
    predictions = frame["prediction"] if rows.has("prediction") else [None] * len(frame)
    found = []
    odd: list[str] = []
    for number, (sample, said, text) in enumerate(zip(samples, predictions, responses, strict=True)):
        if sample is None:
            continue
        letters = _letters(sample, source.benchmark)
        if said is None:
            said, rule = _extract(sample, text, letters)
        else:
            rule = "recorded"
        lost = {FAILED: "failed", FILTERED: "filtered"}.get(said)
        if lost is None and said and letters and said not in letters:
            odd.append(f"row {number + 1} predicts '{said}', which is none of {', '.join(letters)}")
            said, rule = "", OUT_OF_RANGE
        answered = lost is None and bool(said)
        found.append(
            (
                sample,
                _Outcome(
                    number,
                    lost or ("answered" if said else "unparsed"),
                    said if answered else None,
                    _correct(said, sample, letters) if answered else None,
                    "" if lost else rule,
                    text if lost is None and rows.has("response") else None,
                    (text or said) if lost else "",
                ),
            )
        )
    given = sum(entry.outcome == "answered" for _, entry in found) + len(odd)
    if len(odd) > given / 2:
        raise DriftgateError(
            f"{rows.path.name} {odd[0]}, as {len(odd):,} of its {given:,} predictions",
            "check which column holds the predictions (--map prediction=COLUMN), and --dataset",
        )
    return found


def _correct(said: str, sample: Sample, letters: str) -> float:
    """1 if an answer is right, else 0: letters as they are, numbers by their value, words by their normal form."""
    gold = str(sample.data["answer"])
    if letters or said == gold:
        return float(said == gold)
    try:
        float(gold.replace(",", ""))
    except ValueError:  # words, though a number may stand among them
        return float(normalised_match(response=said, ground_truth=gold)["match"])
    return float(numeric(response=said, ground_truth=gold)["correct"])


def _letters(sample: Sample, benchmark: Benchmark) -> str:
    """The letters of a sample's choices; empty where its answer is text or its choices are not known."""
    choices = sample.data.get("choices")
    return LETTERS[: len(choices)] if choices else benchmark.letters


def _extract(sample: Sample, text: str, letters: str) -> tuple[str, str]:
    if text in (FILTERED, FAILED):
        return text, ""
    if not letters:
        return text.strip(), "whole"
    read = extract_choice(text, sample.data.get("choices", ()), letters=letters)
    return read.answer or "", read.rule


def _numbers(rows: RecordedRows) -> dict[str, list[float | None]]:
    """The numbers beside each row, None where there is none."""
    frame = rows.frame
    return {
        name: [None if value != value else float(value) for value in frame[name]] for name in NUMBERS if name in frame
    }


def _records(
    cell_id: int, wanted: Sequence[tuple[int, _Outcome]], numbers: dict[str, list[float | None]]
) -> Iterator[list[Record]]:
    """Records in groups that are written together."""
    now = datetime.now(UTC)
    for start in range(0, len(wanted), _CHUNK):
        yield [_record(cell_id, sample_id, entry, numbers, now) for sample_id, entry in wanted[start : start + _CHUNK]]


def _record(
    cell_id: int, sample_id: int, entry: _Outcome, numbers: dict[str, list[float | None]], now: datetime
) -> Record:
    def number(name: str) -> float | None:
        return numbers[name][entry.row] if name in numbers else None

    def spent(name: str) -> float | None:
        found = number(name)
        return 0.0 if found is None and entry.outcome in ("failed", "filtered") else found  # as in a run of ours

    reply = {"text": entry.text, "finish_reason": "", "first_token": None}
    return Record(
        cell_id=cell_id,
        sample_id=sample_id,
        round=0,
        outcome=entry.outcome,
        answer=entry.answer,
        correct=entry.correct,
        rule=entry.rule,
        error=entry.error,
        finish_reason="",
        input_tokens=count(spent("input_tokens")),
        output_tokens=count(spent("output_tokens")),
        cost=spent("cost"),
        latency=number("latency"),
        seconds=0.0,
        served_model="",
        fingerprint="",
        attempts=0,
        cached=False,
        finished_at=now,
        nodes=() if entry.text is None else (NodeResult(ASK, "completed", reply, 0.0, ""),),
    )
