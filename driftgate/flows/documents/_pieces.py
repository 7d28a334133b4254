"""A document's text, cut into pieces of bounded length: paragraphs, and tables and code blocks as wholes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s+|$)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_LEAST_LEFT = 0.5
"""Of the length, what a heading leaves at the least."""

Form = Literal["prose", "table", "code"]


class Block(NamedTuple):
    """What stands between blank lines, or a table, or what is fenced off as code."""

    form: Form
    lines: list[str]


class Cut(NamedTuple):
    """A piece of a text."""

    text: str
    torn: bool
    """Whether it ends or begins within a sentence, a row or a line, which was longer than a piece may be."""
    parted: bool
    """Whether it is a part of a table or a code block, which was."""


def pieces(text: str, longest: int) -> Iterator[Cut]:
    """Cut a text into pieces of at most ``longest`` characters.

    The last heading before a paragraph stands above it and counts; a heading that would take more than half of a piece
    is cut off. A table that is too long is cut between rows and keeps its head in every part, a code block between
    lines, a paragraph between sentences, and what is still too long between words, or else anywhere.

    Examples
    --------
    >>> [piece.text for piece in pieces("# 휴가\\n연차는 17일이다.\\n\\n병가는 12일이다.", 40)]
    ['휴가\\n연차는 17일이다.', '휴가\\n병가는 12일이다.']
    """
    heading = ""
    for block in _blocks(text):
        if isinstance(block, str):
            heading = block[: int(longest * _LEAST_LEFT) - 1].rstrip()
            continue
        room = longest - len(heading) - 1 if heading else longest
        for cut in _cuts(block, room):
            yield cut._replace(text=f"{heading}\n{cut.text}") if heading else cut


def _blocks(text: str) -> Iterator[Block | str]:
    """Blocks, and headings as texts, in their order."""
    lines = text.splitlines()
    waiting: list[str] = []
    number = 0

    def prose() -> Iterator[Block]:
        if any(line.strip() for line in waiting):
            yield Block("prose", [line.strip() for line in waiting if line.strip()])
        waiting.clear()

    while number < len(lines):
        line = lines[number]
        if fence := _FENCE.match(line):
            end = _end_of_fence(lines, number + 1, fence[1])
            yield from prose()
            if any(inner.strip() for inner in lines[number + 1 : end]):
                yield Block("code", [inner.rstrip() for inner in lines[number : end + 1]])
            number = end + 1
        elif (end := _end_of_table(lines, number)) > number:
            yield from prose()
            yield Block("table", [row.strip() for row in lines[number:end]])
            number = end
        else:
            if found := _HEADING.match(line):
                yield from prose()
                yield line[found.end() :].strip().rstrip("#").rstrip()
            elif line.strip():
                waiting.append(line)
            else:
                yield from prose()
            number += 1
    yield from prose()


def _end_of_fence(lines: Sequence[str], begin: int, fence: str) -> int:
    """The line that closes a fence; the last where none does."""
    for number in range(begin, len(lines)):
        closing = lines[number].strip()
        if len(closing) >= len(fence) and set(closing) == {fence[0]}:
            return number
    return len(lines) - 1


def _end_of_table(lines: Sequence[str], begin: int) -> int:
    """The line after a table that begins at ``begin``; ``begin`` where none does."""
    first = lines[begin].strip()
    headed = begin + 1 < len(lines) and "|" in first and "|" in lines[begin + 1] and _RULE.match(lines[begin + 1])
    if not headed and not (first.startswith("|") and first.count("|") > 1):
        return begin
    end = begin
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end if end > begin + 1 else begin


def _cuts(block: Block, room: int) -> Iterator[Cut]:
    if block.form == "prose":
        whole = " ".join(block.lines)
        for text, torn in _joined([(s, " ") for s in _SENTENCE.split(whole)], room, ""):
            yield Cut(text, torn, False)
        return
    whole = "\n".join(block.lines)
    if len(whole) <= room:
        yield Cut(whole, False, False)
        return
    head = ""
    rows = block.lines
    if block.form == "table" and len(rows) > 2 and _RULE.match(rows[1]):
        kept = f"{rows[0]}\n{rows[1]}"
        if len(kept) <= room // 2:
            head, rows = kept, rows[2:]
    for text, torn in _joined([(row, "\n") for row in rows], room, head):
        yield Cut(text, torn, True)


def _joined(parts: Sequence[tuple[str, str]], room: int, head: str) -> Iterator[tuple[str, bool]]:
    """As many parts together as there is room for, each time under ``head``, and whether one was torn."""
    room = room - len(head) - 1 if head else room
    above = f"{head}\n" if head else ""
    current = ""
    for part, joint in parts:
        if current and len(current) + len(joint) + len(part) > room:
            yield above + current, False
            current = ""
        if len(part) > room:
            for shred in _shreds(part, room):
                yield above + shred, True
        else:
            current = f"{current}{joint}{part}" if current else part
    if current:
        yield above + current, False


def _shreds(text: str, room: int) -> list[str]:
    """A text for which there is no room, cut between words, or where a word is too long, anywhere."""
    found = []
    while len(text) > room:
        at = text.rfind(" ", room // 2, room + 1)
        at = room if at <= 0 else at
        found.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [shred for shred in [*found, text] if shred]
