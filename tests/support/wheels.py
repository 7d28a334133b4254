"""The project's wheel, built without network from a copy of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDERS = ("flows", "benchmarks", "monitor", "finetune")
"""What a team edits; top-level packages of these names driftgate once had, and others have."""


def build_wheel(copy: Path, out: Path) -> Path:
    """Build it from a copy in the folder ``copy``, with leftovers lying around, into the folder ``out``."""
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "README.md", "driftgate.yaml"):
        shutil.copy2(PROJECT / name, copy / name)
    for name in ("driftgate", *FOLDERS):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / name / "__pycache__").mkdir()
        (copy / name / "__pycache__/old.pyc").write_bytes(b"old")
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir", str(out)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", str(copy), *options], check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made
