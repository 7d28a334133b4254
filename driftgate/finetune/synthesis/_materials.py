"""Read raw material, taking personal data out of it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from driftgate.finetune.privacy import RULES, Rule, redact
from driftgate.finetune.synthesis._config import (
    DocumentsSource,
    ExamplesSource,
    QuestionsSource,
    Source,
    TemplatesSource,
)
from driftgate.finetune.synthesis._values import Material
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.letters import LETTERS
from driftgate.flows.text import as_name, composed_value, on_disk

Rules = tuple[Rule, ...]


def read_materials(source: Source, folder: Path, rules: Rules = RULES) -> list[Material]:
    """Read the material of a source; every text is redacted before anything else sees it.

    Parameters
    ----------
    rules : tuple of Rule
        What is taken out. None: the material is only looked at, and nothing of it leaves the process.

    Raises
    ------
    DriftgateError
        A file is absent, empty or malformed; file and line are named.
    """
    if isinstance(source, TemplatesSource):
        found = list(_templates(source, rules))
    elif isinstance(source, ExamplesSource):
        found = list(_examples(source, on_disk(folder / source.path), rules))
    elif isinstance(source, QuestionsSource):
        found = list(_questions(source, on_disk(folder / source.path), rules))
    else:
        found = list(_documents(source, on_disk(folder / source.path), rules))
    if not found:
        raise DriftgateError(f"the {source.kind} of the synthesis hold no text", "check the source's path")
    return found


def label_names(source: ExamplesSource | TemplatesSource, materials: list[Material] | None = None) -> list[str]:
    """What the choices of a source are, in their order."""
    return list(source.labels.values()) or sorted({material.label for material in materials or ()})


def _material(rules: Rules, id: str, kind: str, raw: str, slice: str, label: str = "") -> Material:
    redacted = redact(raw, rules)
    return Material(id, kind, redacted.text.strip(), slice, label, len(redacted.findings))


def _templates(source: TemplatesSource, rules: Rules) -> Iterator[Material]:
    for label, phrasings in source.templates.items():
        for place, phrasing in enumerate(phrasings):
            name = _label(source, label, "templates")
            yield _material(rules, f"templates:{label}:{place}", "templates", phrasing, source.slice, name)


def _examples(source: ExamplesSource, path: Path, rules: Rules) -> Iterator[Material]:
    for place, row in _json_lines(path):
        where = f"{path}, line {place}"
        text, label = _text(row, "text", where), _text(row, "label", where)
        slice = as_name(str(row.get("slice") or source.slice))
        yield _material(rules, f"{path.name}:{place}", "examples", text, slice, _label(source, as_name(label), where))


def _questions(source: QuestionsSource, path: Path, rules: Rules) -> Iterator[Material]:
    for place, row in _json_lines(path):
        where = f"{path}, line {place}"
        choices, answer = row.get("choices"), _text(row, "answer", where).strip()
        if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
            raise DriftgateError(f"{where} has no list of texts under 'choices'", "every line needs it")
        if answer not in LETTERS[: len(choices)]:
            raise DriftgateError(f"{where} has the answer '{answer}'", "write the letter of the right choice")
        parts = [
            redact(part, rules) for part in (_text(row, "question", where), str(row.get("passage") or ""), *choices)
        ]
        question, passage, *clean = (part.text.strip() for part in parts)
        yield Material(
            f"{path.name}:{place}",
            "questions",
            question,
            as_name(str(row.get("category") or source.slice)),
            clean[LETTERS.index(answer)],
            sum(len(part.findings) for part in parts),
            tuple(clean),
            passage or source.passage,
        )


def _label(source: ExamplesSource | TemplatesSource, label: str, where: str) -> str:
    if source.labels and label not in source.labels:
        raise DriftgateError(f"{where} has the label '{label}'", nearest(label, source.labels))
    return source.labels.get(label, label)


def _documents(source: DocumentsSource, path: Path, rules: Rules) -> Iterator[Material]:
    if not path.exists():
        raise DriftgateError(f"there are no documents at {path}", "correct the path of the source")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".md", ".txt", ".jsonl"))
    for file in files:
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        own_slice = source.slice or as_name(file.stem if file.parent == path or path.is_file() else file.parent.name)
        if file.suffix == ".jsonl":
            for place, row in _json_lines(file):
                text = _text(row, "text", f"{file}, line {place}")
                yield _material(
                    rules, f"{name}:{place}", "documents", text, as_name(str(row.get("slice") or own_slice))
                )
        elif text := _read(file).strip():
            yield _material(rules, name, "documents", text, own_slice)


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for place, line in enumerate(_read(path).split("\n"), start=1):  # U+2028 may stand inside a JSON string
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as problem:
                raise DriftgateError(f"{path}, line {place} is not JSON: {problem.msg}", "mend the line") from problem
            if not isinstance(row, dict):
                raise DriftgateError(f"{path}, line {place} is not a JSON object", "write one object a line")
            yield place, composed_value(row)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise DriftgateError(f"cannot read {path}: {problem.strerror}", "correct the path of the source") from problem
    except UnicodeDecodeError as problem:
        raise DriftgateError(f"{path} is not UTF-8 (byte {problem.start})", "convert it to UTF-8") from problem


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DriftgateError(f"{where} has no text under '{key}'", "every line needs it")
    return value
