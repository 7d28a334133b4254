"""``driftgate --help`` is quick because nothing slow is imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Typer itself imports pydantic for the help of a command.
SLOW = (
    "aiohttp",
    "apscheduler",
    "azure",
    "duckdb",
    "evidently",
    "fastapi",
    "ibis",
    "jinja2",
    "numpy",
    "openai",
    "opentelemetry",
    "pandas",
    "plotly",
    "presidio_analyzer",
    "promptflow",
    "scipy",
    "sqlalchemy",
    "statsmodels",
    "xllamacpp",
)


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["bench", "--help"], ["gate", "--help"]])
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    done = python(
        f"import sys, atexit\nsys.argv = ['driftgate', *{arguments!r}]\n"
        f"slow = set({SLOW!r})\n"
        "atexit.register(lambda: print('IMPORTED', sorted({m.split('.')[0] for m in sys.modules} & slow)))\n"
        "from driftgate.cli import main\nmain()"
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stdout.strip().endswith("IMPORTED []")


def test_reading_a_workspace_does_not_import_the_slowest() -> None:
    done = python(
        "import sys, driftgate.api.facade\n"
        "print(sorted({'promptflow', 'evidently', 'azure', 'pandas', 'scipy', 'plotly'}"
        " & {m.split('.')[0] for m in sys.modules}))"
    )
    assert done.stdout.strip() == "[]", done.stderr
