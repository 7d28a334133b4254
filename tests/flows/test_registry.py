"""Members of a kind are found by name; other distributions add theirs and never take a name over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.models import PROVIDERS


def test_the_built_in_members() -> None:
    assert {"openai", "azure_openai", "local", "recorded"} <= set(PROVIDERS.names())
    assert {"choice", "contains", "length"} <= set(EVALUATORS.names())
    assert "promptflow" in ENGINES.names()
    assert not [name for name in PROVIDERS.names() if name.startswith("_")]


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(DriftgateError, match="no engine called 'promtflow'; did you mean 'promptflow'"):
        ENGINES.get("promtflow")


def _install(folder: Path, entries: str) -> None:
    """A distribution as an installer leaves it: a module and its metadata."""
    (folder / "their_models.py").write_text("PROVIDER = 'theirs'\n", encoding="utf-8")
    (folder / "broken_models.py").write_text("import no_such_module\n", encoding="utf-8")
    info = folder / "their_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[driftgate.flows.models]\n{entries}", encoding="utf-8")


def _get(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    script = (
        f"from driftgate.flows.models import PROVIDERS\nprint(PROVIDERS.names())\nprint(repr(PROVIDERS.get({name!r})))"
    )
    path = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    return subprocess.run([sys.executable, "-c", path + script], capture_output=True, text=True, check=False)


def test_another_distribution_adds_a_member(tmp_path: Path) -> None:
    _install(tmp_path, "theirs = their_models:PROVIDER\n")
    done = _get(tmp_path, "theirs")
    assert "'theirs'" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1] == "'theirs'"


def test_a_built_in_name_cannot_be_taken_over(tmp_path: Path) -> None:
    _install(tmp_path, "openai = their_models:PROVIDER\n")
    assert "Provider(" in _get(tmp_path, "openai").stdout


def test_a_broken_plugin_is_named_and_harms_no_other(tmp_path: Path) -> None:
    _install(tmp_path, "theirs = their_models:PROVIDER\nbroken = broken_models:PROVIDER\n")
    assert _get(tmp_path, "theirs").returncode == 0
    done = _get(tmp_path, "broken")
    assert "'broken' (broken_models:PROVIDER) failed to import" in done.stderr
    assert "their-models" in done.stderr


def test_an_entry_point_that_names_a_module_is_told_what_to_name(tmp_path: Path) -> None:
    _install(tmp_path, "theirs = their_models\n")
    done = _get(tmp_path, "theirs")
    assert "names the module their_models, and nothing in it" in done.stderr
    assert "name their_models:PROVIDER" in done.stderr
