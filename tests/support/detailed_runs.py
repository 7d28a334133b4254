"""Runs with everything that can be kept of a sample, and all that is read of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from driftgate.benchmarks.conventions._replies import reply_frame, stored_prompt
from driftgate.benchmarks.datasets import Sample
from driftgate.flows.engines import FinishedLine, NodeResult
from driftgate.flows.evaluators import EvaluatedLine, Evaluation
from driftgate.flows.sample import make_sample
from driftgate.ledger import (
    Ledger,
    Record,
    add_cell,
    add_verdict,
    cells_of,
    evaluated_lines_of,
    evaluation_frame,
    evaluation_means,
    finish_run,
    metric_frame,
    node_results,
    outcome_frame,
    pending_samples,
    record,
    run_hash,
    samples_frame,
    start_run,
)

PERSON = "홍길동"
"""In every text of a run and in nothing else."""
DETAILS = {"nodes": ["render", "ask", "extract"]}


def make_run(ledger: Ledger, samples: Sequence[Sample], *, suite: str = "small") -> str:
    """A complete run of two cells that a gate passed; the first sample of each failed and was asked again."""
    run = start_run(ledger, suite, {"cells": [{}, {}]}, "hash", 0, "0.1")
    for ordinal, model in enumerate(("one", "two")):
        row = {"model": model, "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": DETAILS}
        cell = add_cell(ledger, run.id, ordinal, row, samples)
        todo = pending_samples(ledger, cell)
        record(ledger, [entry(cell, todo[sample.key][0], place, sample) for place, sample in enumerate(samples)])
        again = todo[samples[0].key][0]
        record(ledger, [entry(cell, again, 4, samples[0], round=1)])
    finish_run(ledger, run.id)
    add_verdict(ledger, run.id, "small", "pass", {"runs": {run.id: run_hash(ledger, run.id)}})
    return run.id


def entry(cell: int, sample_id: int, place: int, sample: Sample, *, round: int = 0) -> Record:
    """What became of a sample; of the first nothing but an error."""
    failed = place == 0
    words = f"{PERSON}의 물음에 HTTP 500" if failed else ""
    question = sample.data["question"]
    nodes = [NodeResult("render", "completed", f"{question} {PERSON} 답:", 0.001)]
    evaluations = [Evaluation("ask", "reply", "characters", None, "", words)]
    if failed:
        nodes.append(NodeResult("ask", "failed", None, 0.2, words))
    else:
        reply = {"text": f"답은 {PERSON} B", "finish_reason": "stop", "first_token": {"B": -0.1}}
        nodes += [
            NodeResult("ask", "completed", reply, 0.2),
            NodeResult(
                "extract", "completed", {"answer": "B", "rule": "x", "who": PERSON, "deep": [1, {"a": None}]}, 0
            ),
        ]
        evaluations = [
            Evaluation("ask", "reply", "characters", 7.0 + place, PERSON),
            Evaluation("ask", "reply", "within", 1.0),
            Evaluation("extract", "choice", "correct", float(place % 2)),
        ]
    lines = [EvaluatedLine("ask", "flow", FinishedLine({"reply": PERSON}, {"grade": place / 3}))]
    answer = None if failed else "B" if sample.data.get("choices") else f"{PERSON}입니다"
    return Record(
        cell,
        sample_id,
        round,
        "failed" if failed else "answered",
        answer,
        None if failed else float(place % 2),
        "x",
        words,
        "stop",
        20,
        3,
        0.001,
        0.25,
        0.3,
        "gpt",
        "fp",
        1,
        False,
        datetime.now(UTC),
        nodes,
        evaluations,
        [] if failed else lines,
        {"one", "two"},
    )


def everything(ledger: Ledger, run: str) -> dict[str, Any]:
    """All that is read of a run's details, in an order of its own."""
    found: dict[str, Any] = {"hash": run_hash(ledger, run)}
    for cell in cells_of(ledger, run):
        ids = [int(one) for one in outcome_frame(ledger, cell.id)["sample_id"]]
        evaluated = evaluation_frame(ledger, cell.id, "ask", "reply").sort_values(["sample_id", "round", "metric"])
        found[cell.model] = {
            "nodes": {one: dict(sorted(of.items())) for one, of in sorted(node_results(ledger, cell.id).items())},
            "lines": dict(sorted(evaluated_lines_of(ledger, cell.id, "ask", "flow").items())),
            "metrics": metric_frame(ledger, cell.id).to_json(),
            "means": rounded(evaluation_means(ledger, cell.id)),
            "evaluated": evaluated.to_dict("records").__repr__(),
            "samples": [ordered(sample) for sample in samples_frame(ledger, cell.id, ids)],
            "replies": reply_frame(ledger, cell).sort_values("sample_id").to_dict("records").__repr__(),
            "prompt": (stored_prompt(ledger, cell) or "").endswith("답:"),
        }
    return found


def rounded(value: Any) -> Any:
    """Without the last digits of a sum, which is added in another order."""
    return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 12))


def ordered(sample: dict[str, Any]) -> dict[str, Any]:
    """With the entries of a node in an order that does not depend on the place they were read from."""
    beside = {name: sorted(sample[name], key=str) for name in ("nodes", "evaluations")}
    return json.loads(json.dumps(sample | beside, default=str))  # type: ignore[no-any-return]


def places_of(text: str, *folders: Path) -> list[str]:
    """The files whose bytes have a text, as it stands or as JSON escapes it."""
    parts = [text.encode(), text.encode("utf-16-le"), json.dumps(text).strip('"').encode()]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if any(part in path.read_bytes() for part in parts)]


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import Engine, event
from driftgate.ledger import archive_details, expire_texts, find_text, forget, open_ledger, pack_details

at = sys.argv[4]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "before_cursor_execute")
def statement(connection, cursor, statement, *more):
    if " ".join(statement.split()).startswith(at):
        die()

ledger = open_ledger(sys.argv[1], Path(sys.argv[2]))

@event.listens_for(ledger.engine, "commit")
def commit(connection):
    if at == "before the commit":
        die()

def hook(name, arguments):
    if at.startswith("os.") and name == at and str(ledger.archive) in str(arguments[0]):
        die()
    if at == "half a file" and name == "os.rename" and str(ledger.archive) in str(arguments[0]):
        Path(arguments[0]).write_bytes(Path(arguments[0]).read_bytes()[:100])
        die()

sys.addaudithook(hook)
if sys.argv[3] == "archive":
    archive_details(ledger)
elif sys.argv[3] == "pack":
    pack_details(ledger)
elif sys.argv[3].startswith("forget "):
    forget(ledger, find_text(ledger, sys.argv[3].removeprefix("forget ")), "me")
else:
    expire_texts(ledger, run=sys.argv[3])
print("done")
"""


def killed(location: str, folder: Path, what: str, at: str) -> int:
    """Exit code of a process that does something and is killed at a point of it."""
    arguments = [sys.executable, "-c", KILLED, location, str(folder), what, at]
    return subprocess.run(arguments, check=False, timeout=120, capture_output=True).returncode


def open_questions(count: int) -> list[Sample]:
    """Of a person, without choices."""
    return [
        make_sample("own", "test", n, {"question": f"{PERSON} {n}?", "answer": f"{PERSON} {n}"}, id=f"q{n}")
        for n in range(count)
    ]
