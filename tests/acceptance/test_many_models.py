"""Twenty-two models on four datasets, and all recorded ones, compared inside their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.perf.many_models import compare, make_workspace

from .conftest import SHARED


@pytest.mark.timeout(1800)
def test_many_models_are_compared_inside_the_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_workspace(tmp_path, SHARED / "data")
    for which, ranked in (("all", True), ("recorded", False)):
        compared = compare(tmp_path, which)
        with capsys.disabled():
            print(f"\n{compared}")
        assert compared.within, str(compared)
        assert ("ranks on the" in compared.command.output) == ranked
