"""A set as files: items, their lineage line by line, what was rejected, the report, and a data card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from driftgate.finetune.privacy import redact
from driftgate.finetune.synthesis._asking import Reject, Spent
from driftgate.finetune.synthesis._card import card_of
from driftgate.finetune.synthesis._clusters import Cluster, Coverage
from driftgate.finetune.synthesis._coverage import CoverageDataset, Dropped
from driftgate.finetune.synthesis._lineage import lineage_of, report_of
from driftgate.finetune.synthesis._values import Candidate
from driftgate.finetune.train._files import write_atomically
from driftgate.flows.documents import Skipped
from driftgate.flows.errors import DriftgateError

ITEMS, LINEAGE, REJECTS, REPORT, CARD = "items.jsonl", "lineage.jsonl", "rejects.jsonl", "report.json", "card.md"
_LINEAGE = ("source", "source_hash", "generator", "generator_version", "seed", "slice", "label", "phrasing", "model")
_SHOWN = 2_000
_MAKE = "make it anew: driftgate synth make"


def write_dataset(dataset: CoverageDataset, folder: Path, name: str = "") -> Path:
    """Write a set into a folder and return the path of its items.

    ``items.jsonl`` can be read as a dataset of the kind ``jsonl``; ``report.json``, written last, holds the hashes of
    the others, so that a set that was written in part, or changed since, is none.
    """
    contents = {
        ITEMS: _lines(as_row(item) for item in dataset.items),
        LINEAGE: _lines(lineage_of(item, dataset) for item in dataset.items),
        REJECTS: _lines(_reject(reject) for reject in dataset.rejects),
        CARD: card_of(dataset, name).encode("utf-8", "replace"),
    }
    for file, content in contents.items():
        write_atomically(folder / file, content)
    files = {file: _sha256(content) for file, content in contents.items() if file != CARD}
    report = {**report_of(dataset), "materials": dict(dataset.materials), "files": files}
    write_atomically(folder / REPORT, (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode())
    return folder / ITEMS


def read_dataset(folder: Path) -> CoverageDataset:
    """Read a set that :func:`write_dataset` wrote.

    Raises
    ------
    DriftgateError
        There is none, or a file of it was changed since.
    """
    if not (folder / REPORT).is_file():
        raise DriftgateError(f"there is no synthetic set in {folder}", _MAKE)
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        contents = {file: (folder / file).read_bytes() for file in (ITEMS, LINEAGE, REJECTS)}
        changed = [file for file, content in contents.items() if report["files"][file] != _sha256(content)]
        if changed:
            raise DriftgateError(f"{folder / changed[0]} was changed since it was written", _MAKE)
        rows, lineages, rejects = map(_parsed, contents.values())
        clusters = report["clusters"]
        return CoverageDataset(
            tuple(_item(row, lineage) for row, lineage in zip(rows, lineages, strict=True)),
            {(cell["slice"], cell["label"], cell["phrasing"]): cell["count"] for cell in report["coverage"]},
            report["generated"],
            tuple(Dropped(**dropped) for dropped in report["dropped"]),
            report["surplus"],
            report["redactions"],
            report["config_hash"],
            report["seed"],
            tuple(Reject(**reject) for reject in rejects),
            None if clusters is None else Coverage(tuple(map(_cluster, clusters)), {}),
            tuple(Skipped(**one) for one in report["unread"]),
            Spent(**report["spent"]),
            report["materials"],
        )
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DriftgateError(f"the synthetic set in {folder} cannot be read: {problem}", _MAKE) from problem


def _parsed(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.decode().split("\n") if line]  # a text may hold other line breaks


def _cluster(told: Mapping[str, Any]) -> Cluster:
    return Cluster(**{**told, "keywords": tuple(told["keywords"])})


def _reject(reject: Reject) -> dict[str, Any]:
    """As JSON values; what a model said may hold personal data, which no filter has looked at."""
    text, reason = redact(reject.text[:_SHOWN]).text, redact(reject.reason).text
    return {**asdict(reject), "text": text, "reason": reason}


def as_row(item: Candidate) -> dict[str, Any]:
    """Everything of an item that a set's file holds, a worse answer and its slice included."""
    wrong = {"wrong": item.wrong} if item.wrong else {}
    return {"id": item.content_hash, "category": item.slice, **item.data, "text": item.text, **wrong}


def _item(row: Mapping[str, Any], lineage: Mapping[str, Any]) -> Candidate:
    turns = tuple((turn["inputs"]["question"], turn["outputs"]["answer"]) for turn in row.get("chat_history", ()))
    item = Candidate(
        row["question"],
        tuple(row.get("choices", ())),
        row["answer"],
        text=row["text"],
        passage=row.get("passage", ""),
        turns=turns,
        wrong=row.get("wrong", ""),
        prompt_hash=lineage["prompt_hash"],
        cluster=lineage["cluster"],
        **{name: lineage[name] for name in _LINEAGE},
    )
    if item.content_hash != lineage["content_hash"]:
        raise ValueError(f"the item '{row.get('id')}' is not the one whose lineage stands beside it")
    return item


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lines(values: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values).encode("utf-8", "replace")
