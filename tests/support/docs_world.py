"""The workspace that the pages' commands are run in, with a real ledger, and what placeholders stand for in it."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from pages import blocks
from readers_files import material
from recorded_files import write

from driftgate.finetune.remediation import open_remediation
from driftgate.finetune.remediation._store import close
from driftgate.ledger import latest_runs, open_ledger
from driftgate.monitor.incidents import IncidentsConfig, Sign, incidents, settle

MODELS = ("gpt-35-turbo-230613", "phi-3-5-moe-instruct", "gpt-5-chat-2025-08-08")
"""Models of which the stand-ins of recorded answers are."""
GOLDS = random.Random(1).choices("ABCD", k=320)
QUESTIONS = 16
FLOW = {
    "prepare.py": "from driftgate.flows.tool import tool\n\n\n@tool\ndef prepare(question: str, passage: str) -> str:\n"
    "    return f'{passage}\\n\\n{question}'\n",
    "compose.jinja2": "# user:\n{{ text }}\n{% for choice in choices %}{{ 'ABCDE'[loop.index0] }}. {{ choice }}\n"
    "{% endfor %}정답:\n",
    "ask.py": "from driftgate.flows.line import ask as ask_model\nfrom driftgate.flows.tool import tool\n\n\n@tool\n"
    "async def ask(prompt: str) -> str:\n    return (await ask_model(prompt)).text\n",
    "extract.py": "from driftgate.flows.extraction import extract_choice\n"
    "from driftgate.flows.tool import tool\n\n\n@tool\n"
    "def extract(reply: str, choices: list) -> dict:\n    return {'answer': extract_choice(reply, choices).answer}\n",
}
"""The flow of docs/attribution.md and docs/parity.md: prepare, compose, ask, extract."""


@dataclass(frozen=True)
class World:
    """A folder in which a reader of the pages works."""

    folder: Path
    """Where ``my-workspace``, ``my-rag`` and ``shared`` lie."""
    stands_for: dict[str, str]
    """By placeholder: what a reader would put there."""

    @property
    def workspace(self) -> Path:
        """The workspace itself."""
        return self.folder / "my-workspace"


def build(folder: Path, cli: Cli, endpoint: ChatEndpoint) -> World:
    """Write the workspace, run its suites, look with its monitor, and import what is recorded."""
    endpoint.default = answer
    space = folder / "my-workspace"
    _write_data(space, folder / "shared/data")
    _write_flows(space)
    (space / "driftgate.yaml").write_text(
        yaml.safe_dump(_config(f"{endpoint.url}/v1"), allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    for command in (
        "bench fewer",
        "bench whole",
        "bench cut",
        "bench nightly",
        "monitor check assistant",
        "monitor check assistant",
        "bench release",
        "bench release",
        "gate latest",
    ):
        done = cli(*command.split(), "-w", space)
        assert done.code == 0, f"{command}: {done.code}\n{done.out}{done.err}"
    done = cli("runs", "import", folder / "shared/data/recorded", "-w", space)
    assert done.code == 0, done.out + done.err
    ledger = open_ledger(".driftgate/ledger.db", space)
    second, first = (row.id for row in latest_runs(ledger, 2, suite="release"))
    remediation, _ = open_remediation(ledger, "assistant", "canaries are answered worse", "small", {})
    close(ledger, remediation.id, "rejected")  # an open one would train a model
    sign = Sign("assistant", "model", "model_moved", "high", "canaries", "canaries are answered worse")
    settle(ledger, "model", [sign], datetime.now(UTC), IncidentsConfig(), over="")
    (incident,) = incidents(ledger)
    ledger.close()
    return World(
        folder,
        {
            "RUN": second,
            "RUN_A": f"{first}/large",
            "RUN_B": f"{second}/large",
            "BEFORE": f"{first}/small",
            "AFTER": f"{second}/large",
            "SUITE": "release",
            "SLOT": "assistant",
            "MODEL": "large",
            "WHY": "it passed",
            "SAMPLE": "q3",
            "MONITOR": "assistant",
            "DATASET": "kmmlu",
            "A": MODELS[0],
            "B": MODELS[1],
            "C": MODELS[2],
            "FLOW": "whole",
            "PORT": "ported:faithful",
            "ID": remediation.id,
            "INCIDENT": incident.id,
            "FILE": "file.json",
            "FOLDER": ".",
            "N": "8",
            "VERSION": "1",
            "WORKSPACE": str(space),
            "DATA": str(folder / "shared/data"),
            "node.evaluator.metric": "extract.choice.correct",
        },
    )


def answer(prompt: str) -> Answer:
    """The right letter of the questions below, but every fifth time; of everything else a letter."""
    number = re.findall(r"문제 (\d+)번", prompt)
    return Answer("A" if not number or int(number[-1]) % 5 == 0 else "ABCD"[int(number[-1]) % 4])


def _config(url: str) -> dict[str, Any]:
    service = {
        "provider": "openai",
        "endpoint": url,
        "attempts": 1,
        "prices": {"input": 1, "output": 2, "currency": "USD"},
    }
    asked = {"models": ["small", "large"], "datasets": ["ours"]}
    rules = [{"metric": "accuracy", "min": 0.2}, {"metric": "accuracy", "no_worse_than": "previous", "margin": 0.5}]
    return {
        "version": 1,
        "allowed_roots": ["../shared/data"],
        "keep": {"details_days": 30, "texts_days": 365},
        "models": {name: {**service, "model": name} for name in ("small", "large")},
        "datasets": {
            "ours": {
                "kind": "csv",
                "path": "data/ours.csv",
                "shots_path": "data/shots.csv",
                "columns": {"choices": [*"ABCD"]},
            },
            "kmmlu": {"kind": "kmmlu", "path": "../shared/data/kmmlu"},
            "click": {"kind": "click", "path": "../shared/data/click"},
        },
        "suites": {
            "release": {**asked, "variants": ["terse"]},
            "nightly": {**asked, "variants": ["few_shot"], "few_shot": 5},
            "fewer": {"models": ["small"], "datasets": ["ours"], "variants": ["terse"], "limit": 8},
            **{
                name: {"models": ["small"], "datasets": ["ours"], "flow": name, "inputs": {"passage": "지문"}}
                for name in ("whole", "cut")
            },
        },
        "gates": {
            "release": {"suite": "release", "first_run": "pass", "rules": rules},
            "replace": {"suite": "nightly", "rules": [{"metric": "accuracy", "min": 0.2}]},
        },
        "retrievers": {"ours": {"folder": "data/documents"}},
        "synthesis": {
            "rules": {
                "sources": [{"kind": "documents", "path": "data/rules"}],
                "coverage": {"mix": "even"},
                "count": 40,
            },
            "answers": {
                "sources": [{"kind": "prompts", "path": "data/prompts.jsonl"}],
                "form": "text",
                "model": "large",
                "count": 20,
            },
        },
        "champions": {"assistant": "small"},
        "monitors": {"assistant": {"champion": "assistant", "canaries": {"dataset": "ours", "variant": "terse"}}},
        "nightly": {"suites": ["release"], "gates": ["release"], "monitors": ["assistant"]},
        "service": {"token": "${env:DRIFTGATE_TOKEN}"},
    }


def _write_data(space: Path, shared: Path) -> None:
    """The team's own questions and few-shot examples, and stand-ins of KMMLU, CLIcK and recorded answers to them."""
    header = ["id", "question", *"ABCD", "answer", "category"]
    rows = [
        [
            f"q{n}",
            f"문제 {n}번은?{' 김철수가 묻습니다.' if n == 7 else ''}",
            *(f"{c}{n}" for c in "가나다라"),
            "ABCD"[n % 4],
            f"범주 {n % 2}",
        ]
        for n in range(QUESTIONS + 2)
    ]
    write(space / "data/ours.csv", header, rows)
    write(space / "data/shots.csv", header, [[f"s{n}", f"보기 {n}", *"가나다라", "A", "범주 0"] for n in range(5)])
    material(space / "data/rules")
    material(space / "data/prompts.jsonl")
    (space / "data/documents").mkdir()
    (space / "data/documents/leave.md").write_text("# 연차\n\n연차는 17일이다.\n", "utf-8")
    write(space / "answers.csv", ["id", "answer", "pred", "reply"], [[row[0], row[6], row[6], row[6]] for row in rows])
    for subject, golds in {"Law": GOLDS[:160], "Math": GOLDS[160:]}.items():
        questions = [[f"{subject} {n}?", str("ABCD".index(gold) + 1), *"가나다라"] for n, gold in enumerate(golds)]
        write(shared / f"kmmlu/data/{subject}-test.csv", ["question", "answer", *"ABCD"], questions)
    items = [
        {
            "id": f"c{n}",
            "paragraph": "",
            "question": f"{n}?",
            "choices": [*"가나다라"],
            "answer": "가나다라"["ABCD".index(gold)],
        }
        for n, gold in enumerate(GOLDS[:60])
    ]
    path = shared / "click/Dataset/Language/Grammar/Grammar_Kedu.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(items, ensure_ascii=False), encoding="utf-8")
    for number, model in enumerate(MODELS):
        said = [random.Random(f"{number} {n}").choice([gold, gold, "B"]) for n, gold in enumerate(GOLDS)]
        law = [["Law" if n < 160 else "Math", g, s, s] for n, (g, s) in enumerate(zip(GOLDS, said, strict=True))]
        write(shared / f"recorded/[KMMLU] {model}.csv", ["category", "answer", "pred", "response"], law)
        kedu = [[f"c{n}", "0", g, s, s] for n, (g, s) in enumerate(zip(GOLDS[:60], said[:60], strict=True))]
        write(shared / f"recorded/[CLIcK] {model}.csv", ["id", "trial", "answer", "pred", "response"], kedu)


