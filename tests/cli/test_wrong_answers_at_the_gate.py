"""Wrong quantities and empty answers reach the gate as what they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli

from driftgate.benchmarks.scores import score_run
from driftgate.ledger import latest_runs, open_ledger


def space(folder: Path, endpoint: ChatEndpoint, evaluator: str, metric: str, wanted: str) -> Path:
    """A workspace whose forty samples want one text, and whose gate wants four of five right."""
    rows = [{"question": f"{n}번 물음?", "answer": wanted} for n in range(40)]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "own.jsonl").write_text(text, encoding="utf-8")
    inputs = {"response": "${nodes.reply.output}", "ground_truth": "${data.answer}"}
    suite = {
        "models": ["tested"],
        "datasets": ["asked"],
        "flow": "chat",
        "variants": ["turns"],
        "evaluators": {"reply": {"right": {"evaluator": evaluator, "inputs": inputs}}},
        "primary": f"reply.right.{metric}",
    }
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    config = {
        "version": 1,
        "models": {"tested": model},
        "datasets": {"asked": {"kind": "jsonl", "path": "own.jsonl"}},
        "suites": {"small": suite},
        "gates": {"good": {"suite": "small", "rules": [{"metric": "accuracy", "min": 0.8}]}},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return folder


def matched(folder: Path) -> float | None:
    """The share of matches, as the terminal and the report show it."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (cell,) = score_run(ledger, latest_runs(ledger, 1)[0].id)
    finally:
        ledger.close()
    score = cell.get("reply.right.match")
    return score.value if score else None


@pytest.mark.parametrize(("evaluator", "metric"), [("normalised_match", "match"), ("numeric", "correct")])
@pytest.mark.parametrize(("said", "code"), [("1만 5천 원", 1), ("25,000원", 0), ("2.5만 원입니다.", 0)])
def test_another_amount_fails_the_gate_and_another_writing_of_it_does_not(
    tmp_path: Path, endpoint: ChatEndpoint, cli: Cli, evaluator: str, metric: str, said: str, code: int
) -> None:
    folder = space(tmp_path, endpoint, evaluator, metric, "2만 5천 원")
    endpoint.default = Answer(said)
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("gate", "latest", "--gate", "good", "-w", folder).code == code


@pytest.mark.parametrize("said", ["", " ", "은"])
def test_an_empty_answer_is_not_the_particle_that_was_wanted(
    tmp_path: Path, endpoint: ChatEndpoint, cli: Cli, said: str
) -> None:
    folder = space(tmp_path, endpoint, "normalised_match", "match", "만")
    endpoint.default = Answer(said)
    cli("bench", "small", "-w", folder)
    assert matched(folder) == 0.0
    assert cli("gate", "latest", "--gate", "good", "-w", folder).code != 0


def test_the_signature_says_by_which_rules_texts_were_compared(
    tmp_path: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    folder = space(tmp_path, endpoint, "normalised_match", "match", "서울")
    endpoint.default = Answer("서울")
    assert cli("bench", "small", "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (cell,) = score_run(ledger, latest_runs(ledger, 1)[0].id)
    finally:
        ledger.close()
    assert "|evaluators:" in cell.cell.signature
