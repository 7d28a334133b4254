"""The durable store of model calls: acknowledged once on the disk, at rest as Parquet by day."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import file_mode, make_folder
from driftgate.monitor.telemetry import _forget, _parquet, _spool
from driftgate.monitor.telemetry._columns import to_arrow
from driftgate.monitor.telemetry._forget import Gone
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._retention import Removed, expire
from driftgate.monitor.telemetry._tally import Tally

log = logging.getLogger(__name__)

SEGMENT_BYTES = 64 * 2**20
MAX_PENDING = 50_000
_Batch = tuple[Sequence[ModelCall], "Future[None]"]


class Busy(DriftgateError):
    """More calls wait to be written than may; try again shortly."""


class InUse(DriftgateError):
    """Another process or store writes the folder."""


@dataclass(frozen=True)
class Compaction:
    """What a compaction did."""

    calls: int
    """Rows moved from the spool into Parquet, repeated ones included."""
    removed: Sequence[Removed]
    """Days past their retention, and what they held."""
    blanked: int = 0
    """Files whose texts were past theirs."""


class Store:
    """The one writer of a telemetry folder; readers need only the folder:
    :func:`driftgate.monitor.telemetry.frame`.

    Calls are appended to a spool by one thread that writes whatever has come in since the last fsync and syncs it
    together, so that many requests share one fsync. :meth:`compact` turns the spool into Parquet. A call is identified
    by its trace and span: received twice, it counts once.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    keep_days : int, optional
        Days the telemetry is kept, today included; without it, for ever.
    keep_bytes : int, optional
        How large the telemetry at rest may be: beyond it the oldest days go, all but the newest.
    texts_days : int, optional
        Days for which what was asked and answered is kept with the calls, today included; without it, as long as they.
    max_pending : int
        Calls that may wait to be written before :class:`Busy` is raised.
    segment_bytes : int
        Size at which a new segment of the spool is begun.

    Raises
    ------
    InUse
        Another process or store writes this folder.
    DriftgateError
        It cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from driftgate.monitor.telemetry import ModelCall, frame
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
    ...     call = ModelCall(noon, "5b" * 16, "ee" * 8, request_model="gpt-5-mini", latency=0.8)
    ...     store.append([call, call])
    ...     moved = store.compact().calls
    ...     moved, len(frame(store.folder, noon, noon + timedelta(hours=1)))
    (2, 1)
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: int | None = None,
        keep_bytes: int | None = None,
        texts_days: int | None = None,
        max_pending: int = MAX_PENDING,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.folder = folder
        self.keep_days = keep_days
        self.keep_bytes = keep_bytes
        self.texts_days = texts_days
        self._max_pending = max_pending
        self._segment_bytes = segment_bytes
        self._spool = folder / "spool"
        # Whoever closes the store lets go of the folder, also another thread than the one that opened it.
        self._lock = FileLock(folder / "writer.lock", timeout=0, mode=file_mode(folder), thread_local=False)
        try:
            make_folder(self._spool)
            self._lock.acquire()
        except Timeout:
            raise InUse(
                f"the telemetry folder {folder} is being written by another driftgate; it takes one writer",
                "stop that one, or give this one a folder of its own",
            ) from None
        except OSError as problem:
            raise DriftgateError(f"the telemetry folder {folder} cannot be written: {problem.strerror}") from problem
        _parquet.remove_unfinished(folder)
        self._number = max(_parquet.highest_number(folder), _spool.highest_number(self._spool))
        self._segment: _spool.SegmentWriter | None = None
        self._segment_lock = threading.Lock()  # held while the segment is written or changed
        self._compacting = threading.Lock()
        self._waiting: deque[_Batch] = deque()
        self._pending = 0
        self._changed = threading.Condition()
        self._closed = False
        self._tally = Tally(folder)
        self._thread = threading.Thread(target=self._write_on, name="telemetry-writer", daemon=True)
        self._thread.start()

    def submit(self, calls: Sequence[ModelCall]) -> Future[None]:
        """Hand over calls; the future is done when they are on the disk.

        Raises
        ------
        Busy
            Too many calls are waiting already.
        DriftgateError
            The store is closed.
        """
        done: Future[None] = Future()
        if not calls:
            done.set_result(None)
            return done
        with self._changed:
            if self._closed:
                raise DriftgateError(f"the telemetry store {self.folder} is closed")
            if self._pending and self._pending + len(calls) > self._max_pending:
                raise Busy(f"{self._pending} calls wait to be written, at most {self._max_pending} may")
            self._waiting.append((calls, done))
            self._pending += len(calls)
            self._changed.notify()
        return done

    def append(self, calls: Sequence[ModelCall]) -> None:
        """Write calls; they are on the disk when this returns.

        Raises
        ------
        Busy
            Too many calls are waiting already.
        DriftgateError
            The store is closed, or the disk refuses; the calls may be given again.
        """
        self.submit(calls).result()

    def note(self, left: Mapping[Reason, int]) -> None:
        """Count what came with calls and is none; :func:`driftgate.monitor.telemetry.left_out` reads it.

        The counts are written with the next compaction, or when the store is closed.
        """
        self._tally.add(left)

    def note_of_file(self, name: str, left: Mapping[Reason, int]) -> None:
        """Count what a file holds and is no call; of one that was read before, what has come since."""
        self._tally.add_of_file(name, left)

    def left_out(self, since: datetime) -> Mapping[Reason, int]:
        """What has been counted since a day, written or not."""
        return self._tally.since(since)

    def compact(self, now: datetime | None = None) -> Compaction:
        """Turn the spool into Parquet, merge small files, drop days and blank texts past their retention.

        Safe to be killed in: what was not finished is done again by the next compaction.

        Raises
        ------
        DriftgateError
            The store is closed.
        """
        with self._compacting:
            return self._compacted(now)

    def remove(self, gone: Gone) -> None:
        """Remove calls, in the spool and in Parquet, with all that was told of them.

        Safe to be killed in: once it has begun to remove, the next compaction does the rest.

        Raises
        ------
        DriftgateError
            The store is closed.
        """
        with self._compacting:
            self._compacted()  # what has come since, too
            _forget.begin(self.folder, gone.keys, gone.pseudonyms)
            self._compacted()

    def _compacted(self, now: datetime | None = None) -> Compaction:
        if self._closed:
            raise DriftgateError(f"the telemetry store {self.folder} is closed")
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        today = moment.date()
        first = None if self.keep_days is None else today - timedelta(days=self.keep_days - 1)
        with self._segment_lock:  # listed within: a segment begun after this is not ours to take
            self._end_segment()
            closed = _spool.segments(self._spool)
        self._tally.save()
        moved = sum(self._compact_segment(path) for path in closed)
        _forget.finish(self.folder)
        _parquet.merge_parts(self.folder)
        gone = expire(self.folder, first, self.keep_bytes, moment)
        blanked = 0
        if self.texts_days is not None:
            blanked = _parquet.drop_texts_before(self.folder, today - timedelta(days=self.texts_days - 1))
        return Compaction(moved, gone, blanked)

    def close(self) -> None:
        """Write what is waiting, then let go of the folder."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        with self._compacting, self._segment_lock:  # a compaction under way still owns the folder
            self._end_segment()
            self._tally.save()
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                taken = list(self._waiting)
                self._waiting.clear()
            # A future its owner gave up takes no result; its calls were not acknowledged and need not be written.
            batches = [(calls, done) for calls, done in taken if done.set_running_or_notify_cancel()]
            batches, rows = _in_columns(batches)
            try:
                self._write(rows)
            except Exception as problem:
                log.exception("telemetry could not be written")
                for _, done in batches:
                    done.set_exception(
                        DriftgateError(
                            f"the telemetry folder {self.folder} cannot be written: {problem}",
                            "free space or mend its rights; nothing acknowledged is lost",
                        )
                    )
            else:
                for _, done in batches:
                    done.set_result(None)
            with self._changed:
                self._pending -= sum(len(calls) for calls, _ in taken)

    def _write(self, rows: pa.RecordBatch) -> None:
        if not rows.num_rows:
            return
        with self._segment_lock:
            try:
                if self._segment is None:
                    self._number += 1
                    self._segment = _spool.SegmentWriter(self._spool / f"{self._number:08d}{_spool.SUFFIX}")
                self._segment.append(rows)
            except OSError:
                # Half a frame may be there, and after a failed fsync nothing is known of the file: go on in a new one.
                self._end_segment()
                raise
            if self._segment.size > self._segment_bytes:
                self._end_segment()

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _compact_segment(self, path: Path) -> int:
        segment = _spool.read_segment(path)
        _parquet.write_days(self.folder, segment.rows, int(path.stem))
        if segment.damaged:
            path.rename(path.with_suffix(".damaged"))
        else:
            path.unlink()
        _spool.sync_folder(self._spool)
        return int(segment.rows.num_rows)


def _in_columns(batches: list[_Batch]) -> tuple[list[_Batch], pa.RecordBatch]:
    """Put the calls of many requests into columns; a request with a value that fits none fails alone."""
    try:
        return batches, to_arrow(call for calls, _ in batches for call in calls)
    except (ValueError, TypeError, OverflowError):
        fitting = []
        for calls, done in batches:
            try:
                to_arrow(calls)
            except (ValueError, TypeError, OverflowError) as problem:
                done.set_exception(DriftgateError(f"a model call cannot be stored: {problem}", "mend its source"))
            else:
                fitting.append((calls, done))
        return fitting, to_arrow(call for calls, _ in fitting for call in calls)


def compact_folder(
    folder: Path, *, keep_days: int | None = None, keep_bytes: int | None = None, texts_days: int | None = None
) -> Compaction:
    """Turn a telemetry folder's spool into Parquet while nobody else writes it.

    Parameters
    ----------
    keep_days, keep_bytes, texts_days : int, optional
        See :class:`Store`.

    Raises
    ------
    InUse
        Another process or store writes it.
    """
    with Store(folder, keep_days=keep_days, keep_bytes=keep_bytes, texts_days=texts_days) as store:
        return store.compact()
