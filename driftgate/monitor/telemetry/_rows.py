"""From a row of a table, such as a line of JSON, to a model call."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Container, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.finish import FAILED, broke_off
from driftgate.monitor.ngrams import is_valid
from driftgate.monitor.telemetry._content import Intake, clean, features
from driftgate.monitor.telemetry._failed import error_of
from driftgate.monitor.telemetry._record import COLUMNS, NGRAMS, TRUTHS, ModelCall

_FAR = 1e11
"""Seconds since 1970 of the year 5138: what is larger counts parts of a second."""
_NUMBER = re.compile(r"\d{9,19}(\.\d+)?")
_WRITTEN = re.compile(
    r"(\d{4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,2})\.?"
    r"(?: +(오전|오후|AM|PM|am|pm)? ?(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
)
_COUNTS = ("input_tokens", "output_tokens", "output_chars", "reasoning_tokens", "cached_tokens", "tool_calls")
_SECONDS = ("latency", "time_to_first_token")
_LABELS = (
    "operation",
    "provider",
    "request_model",
    "response_model",
    "fingerprint",
    "prompt_hash",
    "slice",
    "finish_reason",
    "conversation",
    "tenant",
    "prompt_name",
    "prompt_version",
    "system_hash",
    "template_hash",
)


def call_from_row(row: Mapping[str, Any], intake: Intake, zone: tzinfo = UTC) -> ModelCall:
    """Make a model call of a row whose keys are the record's field names.

    Features that the row does not bring are computed from its texts; the texts themselves are kept only as ``intake``
    allows.

    Parameters
    ----------
    row : mapping
        ``time`` (ISO 8601, or seconds since 1970), ``trace_id`` and ``span_id`` are needed, the rest is optional. Of a
        row without ``error`` it is not known whether the call failed.
    intake : Intake
        What to do with content.
    zone : tzinfo
        Of times that do not say theirs.

    Raises
    ------
    DriftgateError
        A value is missing or of the wrong type.

    Examples
    --------
    >>> row = {"time": "2026-03-01T18:00:00+09:00", "request_model": "gpt-5-mini", "output_text": "C", "latency": 0.8}
    >>> call = call_from_row(identified(row, Counter()), Intake())
    >>> call.time.isoformat(), call.request_model, call.output_chars, call.output_text
    ('2026-03-01T09:00:00+00:00', 'gpt-5-mini', 1, None)
    """
    known = {name: value for name, value in row.items() if name in COLUMNS and not _missing(value)}
    sent, answered = (
        clean(_typed(str, known, name)) if name in known else None for name in ("input_text", "output_text")
    )
    ids = str(known.get("trace_id", "")), str(known.get("span_id", ""))
    found: dict[str, Any] = {**features(sent, answered, intake.of(*ids))}
    found |= {name: clean(str(known[name])) for name in _LABELS if name in known}
    # A row without the key says nothing of errors; one with nothing under it says that there was none.
    found["error"] = error_of(row["error"]) if "error" in row else None
    if not found["error"] and broke_off(known.get("finish_reason")):  # a failure by another name
        found["error"] = FAILED
    found |= {name: _whole(known, name) for name in _COUNTS if name in known}
    if "weight" in known:
        found["weight"] = _weight(known)
    found |= {name: _truth(known, name) for name in TRUTHS if name in known}
    found |= {name: _number(known, name) for name in _SECONDS if name in known}
    if "user" in known and intake.pseudonym is not None:
        found["user"] = intake.pseudonym(clean(str(known["user"])))
    found |= {name: _ngrams(known, name) for name in NGRAMS if name in known}
    found |= {name: clean(str(_typed((str, int), known, name))) for name in ("trace_id", "span_id")}
    return ModelCall(time=_time(known, zone), **found)


def identified(row: Mapping[str, Any], seen: Counter[str], columns: Container[str] | None = None) -> Mapping[str, Any]:
    """Give a row without identity one made of its content, so that reading its file again changes nothing.

    Parameters
    ----------
    row : mapping
        As it stands in the file.
    seen : Counter
        How often each content has come in this file; equal rows are different calls.
    columns : container of str, optional
        Those that tell rows apart; by default all.

    Examples
    --------
    >>> seen = Counter()
    >>> [identified({"time": 0}, seen)["span_id"] for _ in range(2)]
    ['0000000000000001', '0000000000000002']
    """
    if not _missing(row.get("trace_id")) and not _missing(row.get("span_id")):
        return row
    apart = row if columns is None else {name: value for name, value in row.items() if name in columns}
    content = hashlib.sha256(json.dumps(apart, sort_keys=True, default=str).encode()).hexdigest()[:32]
    seen[content] += 1
    return {**row, "trace_id": content, "span_id": f"{seen[content]:016x}"}


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _typed(kind: type | tuple[type, ...], row: Mapping[str, Any], name: str) -> Any:
    if not isinstance(row.get(name), kind):
        raise DriftgateError(f"'{name}' is {row.get(name)!r}, expected text")
    return row[name]


def _number(row: Mapping[str, Any], name: str) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError, OverflowError):
        value = -1.0
    if not 0 <= value < 2**63:
        raise DriftgateError(f"'{name}' is {row[name]!r}, expected a number of at least 0")
    return value


def _truth(row: Mapping[str, Any], name: str) -> bool:
    """A truth, which tables write as a word."""
    word = row[name].strip().lower() if isinstance(row[name], str) else None
    return word == "true" if word in ("true", "false") else bool(_number(row, name))


def _whole(row: Mapping[str, Any], name: str) -> int:
    return int(_number(row, name))


def _weight(row: Mapping[str, Any]) -> int:
    weight = _whole(row, "weight")
    if weight < 1:
        raise DriftgateError(
            f"'weight' is {row['weight']!r}, expected the number of calls a row stands for, at least 1"
        )
    return weight


def _ngrams(row: Mapping[str, Any], name: str) -> tuple[int, ...]:
    value = row[name]
    if not isinstance(value, list | tuple) or not is_valid(value):
        text = name.replace("ngrams", "text")
        raise DriftgateError(f"'{name}' is no list that driftgate counted", f"leave it out and give '{text}'")
    return tuple(value)


def _time(row: Mapping[str, Any], zone: tzinfo) -> datetime:
    value = row.get("time")
    try:
        moment = _moment(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise DriftgateError(
            f"'time' is {value!r}, expected ISO 8601 or seconds since 1970",
            "name the column that holds the time under 'columns'",
        ) from None


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    text = str(value).strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(value)
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    if (written := _WRITTEN.fullmatch(text)) is not None:
        return _of_spreadsheet(written)
    return datetime.fromisoformat(text)


def _since_1970(number: float) -> datetime:
    """Seconds, or the thousandths, millionths or billionths of them that a number of today can only be."""
    parts = next((parts for parts in (1, 1e3, 1e6, 1e9) if number < _FAR * parts), None)
    if parts is None:
        raise ValueError("no time of this age")
    number /= parts
    return datetime.fromtimestamp(number, UTC)


def _of_spreadsheet(written: re.Match[str]) -> datetime:
    """A day with slashes or dots, and a time that may be of half a day, as Excel writes them in Korea."""
    year, month, day, half, hour, minute, second = written.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(f"there is no {half} {hour}")
        hours = hours % 12 + (12 if half.upper() in ("오후", "PM") else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))
