"""Answers that others recorded, read into the ledger as complete runs of a ``recorded`` model.

A layout of files that is known by name is a preset: a module of this package that exposes ``PRESET``; see
:class:`Preset`.
"""

from driftgate.benchmarks.recorded._align import Alignment, align_by_id, align_by_position
from driftgate.benchmarks.recorded._import import SUITE, Imported, import_file
from driftgate.benchmarks.recorded._preset import PRESETS, Benchmark, Preset, Source, find_preset, recognise
from driftgate.benchmarks.recorded._rows import COLUMNS, RecordedRows, parse_mapping, read_recorded

__all__ = [
    "COLUMNS",
    "PRESETS",
    "SUITE",
    "Alignment",
    "Benchmark",
    "Imported",
    "Preset",
    "RecordedRows",
    "Source",
    "align_by_id",
    "align_by_position",
    "find_preset",
    "import_file",
    "parse_mapping",
    "read_recorded",
    "recognise",
]
