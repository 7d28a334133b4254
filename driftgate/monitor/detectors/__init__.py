"""Detectors: how strong is the evidence that two windows differ, and how large is the difference?

A detector is a module of this package that exposes ``DETECTOR``; see :class:`Detector`. Every one is calibrated: where
nothing changed, its p-value is at most ``a`` with probability at most ``a`` (up to the asymptotics its module names).
"""

from __future__ import annotations

from driftgate.monitor.detectors._detector import DETECTORS, MIN_ROWS, USUAL, Detector, Evidence
from driftgate.monitor.detectors.eprocess import EProcess

__all__ = ["DETECTORS", "MIN_ROWS", "USUAL", "Detector", "EProcess", "Evidence"]
