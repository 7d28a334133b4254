"""What a page calls the reader's own, as far as a block names it: data, documents, certificates, flows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from example_flows import WEB
from pages import Block
from recorded_files import write
from teacher import SUBJECTS, documents

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.datasets._subset_file import SubsetItem, SubsetPlan, write_subset

MINE = """
from driftgate.flows.line import ask


class Main:
    def __init__(self, suffix):
        self.suffix = suffix

    async def __call__(self, question):
        return {"answer": (await ask(question)).text + self.suffix}
"""
"""``main.py`` of the flex flow that docs/promptflow.md shows."""
PROMPTY = """---
name: ask
model:
  api: chat
  configuration: {type: azure_openai, azure_deployment: gpt}
  parameters: {max_tokens: 10}
inputs: {question: {type: string}}
---
user:
{{question}}
"""
FLOW = """
inputs: {url: {type: string}, k: {type: int}, longest: {type: int, default: 9}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- name: ask
  type: python
  source: {type: code, path: ask.py}
  inputs: {url: "${inputs.url}", k: "${inputs.k}", most: "${inputs.longest}"}
"""
ASK = """
from driftgate.flows.line import ask as ask_model
from driftgate.flows.tool import tool


@tool
async def ask(url: str, k: int, most: int) -> str:
    return (await ask_model(f"{url} {k}")).text[:most]
"""
LETTERS = "ABCDEFGH"


def supply(folder: Path, config: Mapping[str, Any], page: Sequence[Block]) -> None:
    """Write what the settings name and the reader has: it is made up, in the layout that the settings say."""
    for dataset in config.get("datasets", {}).values():
        if dataset["kind"] == "subset":
            whole = config["datasets"][dataset["of"]]
            _subset(folder, dataset, whole)
        elif "path" in dataset:
            _data(folder / dataset["path"], dataset, page)
        if "shots_path" in dataset:
            _table(folder / dataset["shots_path"], dataset)
    for retriever in config.get("retrievers", {}).values():
        if "folder" in retriever:
            _text(folder / retriever["folder"] / "hr/leave.md", "# 연차\n\n연차는 17일이다.\n")
    for synthesis in config.get("synthesis", {}).values():
        for one in synthesis["sources"]:
            material(folder / one["path"])
    for source in config.get("telemetry", []):
        if "folder" in source:
            call = {"time": "2026-11-01T09:00:00", "deployment": "gpt", "input_tokens": 3, "output_tokens": 1}
            _text(folder / source["folder"] / "calls.jsonl", json.dumps(call) + "\n")
    for allowed in config.get("allowed_roots", []):
        (folder / allowed).mkdir(parents=True, exist_ok=True)
    if ca_file := config.get("network", {}).get("ca_file"):
        import certifi

        _text(folder / ca_file, Path(certifi.where()).read_text("utf-8"))
    for suite in config.get("suites", {}).values():
        _flow(folder, suite.get("flow", ""))


def material(path: Path) -> None:
    """Documents in a folder, or prompts in a file, for a synthesis."""
    if path.suffix == ".jsonl":
        asked = [{"prompt": f"{subject} 규정을 알려 주세요."} for subject in SUBJECTS[:8]]
        _text(path, "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in asked))
        return
    rules = documents(48)
    for start in range(0, len(rules), 12):
        _text(path / f"rules-{start}.md", "# 규정\n\n" + "\n\n".join(rules[start : start + 12]))


def _text(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding)


def _flow(folder: Path, name: str) -> None:
    if name == "web":
        for path, text in WEB.files.items():
            _text(folder / path, re.sub(r"\n *connection: web_service(?=\n)", "", text))
    elif name == "my_flow":
        _text(folder / "flows/my_flow/flow.dag.yaml", FLOW)
        _text(folder / "flows/my_flow/ask.py", ASK)
    elif name.endswith(".prompty"):
        _text(folder / name, PROMPTY)


def _data(path: Path, dataset: Mapping[str, Any], page: Sequence[Block]) -> None:
    kind = dataset["kind"]
    if kind == "csv":
        _table(path, dataset)
    elif kind == "jsonl":
        shown = [block.text for block in page if block.language == "json"]
        rows = [
            {"link": "pages/map.txt", "url": "pages/map.txt", "question": f"{n}?", "truth": "App"} for n in range(4)
        ]
        _text(path, next(iter(shown), "") or "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    elif kind == "kmmlu":
        for part in ("dev", "test"):
            questions = [[f"{part} {n}?", str(n % 4 + 1), *"가나다라"] for n in range(12)]
            write(path / f"data/Law-{part}.csv", ["question", "answer", *"ABCD"], questions)
    elif kind == "hrm8k":
        rows = [[f"{n} + {n}?", f"{n} + {n}?", f"{2 * n}.0"] for n in range(8)]
        for name in ("gsm8k_test", "math_do_test", "omni-math_do_test", "mmmlu_test", "ksm_test"):
            write(path / f"{name}.csv", ["question", "original", "answer"], rows)
    elif kind == "kosimpleqa":
        rows = [
            {"id": n, "content": f"{n}번째 도시는?", "answer": "서울", "category": "지리", "answer_type": "Place"}
            for n in range(4)
        ]
        _text(path / "updated_kosimpleqa_with_trans.json", json.dumps(rows, ensure_ascii=False))
    elif kind == "ifeval_ko":
        row = {"key": 1, "prompt": "쉼표 없이 쓰세요.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
        _text(path / "ifeval_ko.jsonl", json.dumps(row, ensure_ascii=False) + "\n")


def _subset(folder: Path, dataset: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
    """A subset of a dataset that is written already, as ``driftgate dataset subset`` writes it."""
    samples = load_dataset(dataset["of"], parse_config(dict(whole)), folder).samples
    items = [SubsetItem(key=sample.key) for sample in samples[::3]]
    errors = {"standard_error": 0.02, "random_error": 0.03}
    plan = SubsetPlan(of=dataset["of"], n=len(samples), method="made up", models=["a", "b", "c"], items=items, **errors)
    write_subset(plan, folder / dataset["path"])


def _table(path: Path, dataset: Mapping[str, Any]) -> None:
    """Questions in the columns, the encoding and the labels that the settings say."""
    columns = {"question": "question", "answer": "answer", "choices": [], **dataset.get("columns", {})}
    rows = []
    for n in range(12):
        right = n % max(1, len(columns["choices"]))
        answer = str(right + 1) if dataset.get("answer_as") == "number" else LETTERS[right]
        category = dataset.get("categories", ["가"])[n % len(dataset.get("categories", ["가"]))]
        texts = [f"{n} {letter}" for letter in LETTERS[: len(columns["choices"])]]
        rows.append([f"n{n} {path.stem}", f"{n}번 문제 {path.stem}?", *texts, answer, category])
    header = [columns.get("id", "id"), columns["question"], *columns["choices"], columns["answer"], "category"]
    write(path, header, rows)
    if "encoding" in dataset:
        path.write_text(path.read_text("utf-8"), dataset["encoding"])
