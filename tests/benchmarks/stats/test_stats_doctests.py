"""Every example in the documentation of driftgate.benchmarks.stats is run, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import driftgate.benchmarks.stats

MODULES = [
    f"driftgate.benchmarks.stats.{module.name}" for module in pkgutil.iter_modules(driftgate.benchmarks.stats.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", driftgate.benchmarks.stats.__all__)
def test_public_functions_have_examples(name: str) -> None:
    member = getattr(driftgate.benchmarks.stats, name)
    assert inspect.getdoc(member)
    if inspect.isfunction(member):
        assert ">>>" in (member.__doc__ or "")
