"""Perturbations: changes of a prompt that should not change its answer.

A perturbation is a module of this package that exposes ``PERTURBATION``; see :class:`Perturbation`.
"""

from __future__ import annotations

from driftgate.monitor.perturbations._perturbation import PERTURBATIONS, Example, Perturbation, Prompt

__all__ = ["PERTURBATIONS", "Example", "Perturbation", "Prompt"]
