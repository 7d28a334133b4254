"""The texts of items, sources and held-out records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from driftgate.finetune.assurance._reading import has_text, keys_in, texts_in
from driftgate.finetune.firewall import Item
from driftgate.finetune.privacy import redact
from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import composed_value

_ROWS = (".jsonl", ".json")
_TEXTS = (".txt", ".md", ".markdown", ".csv", ".tsv", *_ROWS)
_SHOWN = 3
_BESIDE = ("id", "category", "lineage")


def whole_text(item: Item) -> str:
    """Everything that stands in an item; see :func:`texts_in`."""
    return "\n".join(texts_in(item))


def learnt_of(item: Item) -> str:
    """What a model learns of an item: everything but a passage that is shown with it.

    Examples
    --------
    >>> learnt_of({"question": "며칠 안에?", "choices": ["7일", "30일"], "passage": "반품은 7일 안에."}).split("\\n")
    ['며칠 안에?', '7일', '30일']
    """
    return _but(item, ("passage",))


def compared_of(item: Item) -> str:
    """What is compared with whole records: what a model learns, without what an item is called and comes from."""
    return _but(item, ("passage", *_BESIDE))


def _but(item: Item, keys: tuple[str, ...]) -> str:
    if isinstance(item, str) or not has_text({key: value for key, value in item.items() if key not in keys}):
        return whole_text(item)  # a passage alone is what is learnt
    return "\n".join(texts_in(item, keys))


def read_texts(path: Path) -> list[str]:
    """The texts of a file, or of every file of a folder: a text or Markdown file is one, each line of JSON is one.

    Raises
    ------
    DriftgateError
        There is nothing there or nothing to read, or a file that cannot be read: what was not read was not compared.
    """
    if not path.exists():
        raise DriftgateError(f"there is no file or folder {path}", "correct the path, or write it first")
    files = [path] if path.is_file() else _files(path)
    found = [text for file in files for text in _of_file(file) if text.strip()]
    if not found:
        raise DriftgateError(f"{path} holds no text", f"name a file, or a folder with files {', '.join(_TEXTS)}")
    return found


def _files(folder: Path) -> list[Path]:
    """The files of a folder, hidden ones left out."""
    names = (path for path in folder.rglob("*") if path.is_file())
    files = sorted(path for path in names if not any(part[0] == "." for part in path.relative_to(folder).parts))
    other = [path for path in files if path.suffix.lower() not in _TEXTS]
    if other:
        told = ", ".join(redact(path.name).text for path in other[:_SHOWN])
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        raise DriftgateError(
            f"{len(other)} files of {folder} cannot be read, so that nothing could be compared with them: {told}{more}",
            f"save their text as {', '.join(_TEXTS)}, or put them elsewhere",
        )
    return files


def read_records(path: Path) -> list[Mapping[str, Any]]:
    """The objects of a file of JSON Lines.

    Raises
    ------
    DriftgateError
        It cannot be read, or a line is no JSON object or holds no text; the line and its keys are named.
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
            if not has_text(row):
                keys = ", ".join(dict.fromkeys(redact(key).text for key in keys_in(row))) or "none"
                raise DriftgateError(
                    f"{path}, line {number} holds no text, so nothing of it could be measured; its keys: {keys}",
                    "write what is to be learnt as text, or leave the line out",
                )
            rows.append(row)
    if not rows:
        raise DriftgateError(f"{path} holds no item", "write one JSON object a line")
    return rows


def _of_file(file: Path) -> Iterator[str]:
    if file.suffix.lower() in _ROWS:
        yield from (whole_text(row) for row in read_records(file))
    else:
        yield _text(file)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise DriftgateError(f"cannot read {path}: {problem.strerror}", "correct the path") from problem
    except UnicodeDecodeError as problem:
        raise DriftgateError(f"{path} is not UTF-8 (byte {problem.start})", "convert it to UTF-8") from problem
