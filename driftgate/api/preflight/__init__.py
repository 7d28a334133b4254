"""What is looked at before anything is paid: one list of checks, for ``doctor`` and for every command that asks.

A check is a module of this package that exposes ``CHECK``; see :class:`Check`. ``doctor`` looks at the whole workspace,
the other commands at what they are about to use, and they refuse with everything that is wrong at once.
"""

from driftgate.api.preflight._finding import Finding, Refused
from driftgate.api.preflight._run import (
    Prepared,
    examine,
    look_at_all,
    prepare,
    prepare_look,
    prepare_night,
    prepare_parity,
    prepare_repair,
    prepare_service,
)

__all__ = [
    "Finding",
    "Prepared",
    "Refused",
    "examine",
    "look_at_all",
    "prepare",
    "prepare_look",
    "prepare_night",
    "prepare_parity",
    "prepare_repair",
    "prepare_service",
]
