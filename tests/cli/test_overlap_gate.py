"""A wrong number behind a high overlap: what a run shows of it, and what a gate says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from own_flows import Space

COUNT = 64
DAG = """
inputs: {q: {type: string}}
outputs: {a: {type: string, reference: "${answer.output}"}}
nodes:
- name: answer
  type: llm
  source: {type: code, path: say.jinja2}
  inputs: {q: "${inputs.q}"}
"""
EVALUATORS = {
    "primary": "answer.f1.f1",
    "nodes": {
        "answer": {
            "f1": {
                "evaluator": "f1",
                "inputs": {"response": "${nodes.answer.output}", "ground_truth": "${data.truth}"},
            }
        }
    },
}
TRUTH = "연차휴가는 입사 {}년 후 15일이 부여되며 다음 해로 이월할 수 없습니다."
RULES = [
    {"metric": "answer.f1.f1", "min": 0.6},
    {"metric": "answer.f1.numbers_wrong", "max": 0.05},
    {"metric": "answer.f1.numbers_missing", "max": 0.05},
    {"metric": "answer.f1.negation", "min": 0.95},
]


def bench(space: Space, rules: Sequence[dict[str, Any]] = RULES) -> Path:
    rows = [{"q": f"질문 {n}", "truth": TRUTH.format(n + 1)} for n in range(COUNT)]
    files = {
        "flow.dag.yaml": DAG,
        "say.jinja2": "user:\n{{q}}\n",
        "evaluators.yaml": yaml.safe_dump(EVALUATORS),
    }
    return space(files, {"inputs": {"q": "${data.q}"}}, rows, gates={"it": {"suite": "it", "rules": list(rules)}})


def said(change: tuple[str, str], every: int) -> Any:
    """The right answer, changed in every so many samples."""

    def reply(prompt: str) -> Answer:
        n = int(re.findall(r"질문 (\d+)", prompt)[-1])
        return Answer(TRUTH.format(n + 1).replace(*change) if n % every == 0 else TRUTH.format(n + 1))

    return reply


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (("없습니다", "없어요"), set()),
        (("15일", "25일"), {"answer.f1.numbers_wrong <= 0.05", "answer.f1.numbers_missing <= 0.05"}),
        (("없습니다", "있습니다"), {"answer.f1.negation >= 0.95"}),
    ],
    ids=["the same", "another number", "the opposite"],
)
def test_a_gate_sees_what_the_overlap_does_not(
    space: Space, endpoint: ChatEndpoint, cli: Cli, change: tuple[str, str], failed: set[str]
) -> None:
    endpoint.default = said(change, every=3)
    folder = bench(space)
    done = cli("bench", "it", "--workspace", folder)
    assert done.code == 0, done.err
    judged = cli("gate", "latest", "-w", folder, "--json", folder / "verdict.json", "--summary", folder / "verdict.md")
    rules = json.loads((folder / "verdict.json").read_text("utf-8"))[0]["rules"]
    assert {rule["rule"] for rule in rules if rule["verdict"] == "fail"} == failed
    assert {rule["rule"] for rule in rules if rule["verdict"] == "pass"} == {rule["rule"] for rule in rules} - failed
    assert judged.code == (1 if failed else 0)
    report = cli("report", "latest", "-w", folder)
    assert report.code == 0
    pages = [Path(path).read_text("utf-8") for path in re.findall(r": (/.+)$", report.out, re.MULTILINE)]
    shown = cli("runs", "show", "latest", "--evaluators", "-w", folder)
    for metric in ("f1", "numbers_wrong", "numbers_missing", "negation"):
        assert metric in shown.out
        assert f"answer.f1.{metric} " in judged.out
        assert all(metric in page for page in (*pages, (folder / "verdict.md").read_text("utf-8")))
    assert len(pages) == 2
