"""How many processors a process may use, by what the system tells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from driftgate.flows.processors import processors

ALL = processors(Path("/nowhere"))


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("max 100000", ALL),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("900000000 100000", ALL),
        ("", ALL),
        ("1 0", ALL),
    ],
)
def test_a_container_s_share_is_its_processors(tmp_path: Path, said: str, given: int) -> None:
    (tmp_path / "cpu.max").write_text(said)
    assert processors(tmp_path / "cpu.max") == given


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_process_bound_to_one_processor_has_one() -> None:
    program = (
        "import os; from driftgate.flows.processors import processors; "
        "os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]); print(processors())"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "1"
