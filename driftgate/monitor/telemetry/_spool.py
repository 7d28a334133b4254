"""The spool: what was received and is not yet in Parquet, in append-only segments.

A segment begins with a magic line and goes on with frames: the length and the CRC-32 of the payload, each 4 bytes
little-endian, then the payload. The first frame is an Arrow schema, every further one an Arrow record batch of it.
A segment is written by one process and never reopened for writing, so only its end can be torn.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from driftgate.flows.private_files import open_private
from driftgate.monitor.telemetry._columns import LABELS, SCHEMA

log = logging.getLogger(__name__)

MAGIC = b"driftgate spool 1\n"
SUFFIX = ".spool"
_FRAME = struct.Struct("<II")


class SegmentWriter:
    """A new segment, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = open_private(path, "xb", buffering=0)
        self._write(MAGIC + _frame(SCHEMA.serialize().to_pybytes()))
        sync_folder(path.parent)

    def append(self, rows: pa.RecordBatch) -> None:
        """Write rows; when this returns they are on the disk.

        Raises
        ------
        OSError
            They may or may not be; nothing more may be appended to this segment.
        """
        self._write(_frame(rows.serialize().to_pybytes()))

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file; everything in it is on the disk already."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # an unbuffered write may take less than all
            view = view[self._file.write(view) :]
        os.fsync(self._file.fileno())


@dataclass(frozen=True)
class Segment:
    """What could be read of a segment."""

    rows: pa.Table
    """With :data:`SCHEMA`, in order of arrival."""
    damaged: int = 0
    """Frames whose checksum is wrong although more follows: the disk's doing, not a torn end."""


def read_segment(path: Path) -> Segment:
    """Read a segment, also while it is being written.

    What follows the last whole frame was never acknowledged and is left out.

    Raises
    ------
    FileNotFoundError
        The segment has been compacted in the meantime; its rows are in Parquet.
    """
    data = path.read_bytes()
    if not data.startswith(MAGIC) and not MAGIC.startswith(data):
        log.warning("%s is no spool segment, nothing could be read", path)
        return Segment(SCHEMA.empty_table(), 1)
    frames = _frames(data)
    batches, damaged = [], 0
    schema_frame = next(frames, None)
    if schema_frame is None:
        return Segment(SCHEMA.empty_table())
    if schema_frame[0] is None:
        log.warning("%s: the schema is damaged, nothing could be read", path)
        return Segment(SCHEMA.empty_table(), 1)
    schema = pa.ipc.read_schema(pa.py_buffer(schema_frame[0]))
    for payload, last in frames:
        if payload is not None:
            batches.append(pa.ipc.read_record_batch(pa.py_buffer(payload), schema))
        elif not last:
            damaged += 1
    if damaged:
        log.warning("%s: %d damaged frames were left out", path, damaged)
    return Segment(conform(pa.Table.from_batches(batches, schema)), damaged)


def conform(rows: pa.Table) -> pa.Table:
    """Give rows written by an earlier version today's columns; those it did not know are unknown."""

    def column(member: pa.Field) -> pa.Array | pa.ChunkedArray:
        if member.name in rows.schema.names:
            return rows.column(member.name).cast(member.type)
        if member.name in LABELS:
            return pa.repeat(pa.scalar("", member.type), rows.num_rows)
        return pa.nulls(rows.num_rows, member.type)

    return pa.Table.from_arrays([column(member) for member in SCHEMA], schema=SCHEMA)


def segments(folder: Path) -> list[Path]:
    """Segments of a spool folder, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def highest_number(folder: Path) -> int:
    """The highest number of any segment of a spool folder, damaged ones included; 0 if there is none."""
    return max((int(path.stem) for path in folder.iterdir() if path.stem.isdigit()), default=0)


def sync_folder(folder: Path) -> None:
    """Make a rename, a creation or a deletion in a folder durable."""
    if os.name == "nt":  # Windows cannot open a folder, and needs no such thing
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _frame(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _frames(data: bytes) -> Iterator[tuple[bytes | None, bool]]:
    """Yield each frame's payload, ``None`` if its checksum is wrong, and whether nothing follows it."""
    at = len(MAGIC)
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        if length == 0 or end > len(data):  # zeros: the file grew and its blocks were never written
            return
        payload = data[at + _FRAME.size : end]
        yield (payload if zlib.crc32(payload) == checksum else None), end == len(data)
        at = end
