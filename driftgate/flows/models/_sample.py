"""The sample that a model is asked about, for models that answer from what is recorded of it or in batches."""

from __future__ import annotations

from contextvars import ContextVar

_sample: ContextVar[str] = ContextVar("driftgate_sample")
_asked_as: ContextVar[str] = ContextVar("driftgate_asked_as")


def ask_about(sample_id: str, asked_as: str = "") -> None:
    """Say which sample the running task asks models about.

    Parameters
    ----------
    asked_as : str
        Names this ask of the sample among all of its cell: the key of the sample and the round.
    """
    _sample.set(sample_id)
    _asked_as.set(asked_as)


def asked_about() -> str:
    """The id of the sample that the running task asks about; empty where none was said."""
    return _sample.get("")


def asked_as() -> str:
    """What names the ask that the running task makes among all of its cell; empty where nobody said it."""
    return _asked_as.get("")
