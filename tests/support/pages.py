"""What README.md and the pages of docs/ show: their blocks, and the command lines in them and in their sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))

_FENCE = re.compile(r"^(`{3,})([^\s`]*)\s*$")
_STARTS = re.compile(r"^(?:\$ )?(?=(?:[A-Z_]+=(?:\"[^\"]*\"|\S*) )*(?:driftgate|make)(?: |$)|python -m benchmarks\.)")
_SPAN = re.compile(r"(?<!`)`((?:driftgate|make|python -m benchmarks\.)[^`]*)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced or indented block of a page."""

    page: str
    line: int
    """Where its first line stands, from 1."""
    language: str
    """What the fence says it is; ``indented`` of a block without a fence."""
    text: str

    @property
    def place(self) -> str:
        """Page and line, as an editor takes them."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line of a page."""

    page: str
    line: int
    text: str
    """As it stands, without the prompt and what is remarked behind it."""

    @property
    def words(self) -> list[str]:
        """The words that a shell makes of it; what stands in brackets may be left out, and is taken."""
        taken = re.sub(r"\[(?=[-,])([^][]*)\]", r"\1", self.text)
        return shlex.split(taken.replace("...", ""))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that are set before the command."""
        found = [word.partition("=") for word in self.words]
        return {name: value for name, sign, value in found[: self._first] if sign}

    @property
    def arguments(self) -> list[str]:
        """The words, from the name of the program on."""
        return self.words[self._first :]

    @property
    def _first(self) -> int:
        return next(place for place, word in enumerate(self.words) if not re.match(r"[A-Z_]+=", word))


def text_of(page: str) -> str:
    """A page as it stands in the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, text: str | None = None) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    lines = (text_of(page) if text is None else text).split("\n")
    place = 0
    while place < len(lines):
        fence = _FENCE.match(lines[place])
        indented = lines[place].startswith("    ") and (place == 0 or not lines[place - 1].strip())
        end = place + 1
        if fence:
            while end < len(lines) and lines[end] != fence[1]:
                end += 1
            yield Block(page, place + 2, fence[2], "\n".join(lines[place + 1 : end]) + "\n")
        elif indented:
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            yield Block(page, place + 1, "indented", "".join(f"{line[4:]}\n" for line in lines[place:end]))
        place = end + 1 if fence else end


def commands(page: str, text: str | None = None) -> Iterator[Command]:
    """The command lines in the blocks of a page."""
    for block in blocks(page, text):
        for place, line in enumerate(block.text.splitlines()):
            if start := _STARTS.match(line):
                yield Command(page, block.line + place, _unremarked(line[start.end() :]))


def mentions(page: str) -> Iterator[Command]:
    """The command lines in the sentences of a page: whole ones, or as much of one as is spoken of."""
    text = text_of(page)
    for found in _SPAN.finditer(text):
        yield Command(page, text.count("\n", 0, found.start()) + 1, " ".join(found[1].split()))


def _unremarked(line: str) -> str:
    return re.sub(r"\s+#.*$", "", line).strip()
