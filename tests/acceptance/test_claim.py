"""The claim of docs/claim.md, by its one command."""

from __future__ import annotations

import subprocess
import sys

from .conftest import ROOT, SHARED


def test_the_page_says_what_its_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.perf.claim", "--data", str(SHARED / "data")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "claim.md").read_text(encoding="utf-8")
    assert done.stdout.strip() in page
    assert "| KMMLU-HARD | 25.34% | 20.66% | +4.68 |" in done.stdout
    assert "ahead on 4 of 4" in done.stdout
    assert "lower in 15 of 107, 1 of them significantly" in done.stdout
