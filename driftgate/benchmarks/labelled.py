"""What people and a judge say of a cell's samples, read from the ledger."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from driftgate.benchmarks.costs import cell_frame
from driftgate.ledger import (
    CalibrationRow,
    CellRow,
    Ledger,
    SampleLabel,
    calibrations_of,
    evaluation_frame,
    samples_frame,
)


@dataclass(frozen=True)
class JudgeSaid:
    """What a judge says of one sample, or of one text of a file."""

    grade: float | None
    passed: bool | None
    error: str = ""


def said_by_judge(ledger: Ledger, cell: CellRow, key: str) -> dict[int, JudgeSaid]:
    """What the judge ``node.evaluator`` says of every sample that was asked for in a cell."""
    node, _, evaluator = key.partition(".")
    about: Mapping[str, Any] = (cell.details.get("judges") or {}).get(key) or {}
    frame = cell_frame(ledger, cell)
    rows = evaluation_frame(ledger, cell.id, node, evaluator).merge(
        frame[["sample_id", "round"]], on=["sample_id", "round"]
    )
    samples = rows["sample_id"].astype(int).tolist()
    said = zip(samples, rows["metric"].tolist(), rows["value"].tolist(), strict=True)
    values = {(sample, metric): float(value) for sample, metric, value in said if not math.isnan(value)}
    errors = {sample: str(error) for sample, error in zip(samples, rows["error"].tolist(), strict=True) if error}
    found = {}
    for sample in map(int, frame["sample_id"]):
        passed = values.get((sample, "passed"))
        found[sample] = JudgeSaid(
            values.get((sample, str(about.get("grade")))),
            None if passed is None else passed > 0.5,
            errors.get(sample, "") or ("" if passed is not None else "the sample has no answer to grade"),
        )
    return found


def texts_of(ledger: Ledger, cell_id: int, node: str, samples: Collection[int]) -> dict[int, str | None]:
    """What a node gave for samples of a cell, as text; None where it is gone or never came."""
    ids = list(samples)
    found: dict[int, str | None] = {}
    for sample, row in zip(ids, samples_frame(ledger, cell_id, ids), strict=True):
        outputs = [entry["output"] for entry in row["nodes"] if entry["node"] == node]
        output = outputs[-1] if outputs else None
        found[sample] = output if output is None or isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return found


def text_id(text: str | None) -> str:
    """Hash of a text, 16 hexadecimal digits; empty where there is none."""
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]


def labels_for(ledger: Ledger, cell: CellRow, key: str) -> tuple[list[CalibrationRow], dict[int, bool | None]]:
    """The calibrations of a cell's judge, and what people say of samples of the cell.

    A label of another run counts where the node gave the very same text there. Where a text was labelled several times
    the newest word counts, unless it is none.
    """
    pin = str(((cell.details.get("judges") or {}).get(key) or {}).get("pin_id") or "")
    kept = calibrations_of(ledger, pin, key)
    mine: dict[int, bool | None] = {}
    foreign: dict[int, list[SampleLabel]] = {}
    for row in kept:
        for label in row.labels:
            if row.cell_id != cell.id:
                foreign.setdefault(label.sample_id, []).append(label)
            elif mine.get(label.sample_id) is None:
                mine[label.sample_id] = label.passed
    if foreign:
        asked = {*map(int, cell_frame(ledger, cell)["sample_id"])} & foreign.keys() - mine.keys()
        texts = texts_of(ledger, cell.id, key.partition(".")[0], asked)
        for sample, text in texts.items():
            for label in foreign[sample]:
                if text is not None and label.text == text_id(text) and mine.get(sample) is None:
                    mine[sample] = label.passed
    return kept, mine
