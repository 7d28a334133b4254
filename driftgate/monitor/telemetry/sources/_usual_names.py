"""The names that columns of files of calls usually have, by the record's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from driftgate.monitor.telemetry._record import COLUMNS

USUAL: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "ts", "datetime", "date", "created_at", "created", "start_time", "timegenerated"),
    "latency": ("latency_s", "latency_seconds", "duration", "duration_s", "elapsed", "response_time"),
    "request_model": ("model", "model_name", "deployment"),
    "input_text": ("prompt", "input", "question", "query", "request"),
    "output_text": ("completion", "response", "output", "answer", "reply"),
    "input_tokens": ("prompt_tokens", "tokens_in"),
    "output_tokens": ("completion_tokens", "tokens_out"),
    "error": ("error_type", "exception", "error_code"),
    "user": ("user_id", "userid", "customer", "customer_id"),
    "conversation": ("session", "session_id", "conversation_id", "thread_id"),
    "slice": ("category", "topic", "route", "endpoint"),
    "refused": ("refusal", "is_refusal"),
}
THOUSANDTHS = ("latency_ms", "duration_ms", "elapsed_ms", "response_time_ms", "durationms")
OF_SUCCESS = frozenset({"success", "succeeded", "successful", "is_success", "ok", "is_ok"})
"""Names of columns that say that a call went well, which is the contrary of an error."""


def usual_form(name: str) -> str:
    """A column's name as names are compared."""
    return name.strip().lower().replace(" ", "_")


def by_usual_name(there: Iterable[str]) -> dict[str, str]:
    """A file's columns that have a field's name or one that is usual for it, by field.

    Examples
    --------
    >>> by_usual_name(["Timestamp", "output", "colour"])
    {'time': 'Timestamp', 'output_text': 'output'}
    """
    known = {usual_form(name): name for name in there}
    found = {}
    for field in COLUMNS:
        names = (field, *USUAL.get(field, ()), *(THOUSANDTHS if field == "latency" else ()))
        if (name := next((known[one] for one in names if one in known), None)) is not None:
            found[field] = name
    return found


def unread(there: Iterable[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Columns whose names are usual for a field that is read from none, by field.

    Examples
    --------
    >>> unread(["ts", "output", "user_id", "error"], {"time": "ts"})
    {'output_text': 'output', 'user': 'user_id'}
    """
    names = list(there)
    return {
        field: name
        for field, name in by_usual_name(names).items()
        if field not in names and field not in columns and name not in columns.values()
    }
