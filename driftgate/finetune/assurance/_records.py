"""The texts of items, sources and held-out records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from driftgate.finetune.firewall import Item, text_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import composed_value

_TEXTS = (".txt", ".md", ".jsonl", ".json")


def learnt_of(item: Item) -> str:
    """What a model learns of an item: everything but a passage that is shown with it.

    Examples
    --------
    >>> learnt_of({"question": "며칠 안에?", "choices": ["7일", "30일"], "passage": "반품은 7일 안에."}).split("\\n")
    ['며칠 안에?', '7일', '30일']
    """
    return item if isinstance(item, str) else text_of({key: value for key, value in item.items() if key != "passage"})


def read_texts(path: Path) -> list[str]:
    """The texts of a file, or of every file of a folder: a text or Markdown file is one, each line of JSON is one.

    Raises
    ------
    DriftgateError
        There is nothing to read, or something that is no text.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in _TEXTS and p.is_file())
    found = [text for file in files for text in _of_file(file) if text.strip()]
    if not found:
        raise DriftgateError(f"{path} holds no text", f"name a file, or a folder with files {', '.join(_TEXTS)}")
    return found


def read_records(path: Path) -> list[Mapping[str, Any]]:
    """The objects of a file of JSON Lines.

    Raises
    ------
    DriftgateError
        It cannot be read, or a line is no JSON object; the line is named.
    """
    rows: list[Mapping[str, Any]] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                row = composed_value(json.loads(line))
            except (ValueError, RecursionError) as problem:
                raise DriftgateError(f"{path}, line {number} is not JSON", "mend the line") from problem
            if not isinstance(row, dict):
                raise DriftgateError(f"{path}, line {number} is not a JSON object", "write one object a line")
            rows.append(row)
    if not rows:
        raise DriftgateError(f"{path} holds no item", "write one JSON object a line")
    return rows


def _of_file(file: Path) -> Iterator[str]:
    if file.suffix in (".jsonl", ".json"):
        yield from (text_of(row) for row in read_records(file))
    else:
        yield _text(file)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise DriftgateError(f"cannot read {path}: {problem.strerror}", "correct the path") from problem
    except UnicodeDecodeError as problem:
        raise DriftgateError(f"{path} is not UTF-8 (byte {problem.start})", "convert it to UTF-8") from problem
