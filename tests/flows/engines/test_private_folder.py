"""Prompt flow's folder belongs to one process, whoever shares the temporary folder with it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("promptflow")
PROGRAM = """
import os, stat
from driftgate.flows.engines._promptflow import quiet_promptflow
quiet_promptflow()
home = os.environ["PF_HOME_DIRECTORY"]
print(home, oct(stat.S_IMODE(os.stat(home).st_mode)), "enabled: false" in open(f"{home}/pf.yaml").read())
"""


def test_a_folder_that_somebody_laid_out_before_is_not_used(tmp_path: Path) -> None:
    planted = tmp_path / f"driftgate-pf-{os.getuid()}"
    planted.mkdir()
    (planted / "pf.yaml").write_text("telemetry:\n  enabled: true\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PF_")}
    homes = set()
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**environment, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        home, mode, quiet = done.stdout.split()
        assert (mode, quiet) == (oct(stat.S_IRWXU), "True"), done.stderr
        homes.add(home)
        assert not Path(home).exists()  # gone with its process
    assert len(homes) == 2 and str(planted) not in homes
