"""A live model that is silently swapped for another, watched by a hundred CLIcK canaries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from driftgate.api.display import ProgressDisplay
from driftgate.api.watching import LookResult, take_look
from driftgate.api.workspace import open_workspace
from driftgate.ledger import open_ledger
from driftgate.monitor.config import REFERENCE_LOOKS

from .conftest import SHARED, Endpoint, replay

LIVE, WORSE = "gpt-4.1-mini-2025-04-14", "llama-3-1-8b-instruct"
CANARIES = 100


def looks(folder: Path, endpoint: Endpoint, count: int, seed: int) -> list[LookResult]:
    """Look ``count`` times, the reference looks first."""
    folder.mkdir()
    workspace = {
        "version": 1,
        "models": {"live": {"provider": "openai", "endpoint": f"{endpoint.address}/v1", "model": LIVE, "attempts": 1}},
        "allowed_roots": [str(SHARED)],
        "datasets": {"click": {"kind": "click", "path": str(SHARED / "data" / "click")}},
        "champions": {"assistant": "live"},
        "monitors": {
            "assistant": {
                "champion": "assistant",
                "canaries": {"dataset": "click", "limit": CANARIES, "seed": seed},
            }
        },
    }
    (folder / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
    opened = open_workspace(folder)
    ledger = open_ledger(opened.ledger, folder)
    display = ProgressDisplay(Console(quiet=True))
    try:
        return [take_look(opened, ledger, "assistant", display) for _ in range(count)]
    finally:
        ledger.close()


def test_twenty_looks_without_a_swap_are_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with replay() as endpoint:
        results = looks(tmp_path / "quiet", endpoint, REFERENCE_LOOKS + 20, seed=0)
    alarms = [r.watched.row.number for r in results if r.watched.alerts]
    with capsys.disabled():
        print(f"\n20 looks without a swap: {len(alarms)} alarms")
    assert not alarms


@pytest.mark.parametrize("seed", range(5))
def test_a_swap_is_noticed_within_two_looks(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = REFERENCE_LOOKS + 2
    with replay("--swap", f"{LIVE}={WORSE}@{quiet * CANARIES + 1}") as endpoint:
        results = looks(tmp_path / "swap", endpoint, quiet + 2, seed)
    before, after = results[:quiet], results[quiet:]
    assert not any(r.watched.alerts for r in before)
    alerts = [alert for r in after for alert in r.watched.alerts]
    first = next((n for n, r in enumerate(after, 1) if r.watched.alerts), None)
    with capsys.disabled():
        print(
            f"\nswap, seed {seed}: noticed at look {first} after it; {alerts[0].summary if alerts else 'not noticed'}"
        )
    assert first is not None
    assert alerts[0].cause == "model"
