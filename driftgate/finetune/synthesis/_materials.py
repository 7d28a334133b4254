"""Read raw material, taking personal data out of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from driftgate.benchmarks.datasets._rows import csv_rows
from driftgate.finetune.privacy import Redacted, redact
from driftgate.finetune.synthesis._config import (
    DocumentsSource,
    ExamplesSource,
    PromptsSource,
    QuestionsSource,
    Source,
    TemplatesSource,
)
from driftgate.finetune.synthesis._labels import without_personal_labels
from driftgate.finetune.synthesis._values import Material
from driftgate.flows.documents import Skipped, Undecodable, decode, pieces, read_texts
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.letters import LETTERS
from driftgate.flows.text import as_name, composed_value, on_disk

TakeOut = Callable[[str], Redacted]
"""Takes personal data out of a text."""


def as_it_is(text: str) -> Redacted:
    """The text with all that is in it."""
    return Redacted(text, ())


_ROWS = (".jsonl", ".csv")


def read_materials(
    source: Source, folder: Path, take_out: TakeOut = redact, unread: list[Skipped] | None = None
) -> list[Material]:
    """Read the material of a source; every text and every label is redacted before anything else sees it.

    Parameters
    ----------
    take_out : callable
        Takes personal data out of each text; in labels, names of files included, placeholders stand for it. With
        :func:`as_it_is` the material is only looked at, and nothing of it leaves the process.
    unread : list, optional
        Gets the files of a folder that are not read, with the reason.

    Raises
    ------
    DriftgateError
        A file is absent, empty or malformed; file and line are named.
    """
    skipped: list[Skipped] = []
    if isinstance(source, TemplatesSource):
        found = list(_templates(source, take_out))
    elif isinstance(source, ExamplesSource):
        found = list(_examples(source, on_disk(folder / source.path), take_out))
    elif isinstance(source, QuestionsSource):
        found = list(_questions(source, on_disk(folder / source.path), take_out))
    elif isinstance(source, PromptsSource):
        found = list(_prompts(source, on_disk(folder / source.path), take_out))
    else:
        made = list(_documents(source, on_disk(folder / source.path), take_out))
        found = [one for one in made if isinstance(one, Material)]
        skipped = [one for one in made if isinstance(one, Skipped)]
        if unread is not None:
            unread += skipped
    if not found:
        said = f" ({'; '.join(f'{one.path}: {one.reason}' for one in skipped[:3])})" if skipped else ""
        raise DriftgateError(f"the {source.kind} of the synthesis hold no text{said}", "check the source's path")
    return found if take_out is as_it_is else without_personal_labels(found)


def read_prompts(path: Path) -> list[Material]:
    """Prompts of a file, without personal data; see :class:`PromptsSource`.

    Raises
    ------
    DriftgateError
        The file is absent, empty or malformed.
    """
    found = list(_prompts(PromptsSource(kind="prompts", path=str(path)), path, redact))
    if not found:
        raise DriftgateError(f"{path} holds no prompt", "write one JSON object a line, with 'prompt'")
    return without_personal_labels(found)


def label_names(source: ExamplesSource | TemplatesSource, materials: list[Material] | None = None) -> list[str]:
    """What the choices of a source are, in their order."""
    return list(source.labels.values()) or sorted({material.label for material in materials or ()})


def _material(take_out: TakeOut, id: str, kind: str, raw: str, slice: str, label: str = "") -> Material:
    redacted = take_out(raw)
    return Material(id, kind, redacted.text.strip(), slice, label, len(redacted.findings))


def _templates(source: TemplatesSource, take_out: TakeOut) -> Iterator[Material]:
    for label, phrasings in source.templates.items():
        for place, phrasing in enumerate(phrasings):
            name = _label(source, label, "templates")
            yield _material(take_out, f"templates:{label}:{place}", "templates", phrasing, source.slice, name)


def _examples(source: ExamplesSource, path: Path, take_out: TakeOut) -> Iterator[Material]:
    for place, row in _json_lines(path):
        where = f"{path}, line {place}"
        text, label = _text(row, "text", where), _text(row, "label", where)
        slice = as_name(str(row.get("slice") or source.slice))
        yield _material(
            take_out, f"{path.name}:{place}", "examples", text, slice, _label(source, as_name(label), where)
        )


def _questions(source: QuestionsSource, path: Path, take_out: TakeOut) -> Iterator[Material]:
    for place, row in _json_lines(path):
        where = f"{path}, line {place}"
        choices, answer = row.get("choices") or [], _text(row, "answer", where).strip()
        if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
            raise DriftgateError(f"{where} has no list of texts under 'choices'", "every line needs it")
        if choices and answer not in LETTERS[: len(choices)]:
            raise DriftgateError(f"{where} has the answer '{answer}'", "write the letter of the right choice")
        right = choices[LETTERS.index(answer)] if choices else answer
        texts = (_text(row, "question", where), str(row.get("passage") or ""), right, *choices)
        parts = [take_out(part) for part in texts]
        question, passage, clean_right, *clean = (part.text.strip() for part in parts)
        turns, redactions = _turns(row.get("chat_history") or [], take_out, where)
        yield Material(
            f"{path.name}:{place}",
            "questions",
            question,
            as_name(str(row.get("category") or source.slice)),
            clean_right,
            sum(len(part.findings) for part in parts) + redactions,
            tuple(clean),
            passage or source.passage,
            turns,
        )


def _prompts(source: PromptsSource, path: Path, take_out: TakeOut) -> Iterator[Material]:
    for place, row in _json_lines(path):
        where = f"{path}, line {place}"
        said = row.get("messages")
        if isinstance(said, list):
            last = said[-1] if said and isinstance(said[-1], dict) else {}
            if last.get("role") != "user":
                raise DriftgateError(f"{where}: its messages do not end with a user's", "leave the reply out")
            raw, before = _text(last, "content", where), said[:-1]
        else:
            name = next((name for name in ("prompt", "question", "text") if row.get(name)), "prompt")
            raw, before = _text(row, name, where), row.get("chat_history") or []
        redacted = take_out(raw)
        turns, redactions = _turns(before, take_out, where)
        yield Material(
            f"{path.name}:{place}",
            "prompts",
            redacted.text.strip(),
            as_name(str(row.get("slice") or row.get("category") or source.slice)),
            "",
            len(redacted.findings) + redactions,
            passage=source.passage,
            turns=turns,
        )


def _turns(said: Any, take_out: TakeOut, where: str) -> tuple[tuple[tuple[str, str], ...], int]:
    """Pairs of what was said, without personal data: as OpenAI writes turns, or as prompt flow's chat history.

    What a system was told is left out: a flow has a system prompt of its own.
    """
    words: list[str] = []
    for turn in said if isinstance(said, list) else [said]:
        given = turn if isinstance(turn, dict) else {}
        if isinstance(asked := given.get("inputs"), dict) and isinstance(answered := given.get("outputs"), dict):
            words += [_text(asked, "question", where), _text(answered, "answer", where)]
        elif given.get("role") != "system":
            if given.get("role") != ("assistant" if len(words) % 2 else "user"):
                raise DriftgateError(
                    f"{where} has turns that are not a user's and an assistant's by turns", "mend them"
                )
            words.append(_text(given, "content", where))
    if len(words) % 2:
        raise DriftgateError(f"{where}: the turns before its question do not end with an assistant's", "mend them")
    clean = [take_out(text) for text in words]
    texts = [one.text.strip() for one in clean]
    return tuple(zip(texts[::2], texts[1::2], strict=True)), sum(len(one.findings) for one in clean)


def _label(source: ExamplesSource | TemplatesSource, label: str, where: str) -> str:
    if source.labels and label not in source.labels:
        raise DriftgateError(f"{where} has the label '{label}'", nearest(label, source.labels))
    return source.labels.get(label, label)


def _documents(source: DocumentsSource, path: Path, take_out: TakeOut) -> Iterator[Material | Skipped]:
    if not path.exists():
        raise DriftgateError(f"there are no documents at {path}", "correct the path of the source")
    within = path.parent if path.is_file() else path
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.suffix.lower() in _ROWS and file.is_file():
            yield from _table(source, file, within, _slice_of(source, file, path), take_out)
    if path.suffix.lower() in _ROWS:
        return
    found, skipped, empty = read_texts(path)
    if path.is_file() and skipped:
        raise DriftgateError(f"{path} cannot be read: {skipped[0].reason}", "name a document of another kind")
    yield from (one for one in (*skipped, *empty) if Path(one.path).suffix.lower() not in _ROWS)
    for one, text in found:
        yield from _pieces(take_out, one.path, text, _slice_of(source, within / one.path, path), source.longest)


def _table(
    source: DocumentsSource, file: Path, within: Path, slice: str, take_out: TakeOut
) -> Iterator[Material | Skipped]:
    """The rows of a file, each a document."""
    shown = file.relative_to(within)
    name = shown.as_posix()
    if any(part.startswith(".") for part in shown.parts):
        yield Skipped(name, name, "it is hidden")
        return
    if not file.resolve().is_relative_to(within.resolve()):
        raise DriftgateError(f"the document {file} is a link out of its folder", "put the document itself there")
    rows = list(_document_rows(file))
    if not rows:
        yield Skipped(name, name, "it holds no row")
    for place, row, text in rows:
        own = as_name(str(row.get("slice") or slice))
        yield from _pieces(take_out, f"{name}:{place}", text, own, source.longest)


def _document_rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    """Each row that says something, with its line and its text: what stands under ``text``, else all columns."""
    for place, row in _json_lines(file) if file.suffix.lower() == ".jsonl" else _csv_rows(file):
        if file.suffix.lower() == ".jsonl" or "text" in row:
            yield place, row, _text(row, "text", f"{file}, line {place}")
        elif said := "\n".join(f"{column}: {value}" for column, value in row.items() if str(value or "").strip()):
            yield place, row, said


def _slice_of(source: DocumentsSource, file: Path, path: Path) -> str:
    return source.slice or as_name(file.stem if file.parent == path or path.is_file() else file.parent.name)


def _pieces(take_out: TakeOut, name: str, text: str, slice: str, longest: int) -> Iterator[Material]:
    """A document as one piece, or where it is longer as several, cut at paragraphs."""
    if len(text) <= longest:
        yield _material(take_out, name, "documents", text, slice)
        return
    joined: list[list[str]] = []
    for cut in pieces(text, longest):
        heading, _, rest = cut.text.partition("\n")
        before = joined[-1] if joined else []
        again = rest if before and rest and before[-1].partition("\n")[0] == heading else cut.text
        if before and sum(len(part) + 2 for part in before) + len(again) <= longest:
            before.append(again)
        else:
            joined.append([cut.text])
    for number, parts in enumerate(joined, start=1):
        yield _material(take_out, f"{name}#{number}", "documents", "\n\n".join(parts), slice)


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of a file with a header, with the line on which each begins; a column without a name is left out."""
    for row in csv_rows(path, _read(path)):
        yield row.line or row.number, {name: value for name, value in row.values.items() if name}


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
        return decode(path.read_bytes()).text
    except OSError as problem:
        raise DriftgateError(f"cannot read {path}: {problem.strerror}", "correct the path of the source") from problem
    except Undecodable as problem:
        raise DriftgateError(f"{path} cannot be read: {problem}", "convert it to UTF-8") from problem


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DriftgateError(f"{where} has no text under '{key}'", "every line needs it")
    return value
