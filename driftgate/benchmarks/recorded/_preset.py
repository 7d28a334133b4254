"""Layouts of recorded files that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from driftgate.flows.registry import Registry


def _as_it_stands(category: str) -> str:
    return category


def _id_alone(category: str, id: str) -> str:
    return id


@dataclass(frozen=True)
class Benchmark:
    """What recorded files are about."""

    kind: str
    """The dataset kind whose questions they answer."""
    name: str = ""
    """What it is called where the workspace has no dataset of that kind; empty: its questions are needed."""
    rows: int | None = None
    """Rows of a complete file, where that is known."""
    category: Callable[[str], str] = _as_it_stands
    """The category's usual name, however a file writes it; raises :class:`~driftgate.flows.errors.DriftgateError`."""
    super_categories: Mapping[str, str] | None = None
    """Super-category by category."""
    letters: str = ""
    """Letters of the choices, where every question has the same."""
    id: Callable[[str, str], str] = _id_alone
    """The dataset's id of a row, from its category and what stands in its column of ids."""


@dataclass(frozen=True)
class Source:
    """What is known of one file before it is read."""

    benchmark: Benchmark
    model: str
    columns: Mapping[str, str]
    """The file's column for each of :data:`driftgate.benchmarks.recorded.COLUMNS` that it has."""
    shots: int | None = None
    """Few-shot examples in the prompt; None where it is not stated."""
    preset: str = ""


@dataclass(frozen=True)
class Preset:
    """A layout of files.

    Attributes
    ----------
    describe : str
        One line for ``--help``: what the files look like and whose they are.
    recognise : callable
        ``recognise(path)`` says from its name what a file is, or None where it is none of this layout.
    """

    describe: str
    recognise: Callable[[Path], Source | None]


PRESETS: Registry[Preset] = Registry("preset", "driftgate.benchmarks.recorded.presets", "PRESET")


def find_preset(name: str) -> Preset:
    """A preset by name, hyphens and underscores alike.

    Raises
    ------
    DriftgateError
        There is none.
    """
    return PRESETS.get(name.replace("-", "_"))


def recognise(path: Path) -> Source | None:
    """What a file is by the first preset that knows its name."""
    return next((source for name in PRESETS.names() if (source := PRESETS.get(name).recognise(path))), None)
