"""What became of the files of a folder: read, skipped and why, the same twice, and how long the pieces are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 5
_KEPT = 200
"""Files of a list that a run's record names."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read."""

    path: str
    """Within the folder, as it is spelt."""
    document: str
    """The document's id."""
    form: str
    """``text``, ``html`` or ``pdf``."""
    encoding: str
    """``UTF-8``, ``UTF-16``, ``CP949``; empty of a PDF."""
    characters: int
    passages: int
    note: str = ""
    """What of it was not read, in words."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read."""

    path: str
    document: str
    """The id that it would have had."""
    reason: str


@dataclass(frozen=True)
class Ingest:
    """What became of the files of a folder."""

    read: Sequence[ReadFile]
    skipped: Sequence[Skipped]
    empty: Sequence[Skipped]
    """Files in which no text stands."""
    same: Sequence[tuple[str, ...]]
    """Groups of documents that hold the same words."""
    alike: Sequence[tuple[str, str, float]]
    """Pairs of documents that hold nearly the same words, and the share of their shingles that both have."""
    passages: int
    longest: int
    """Characters of the longest passage."""
    longest_id: str
    torn: int
    """Passages that were cut within a sentence, a row or a line."""
    parted: int
    """Passages that are a part of a table or of a code block."""

    @property
    def encodings(self) -> dict[str, int]:
        """Number of files by encoding."""
        return dict(Counter(one.encoding for one in self.read if one.encoding))

    @property
    def summary(self) -> str:
        """In one line."""
        parts = [f"{len(self.read)} documents, {self.passages} passages", f"the longest has {self.longest} characters"]
        if unlike := {name: n for name, n in self.encodings.items() if name != "UTF-8"}:
            parts.append(", ".join(f"{n} in {name}" for name, n in sorted(unlike.items())))
        for files, what in ((self.skipped, "files skipped"), (self.empty, "without text")):
            if files:
                parts.append(f"{len(files)} {what}")
        if self.same or self.alike:
            parts.append(f"{len(self.same)} groups the same, {len(self.alike)} pairs nearly so")
        return "; ".join(parts)

    @property
    def doubts(self) -> list[str]:
        """What somebody ought to look at, a sentence each."""
        said = []
        for files, what in ((self.skipped, "not read"), (self.empty, "without text")):
            if files:
                said.append(f"{len(files)} files are {what}: {_listed([f'{f.path} ({f.reason})' for f in files])}")
        if noted := [f"{one.path} ({one.note})" for one in self.read if one.note]:
            said.append(f"{len(noted)} files are read in part: {_listed(noted)}")
        if self.same:
            groups = [" = ".join(group) for group in self.same]
            said.append(f"the same words stand in several documents: {_listed(groups)}")
        if self.alike:
            pairs = [f"{one} and {other} ({share:.0%})" for one, other, share in self.alike]
            said.append(f"documents are nearly the same: {_listed(pairs)}")
        if self.torn:
            said.append(
                f"{self.torn} passages are cut within a sentence, a row or a line, which are longer than allowed"
            )
        return said

    def as_json(self) -> dict[str, Any]:
        """For the run's record: all counts, and of each list as much as a person reads."""
        return {
            "read": len(self.read),
            "not_read": len(self.skipped),
            "without_text": len(self.empty),
            "skipped": [asdict(one) for one in self.skipped[:_KEPT]],
            "empty": [asdict(one) for one in self.empty[:_KEPT]],
            "in_part": [asdict(one) for one in self.read if one.note][:_KEPT],
            "same": [list(group[:_KEPT]) for group in self.same[:_KEPT]],
            "alike": [list(pair) for pair in self.alike[:_KEPT]],
            "encodings": self.encodings,
            "passages": self.passages,
            "longest": self.longest,
            "longest_id": self.longest_id,
            "torn": self.torn,
            "parted": self.parted,
            "summary": self.summary,
            "doubts": self.doubts,
        }


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "; ".join(names[:_SHOWN]) + more
