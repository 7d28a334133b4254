"""Commands are quick because what they do not need is not imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Make

# Typer itself imports pydantic for the help of a command.
NEVER = {
    "azure",
    "datasketch",
    "duckdb",
    "evidently",
    "fastapi",
    "google",
    "ibis",
    "nltk",
    "openai",
    "opentelemetry",
    "presidio_analyzer",
    "promptflow",
    "scipy.optimize",
    "scipy.stats",
    "statsmodels",
    "xllamacpp",
}
"""What neither a run of a suite nor its gate imports."""
TO_READ = NEVER | {"aiohttp", "jinja2", "numpy", "pandas", "plotly", "pyarrow", "scipy"}
"""What reading the workspace and its ledger does not import."""
FOR_HELP = TO_READ | {"sqlalchemy", "yaml"}


def imported(folder: Path, *arguments: str, code: int = 0) -> set[str]:
    """The modules that a command has imported when it ends."""
    script = (
        f"import sys, atexit\nsys.argv = ['driftgate', *{arguments!r}]\n"
        "atexit.register(lambda: print('IMPORTED', *sys.modules))\n"
        "from driftgate.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == code, done.stderr
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["bench", "--help"], ["gate", "--help"], ["--version"]])
def test_help_imports_nothing_slow(arguments: list[str], tmp_path: Path) -> None:
    assert sorted(imported(tmp_path, *arguments) & FOR_HELP) == []


def test_runs_are_listed_without_what_measures_them(make: Make) -> None:
    folder = make(12)
    assert sorted(imported(folder, "bench") & NEVER) == []
    assert sorted(imported(folder, "runs", "list") & TO_READ) == []
    assert sorted(imported(folder, "gate") & NEVER) == []


@pytest.mark.parametrize("flow", ["multiple_choice", "rag_qa", "chat", "summarize"])
def test_shipped_flows_run_without_prompt_flow(flow: str, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom driftgate.flows.definition import load_flow\n"
        "from driftgate.flows.engines import open_engine\n"
        f"engine = open_engine(load_flow({flow!r}, Path()), 'native')\n"
        "print([step.name for step in engine.plan.steps], 'promptflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip().endswith("] False"), done.stderr
