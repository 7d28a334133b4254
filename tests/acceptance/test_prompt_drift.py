"""Looks at prompts of recorded models: the replay endpoint gives a model's own reply to a CLIcK question.

It finds a question by its text, so no form that changes the text can be replayed, and its letter stays where it was
when the choices are moved: sensitive to their order it must be called, once, and a swap is churn.
"""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from driftgate.api.display import ProgressDisplay
from driftgate.api.prompt_drift import take_prompt_look
from driftgate.api.workspace import open_workspace
from driftgate.ledger import open_ledger

from .conftest import SHARED, replay

LIVE, WORSE = "gpt-4.1-mini-2025-04-14", "llama-3-1-8b-instruct"
QUESTIONS, REPEATS = 50, 3
A_LOOK = QUESTIONS * (REPEATS + 1)
"""Requests of a look at most: choices that speak of others stay where they are."""


def test_a_swap_is_churn_and_the_order_of_choices_is_told_once(tmp_path: Path) -> None:
    drift = {"limit": QUESTIONS, "repeats": REPEATS, "otherwise": 1, "perturbations": ["option_order"]}
    workspace = {
        "version": 1,
        "models": {"live": {"provider": "openai", "model": LIVE, "attempts": 1}},
        "allowed_roots": [str(SHARED)],
        "datasets": {"click": {"kind": "click", "path": str(SHARED / "data" / "click")}},
        "champions": {"assistant": "live"},
        "monitors": {"assistant": {"champion": "assistant", "canaries": {"dataset": "click"}, "prompt_drift": drift}},
    }

    def look(endpoint_address: str):
        workspace["models"]["live"]["endpoint"] = f"{endpoint_address}/v1"
        (tmp_path / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
        opened = open_workspace(tmp_path)
        ledger = open_ledger(opened.ledger, tmp_path)
        try:
            return take_prompt_look(opened, ledger, "assistant", ProgressDisplay(Console(quiet=True))).watched
        finally:
            ledger.close()

    with replay() as endpoint:
        first, second, third = (look(endpoint.address) for _ in range(3))
        assert endpoint.stats()["requests"] <= 3 * A_LOOK
    assert [alert.signal for alert in first.alerts] == ["sensitivity_option_order"], first.conclusion
    assert [second.conclusion.result, third.conclusion.result] == ["reference", "quiet"]
    found = {one.signal.name: one for one in third.look.findings}
    assert found["repeat_agreement"].everywhere.current_value == 1.0
    with replay("--swap", f"{LIVE}={WORSE}@1") as endpoint:
        swapped = look(endpoint.address)
    assert {"answer_churn", "prompt_accuracy"} <= {alert.signal for alert in swapped.alerts}, swapped.conclusion
    detail = {one.signal.name: one for one in swapped.look.findings}["prompt_accuracy"].everywhere.detail
    assert detail["lost"] > detail["gained"]
