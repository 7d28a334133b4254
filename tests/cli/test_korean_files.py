"""A workspace whose settings and files are in two Unicode forms, or hold what no database can."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

from driftgate.ledger import cells_of, find_run, open_ledger, outcome_frame, sample_data

FORMS = pytest.mark.parametrize(("settings", "files"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
FLOW = """\
inputs:
  문제: {type: string}
outputs:
  answer: {type: string, reference: "${ask.output}"}
nodes:
- name: ask
  type: python
  source: {type: code, path: ask.py}
  inputs: {prompt: "${inputs.문제}"}
"""
ASK = """\
from promptflow.core import tool

from driftgate.flows.line import ask as ask_model


@tool
async def ask(prompt: str) -> str:
    await ask_model(prompt)
    return prompt
"""
EVALUATORS = """\
primary: ask.same.match
nodes:
  ask:
    same:
      evaluator: exact_match
      inputs: {response: "${nodes.ask.output}", ground_truth: "${data.답안}"}
"""


def write(path: Path, text: str, form: str) -> None:
    """Write a file whose name and text are in that form."""
    path = Path(unicodedata.normalize(form, str(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unicodedata.normalize(form, text), encoding="utf-8")


@FORMS
def test_settings_and_files_may_be_in_two_forms(
    cli: Cli, make: Make, endpoint: ChatEndpoint, settings: str, files: str
) -> None:
    folder = make()
    config = yaml.safe_load((folder / "driftgate.yaml").read_text(encoding="utf-8"))
    columns = {"question": "문제", "choices": ["가", "나"], "answer": "정답", "category": "분야"}
    config["datasets"]["own"] = {
        "kind": "csv",
        "path": "자료/시험.csv",
        "columns": columns,
        "categories": ["지리", "역사"],
    }
    config["gates"]["small"]["rules"] = [{"metric": "accuracy", "min": 0.3, "slice": "지리"}]
    write(folder / "driftgate.yaml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False), settings)
    rows = [
        f"물음 {n}?,서울{n},부산{n},{'부산' if n % 2 else '서울'}{n},{'지리' if n < 16 else '역사'}" for n in range(20)
    ]
    write(folder / "자료/시험.csv", "\n".join(["문제,가,나,정답,분야", *rows]) + "\n", files)
    endpoint.default = Answer("A")
    assert cli("doctor", "-w", folder).code == 0
    done = cli("bench", "-w", folder)
    assert done.code in (0, 3), done.out + done.err
    assert "accuracy" in done.out


@FORMS
def test_a_flow_names_columns_in_either_form(
    cli: Cli, make: Make, endpoint: ChatEndpoint, settings: str, files: str
) -> None:
    folder = make()
    endpoint.default = Answer("A")
    config = yaml.safe_load((folder / "driftgate.yaml").read_text(encoding="utf-8"))
    config["datasets"]["own"] = {
        "kind": "jsonl",
        "path": "data/own.jsonl",
        "columns": {"question": "물음", "answer": "정답"},
    }
    config["suites"]["small"] = {"models": ["tested"], "datasets": ["own"], "flow": "되말하기"}
    write(folder / "driftgate.yaml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False), settings)
    row = {"물음": "무엇?", "정답": "예", "문제": "그대로", "답안": "그대로"}
    write(folder / "data/own.jsonl", json.dumps(row, ensure_ascii=False), files)
    for name, text in (("flow.dag.yaml", FLOW), ("ask.py", ASK), ("evaluators.yaml", EVALUATORS)):
        write(folder / "되말하기" / name, text, settings)
    done = cli("bench", "-w", folder)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    assert list(outcome_frame(ledger, cell.id)["correct"]) == [1.0], done.out + done.err
    ledger.close()


def test_half_a_character_in_a_question_reaches_model_and_ledger(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(1)
    config = yaml.safe_load((folder / "driftgate.yaml").read_text(encoding="utf-8"))
    config["datasets"]["own"] = {"kind": "jsonl", "path": "data/own.jsonl"}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    text = '{"question": "감정은? 좋아요 \\ud83d", "choices": ["긍정", "부정"], "answer": "A"}\n'
    (folder / "data/own.jsonl").write_text(text, encoding="utf-8")
    endpoint.default = Answer("A")
    assert cli("doctor", "-w", folder).code == 0
    assert cli("bench", "-w", folder).code in (0, 3)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (cell,) = cells_of(ledger, find_run(ledger, "latest").id)
    (sample,) = sample_data(ledger, list(outcome_frame(ledger, cell.id)["sample_id"])).values()
    assert sample["question"] == "감정은? 좋아요 \ufffd"
    ledger.close()
