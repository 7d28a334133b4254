"""The telemetry at rest: immutable Parquet files, a folder a day (UTC)."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftgate.flows.private_files import make_folder, opened
from driftgate.monitor.telemetry._buckets import BUCKET, with_buckets
from driftgate.monitor.telemetry._joined import settled
from driftgate.monitor.telemetry._spool import conform, sync_folder

log = logging.getLogger(__name__)

MERGE_AT = 8
"""Parts of a day from which on they are merged into one."""
MERGED_BYTES = 128 * 2**20
"""A part of this size is left as it is."""
_GROUP_ROWS = 2**14
"""Rows that are read or passed over as one: the fewer, the less is read of a day of which few are wanted."""
TEXTS = ("input_text", "output_text")
"""Columns that hold what was asked and answered."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PART = re.compile(r"calls-(\d{8})-(\d{8})\.parquet")


def write_days(folder: Path, rows: pa.Table, number: int) -> None:
    """Write rows into the folders of their days, under names that depend on ``number`` only.

    Doing it again after a crash replaces the files by equal ones.
    """
    rows = settled(rows)
    days = rows.column("time").cast(pa.timestamp("us")).cast(pa.date32())
    for day in pc.unique(days):
        _write_part(folder / day.as_py().isoformat(), rows.filter(pc.equal(days, day)), number, number)


def merge_parts(folder: Path) -> None:
    """Merge the parts of days that have many; a span received twice is kept once, with what was told of it apart.

    No more than :data:`MERGED_BYTES` are read at once, however much a day has.
    """
    for day in _days(folder):
        sizes = [(part, part.stat().st_size) for part in _parts(day)]
        if sum(size < MERGED_BYTES for _, size in sizes) < MERGE_AT:
            continue
        for parts in _together(sizes):
            numbers = [number for part in parts for number in _numbers(part)]
            rows = pa.concat_tables([conform(pq.read_table(part)) for part in parts])
            written = _write_part(day, settled(rows), min(numbers), max(numbers))
            for part in parts:
                if part != written:
                    part.unlink()
            sync_folder(day)


def _together(sizes: Sequence[tuple[Path, int]]) -> Iterator[list[Path]]:
    """Parts to be merged with each other: the small ones, in their order, as many as are no more than a large one."""
    group: list[Path] = []
    held = 0
    for part, size in sizes:
        if size >= MERGED_BYTES:
            continue
        if group and held + size > MERGED_BYTES:
            if len(group) > 1:
                yield group
            group, held = [], 0
        group, held = [*group, part], held + size
    if len(group) > 1:
        yield group


def days_held(folder: Path) -> dict[date, tuple[int, int]]:
    """Of every day, oldest first, how many bytes and how many rows it has."""
    return {
        date.fromisoformat(day.name): (
            sum(part.stat().st_size for part in _parts(day)),
            sum(pq.read_metadata(part).num_rows for part in _parts(day)),
        )
        for day in _days(folder)
    }


def drop_days(folder: Path, days: Collection[date]) -> None:
    """Delete days."""
    for day in _days(folder):
        if date.fromisoformat(day.name) in days:
            for part in day.iterdir():
                part.unlink()
            day.rmdir()


def drop_texts_before(folder: Path, first: date) -> int:
    """Blank the texts of the days before ``first``; return how many files held any."""
    changed = 0
    for day in _days(folder):
        if date.fromisoformat(day.name) >= first:
            continue
        for part in filter(_has_texts, _parts(day)):
            rows = conform(pq.read_table(part))
            for name in TEXTS:
                place = rows.schema.get_field_index(name)
                rows = rows.set_column(place, name, pa.nulls(rows.num_rows, rows.schema.field(name).type))
            _write_part(day, rows, *_numbers(part))
            changed += 1
    return changed


def _has_texts(part: Path) -> bool:
    """Whether a row of the file has a text; its statistics say so, and where they do not it counts as one that has."""
    with pq.ParquetFile(part) as file:
        names = file.schema_arrow.names
        groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
        for name in set(TEXTS) & set(names):
            for group in groups:
                statistics = group.column(names.index(name)).statistics
                if statistics is None or not statistics.has_null_count or statistics.null_count < group.num_rows:
                    return True
    return False


def files_between(folder: Path, start: datetime, end: datetime) -> list[Path]:
    """Parquet files that may hold calls of ``[start, end)``."""
    first, last = start.astimezone(UTC).date(), end.astimezone(UTC).date()
    return [part for day in _days(folder) if first <= date.fromisoformat(day.name) <= last for part in _parts(day)]


def every_part(folder: Path) -> list[Path]:
    """All Parquet files of a folder, by day."""
    return [part for day in _days(folder) for part in _parts(day)]


def rewrite(part: Path, rows: pa.Table) -> None:
    """Put rows in the place of those of a file; without any, the file goes, and its day where it was the last."""
    if rows.num_rows:
        _write_part(part.parent, rows, *_numbers(part))
        return
    part.unlink()
    sync_folder(part.parent)
    if not any(part.parent.iterdir()):
        part.parent.rmdir()


def highest_number(folder: Path) -> int:
    """The highest number any part was written under, 0 if there is none."""
    return max((_numbers(part)[1] for day in _days(folder) for part in _parts(day)), default=0)


def remove_unfinished(folder: Path) -> None:
    """Delete what a crash left of files that were being written."""
    for day in _days(folder):
        for part in day.glob("*.unfinished"):
            part.unlink()


def _write_part(day: Path, rows: pa.Table, first: int, last: int) -> Path:
    if not day.exists():
        make_folder(day)
        sync_folder(day.parent)
    target = day / f"calls-{first:08d}-{last:08d}.parquet"
    unfinished = target.with_suffix(".unfinished")
    with opened(unfinished) as file:
        # By bucket: a share of a day's traces then stands together, and only that much of the file is read.
        sorted_rows = with_buckets(rows).sort_by([(BUCKET, "ascending"), ("time", "ascending")])
        pq.write_table(sorted_rows, file, compression="zstd", row_group_size=_GROUP_ROWS)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)
    sync_folder(day)
    return target


def _days(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob("????-??-??")) if _DAY.fullmatch(path.name))


def _parts(day: Path) -> Sequence[Path]:
    return sorted(path for path in day.glob("*.parquet") if _PART.fullmatch(path.name))


def _numbers(part: Path) -> tuple[int, int]:
    match = _PART.fullmatch(part.name)
    assert match
    return int(match[1]), int(match[2])
