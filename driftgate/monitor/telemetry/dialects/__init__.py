"""Telemetry dialects: how the instrumentations met in practice tell of a call of a model, one module each.

A dialect is a module of this package that exposes ``DIALECT``; see :class:`Dialect`.
"""

from __future__ import annotations

from driftgate.monitor.telemetry.dialects._dialect import DIALECTS, Dialect, Names, all_marks, dialect_of

__all__ = ["DIALECTS", "Dialect", "Names", "all_marks", "dialect_of"]