def _write_flows(space: Path) -> None:
    def node(name: str, file: str, **inputs: str) -> dict[str, Any]:
        kind = "prompt" if file.endswith("jinja2") else "python"
        return {"name": name, "type": kind, "source": {"type": "code", "path": file}, "inputs": inputs}

    dag = {
        "inputs": {"question": {"type": "string"}, "choices": {"type": "list"}, "passage": {"type": "string"}},
        "outputs": {"answer": {"type": "string", "reference": "${extract.output.answer}"}},
        "nodes": [
            node("prepare", "prepare.py", question="${inputs.question}", passage="${inputs.passage}"),
            node("compose", "compose.jinja2", text="${prepare.output}", choices="${inputs.choices}"),
            node("ask", "ask.py", prompt="${compose.output}"),
            node("extract", "extract.py", reply="${ask.output}", choices="${inputs.choices}"),
        ],
    }
    choice = {"evaluator": "choice", "inputs": {"answer": "${nodes.extract.output.answer}", "gold": "${data.answer}"}}
    for name in ("whole", "cut"):
        flow = space / "flows" / name
        flow.mkdir(parents=True)
        (flow / "flow.dag.yaml").write_text(yaml.safe_dump(dag, sort_keys=False), encoding="utf-8")
        evaluators = {"primary": "extract.choice.correct", "nodes": {"extract": {"choice": choice}}}
        (flow / "evaluators.yaml").write_text(yaml.safe_dump(evaluators), encoding="utf-8")
        for file, text in FLOW.items():
            (flow / file).write_text(text.replace("{{ text }}", "{{ text[:6] }}") if name == "cut" else text, "utf-8")
    port = next(block.text for block in blocks("docs/parity.md") if "async def faithful" in block.text)
    changed = port[port.index("async def") :].replace("faithful", "changed").replace("정답:", "답을 고르시오:")
    (space / "ported.py").write_text(f"{port}\n\n{changed}", encoding="utf-8")
