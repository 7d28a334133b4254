"""Drift signals: quantities per row that a look compares between a reference and a current window.

A signal is a module of this package that exposes ``SIGNAL``; see :class:`Signal`. Signals of kind ``paired_binary``
are read from a frame of canary answers, all others from a frame of telemetry.

Canary frame, one row per canary asked once: ``time``, ``key`` (which canary), ``slice``, ``answer`` ("" where none
could be read, None where the call failed), ``correct`` (0, 1, or NaN where the call failed), ``response_model``,
``fingerprint``, ``prompt_hash``.
"""

from __future__ import annotations

from driftgate.flows.addressing import addresses_judge, addressing_rules_id
from driftgate.flows.refusals import is_refusal, refusal_rules_id
from driftgate.monitor.signals._signal import SIGNALS, Direction, Kind, Signal, failed

__all__ = [
    "SIGNALS",
    "Direction",
    "Kind",
    "Signal",
    "addresses_judge",
    "addressing_rules_id",
    "failed",
    "is_refusal",
    "refusal_rules_id",
]
