"""The sample that a model is asked about, for models that answer from what is recorded of it."""

from __future__ import annotations

from contextvars import ContextVar

_sample: ContextVar[str] = ContextVar("driftgate_sample")


def ask_about(sample_id: str) -> None:
    """Say which sample the running task asks models about."""
    _sample.set(sample_id)


def asked_about() -> str:
    """The id of the sample that the running task asks about; empty where none was said."""
    return _sample.get("")
