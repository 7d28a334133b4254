"""Every example in the documentation of benchmarks.stats is run, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import benchmarks.stats

MODULES = [f"benchmarks.stats.{module.name}" for module in pkgutil.iter_modules(benchmarks.stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", benchmarks.stats.__all__)
def test_public_functions_have_examples(name: str) -> None:
    member = getattr(benchmarks.stats, name)
    assert inspect.getdoc(member)
    if inspect.isfunction(member):
        assert ">>>" in (member.__doc__ or "")
