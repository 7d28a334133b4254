"""A file of calls, as a stranger has it: its columns by their usual names, or as they are mapped."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.datasets._rows import read_rows
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.refusals import is_refusal
from driftgate.monitor.replay import MOST_TEXTS
from driftgate.monitor.telemetry import COLUMNS, Intake, ModelCall, Store, sample
from driftgate.monitor.telemetry._record import TRUTHS
from driftgate.monitor.telemetry._rows import call_from_row, identified
from driftgate.monitor.telemetry.sources._usual_names import OF_SUCCESS, THOUSANDTHS, by_usual_name, usual_form

if TYPE_CHECKING:
    import pandas as pd

_FORMS = ("%m/%d/%Y, %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d")
"""Forms of times beside ISO 8601 and seconds since 1970."""
_TRUTHS = {"1": 1, "true": 1, "yes": 1, "1.0": 1, "0": 0, "false": 0, "no": 0, "0.0": 0}
_CHUNK = 5_000


def calls_of_file(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The calls of a CSV, JSON, JSONL or Parquet file, as the telemetry record has them.

    Parameters
    ----------
    columns
        The file's column of a field, by field; others are found by the names that are usual.

    Raises
    ------
    DriftgateError
        The file cannot be read, has no column of times, or a row is no call; the sentence names the row.
    """
    rows = read_rows(path)
    if not rows:
        raise DriftgateError(f"{path.name} has no rows", "name a file of calls")
    for field in columns:
        if field not in COLUMNS:
            raise DriftgateError(f"a call has no field '{field}'", nearest(field, COLUMNS))
    there = list(dict.fromkeys(name for row in rows for name in row.values))
    theirs = {**by_usual_name(there), **columns}
    for field, column in columns.items():
        if column not in there:
            raise DriftgateError(f"{path.name} has no column '{column}' for {field}", nearest(column, there))
    if usual_form(columns.get("error", "")) in OF_SUCCESS:
        raise DriftgateError(
            f"'{columns['error']}' says of a call that it went well, and error is what went wrong",
            "map the column that holds the kind or the status of the error",
        )
    if "time" not in theirs:
        raise DriftgateError(
            f"it is not known which column of {path.name} says when a call was: it has {', '.join(there[:12])}",
            "say it, for example --map time=COLUMN",
        )
    seen: Counter[str] = Counter()
    calls: list[ModelCall] = []
    for row in rows:
        named = _named(row.values, theirs)
        try:
            call = call_from_row(identified(named, seen), Intake(refused=is_refusal))
        except DriftgateError as problem:
            raise DriftgateError(f"{row.place}: {problem.message}", problem.remedy) from problem
        conversation, user = (_hashed(named.get(field)) for field in ("conversation", "user"))
        calls.append(replace(call, conversation=conversation, user=user))
    first, last = min(call.time for call in calls), max(call.time for call in calls)
    with TemporaryDirectory(prefix="driftgate-backtest-") as folder:
        with Store(Path(folder)) as store:
            for place in range(0, len(calls), _CHUNK):
                store.append(calls[place : place + _CHUNK])
        columns_kept = tuple(name for name in COLUMNS if name not in ("input_text", "output_text"))
        return sample(
            Path(folder), first, last + timedelta(seconds=1), columns=columns_kept, most_texts=MOST_TEXTS
        ).calls


def _named(values: Mapping[str, Any], theirs: Mapping[str, str]) -> dict[str, Any]:
    """A row by the record's fields, with what files write as text put into numbers, truths and times."""
    named = {field: _plain(field, values[column]) for field, column in theirs.items() if column in values}
    # Of a row without the key it is not known whether its call failed; nothing under it says that it did not.
    told = {field: value for field, value in named.items() if value is not None or field == "error"}
    if "latency" in told and usual_form(theirs["latency"]) in THOUSANDTHS:
        with suppress(TypeError, ValueError):  # what is no number is said with its row
            told["latency"] = float(told["latency"]) / 1000.0
    return told


def _plain(field: str, value: Any) -> Any:
    said = value.strip() if isinstance(value, str) else value
    if field == "error":
        return said
    if said is None or said == "":
        return None
    if field in TRUTHS and str(said).lower() in _TRUTHS:
        return _TRUTHS[str(said).lower()]
    return _when(said) if field == "time" else said


def _when(said: Any) -> Any:
    """A time in one of the forms that files have; what is none of them stays as it is, and is refused with its row."""
    if not isinstance(said, str):
        return said
    for form in _FORMS:
        with suppress(ValueError):
            return datetime.strptime(said, form).replace(tzinfo=UTC)
    with suppress(ValueError):
        return float(said)
    return said


def _hashed(value: Any) -> str:
    """Who asked, so that calls of one can be told from those of another, and no more."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:16] if value is not None else ""
