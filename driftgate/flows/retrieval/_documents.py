"""A folder of text files, cut into passages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from driftgate.flows.errors import DriftgateError
from driftgate.flows.retrieval._retriever import Passage
from driftgate.flows.text import as_name

SUFFIXES = (".md", ".txt")
_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_LARGEST = 16 * 2**20
"""Bytes of a document, at most."""


def read_passages(folder: Path, longest: int) -> tuple[Passage, ...]:
    """Cut every document under ``folder`` into passages, in the order of their paths.

    A passage is one paragraph; a paragraph of more than ``longest`` characters is cut between sentences. Headings
    (``# ...``) are no passages of their own: the last one before a paragraph stands above it.

    Raises
    ------
    DriftgateError
        There is no document, or one of them leaves the folder by a link, is not UTF-8 or is too large.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    passages = [passage for file in files for passage in _passages_of(file, folder, longest)]
    if not passages:
        raise DriftgateError(f"there is no text in {folder}", f"put documents there ({' or '.join(SUFFIXES)}, UTF-8)")
    if (twice := len(passages) - len({p.id for p in passages})) > 0:
        raise DriftgateError(f"{twice} passages in {folder} share an id", "give files that differ in suffix two names")
    return tuple(passages)


def _passages_of(file: Path, folder: Path, longest: int) -> Iterator[Passage]:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise DriftgateError(f"the document {file} is a link out of its folder", "put the document itself there")
    if file.stat().st_size > _LARGEST:
        raise DriftgateError(f"the document {file} has more than {_LARGEST >> 20} MiB", "cut it into several files")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DriftgateError(f"the document {file} is not UTF-8", "save it anew as UTF-8") from problem
    document = as_name(file.relative_to(folder).with_suffix("").as_posix())  # samples name it as relevant
    for number, piece in enumerate(_pieces(unicodedata.normalize("NFC", text), longest), start=1):
        yield Passage(f"{document}#{number}", document, piece)


def _pieces(text: str, longest: int) -> Iterator[str]:
    heading = ""
    for block in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in block.strip().splitlines()]
        while lines and lines[0].startswith("#"):
            heading = lines.pop(0).lstrip("# ")
        paragraph = " ".join(filter(None, lines))
        for piece in cut(paragraph, longest) if paragraph else ():
            yield f"{heading}\n{piece}" if heading else piece


def cut(paragraph: str, longest: int) -> list[str]:
    """Cut a paragraph between sentences into pieces of at most ``longest`` characters; a sentence is never cut.

    Examples
    --------
    >>> cut("연차는 17일이다. 병가는 12일이다. 신청은 사흘 전이다.", 24)
    ['연차는 17일이다. 병가는 12일이다.', '신청은 사흘 전이다.']
    """
    pieces: list[str] = []
    for sentence in _SENTENCE.split(paragraph):
        if pieces and len(pieces[-1]) + 1 + len(sentence) <= longest:
            pieces[-1] = f"{pieces[-1]} {sentence}"
        else:
            pieces.append(sentence)
    return pieces
