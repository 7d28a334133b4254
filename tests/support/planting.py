"""A workspace in order, and faults to plant in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from chat_endpoint import ChatEndpoint
from command_line import Cli

Plant = Callable[[dict[str, Any], Path], None]
EVALUATORS = """\
primary: extract.choice.correct
nodes:
  extract:
    choice:
      evaluator: choice
      inputs: {answer: "${nodes.extract.output.answer}", gold: "${data.answer}"}
    own:
      evaluator: grading:grade
      inputs: {answer: "${nodes.extract.output.answer}", gold: "${data.answer}"}
"""
GRADING = """\
def grade(answer, gold):
    return {"agrees": float(answer == gold), "length": float(len(answer or ""))}
"""
TUNING = {
    "trainer": "azure_openai",
    "endpoint": "https://tuned.example.com",
    "api_key": "${env:TUNING_KEY}",
    "base": "gpt-oss-20b",
    "account": {"subscription": "s", "resource_group": "g", "account": "a"},
}


def questions(path: Path, start: int, count: int) -> None:
    rows = [
        {
            "id": f"q{n}",
            "question": f"{'가나다라마바사아자차'[n % 10]}의 물음 {n}번: {n * 37 % 101}보다 {n * 53 % 97} 큰 수는?",
            "choices": [f"{n * 7 + k * 13}" for k in range(4)],
            "answer": "ABCD"[n % 4],
            "category": "산수" if n % 2 else "국어",
        }
        for n in range(start, start + count)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


def config_of(endpoint: ChatEndpoint) -> dict[str, Any]:
    tested = {
        "provider": "openai",
        "endpoint": f"{endpoint.url}/v1",
        "model": "gpt-test",
        "attempts": 1,
        "timeout": 5.0,
    }
    return {
        "version": 1,
        "models": {"tested": tested},
        "datasets": {name: {"kind": "jsonl", "path": f"data/{name}.jsonl"} for name in ("own", "sealed")},
        "champions": {"live": "tested"},
        "suites": {"small": {"models": ["tested"], "datasets": ["own"], "flow": "flows/mine", "variants": ["terse"]}},
        "gates": {
            "small": {
                "suite": "small",
                "rules": [
                    {"metric": "accuracy", "min": 0.3, "model": "tested", "dataset": "own", "variant": "terse"},
                    {"metric": "extract.own.agrees", "min": 0.3, "slice": "산수"},
                    {"metric": "accuracy", "no_worse_than": "previous", "margin": 0.02},
                ],
            },
            "promotion": {"rules": [{"metric": "accuracy", "no_worse_than": "champion", "dataset": "sealed"}]},
        },
        "monitors": {
            "watch": {
                "champion": "live",
                "canaries": {"dataset": "own", "variant": "terse", "limit": 10},
                "floors": {"canary_accuracy": 0.1},
                "recipe": "tune",
            }
        },
        "recipes": {
            "tune": {
                "champion": "live",
                "synthesis": {"sources": [{"kind": "questions", "path": "data/material.jsonl"}], "count": 40},
                "base_model": "tested",
                "trainer": deepcopy(TUNING),
                "proof": ["own", "sealed"],
                "gate": "promotion",
            }
        },
        "nightly": {"suites": ["small"], "gates": ["small"], "monitors": ["watch"]},
    }


def setting(*path: str | int, to: Any) -> Plant:
    """A fault in the workspace file."""

    def change(config: dict[str, Any], folder: Path) -> None:
        *way, last = path
        value: Any = config
        for step in way:
            value = value[step]
        value[last] = to

    return change


def rule(**keys: Any) -> Plant:
    """A gate of one rule."""
    return setting("gates", "small", "rules", to=[keys])


def promotion(**keys: Any) -> Plant:
    return setting("gates", "promotion", "rules", to=[keys])


def text(file: str, before: str, after: str) -> Plant:
    """A fault in a file beside it."""

    def change(config: dict[str, Any], folder: Path) -> None:
        path = folder / file
        found = path.read_text(encoding="utf-8")
        assert before in found
        path.write_text(found.replace(before, after, 1), encoding="utf-8")

    return change


def source(**keys: Any) -> Plant:
    return setting(
        "recipes", "tune", "synthesis", "sources", to=[{"kind": "questions", "path": "data/material.jsonl", **keys}]
    )


def limits(**keys: Any) -> Plant:
    """Limits of the recipe's privacy that ask for no more than what is named, and files that hold nothing of use."""

    def change(config: dict[str, Any], folder: Path) -> None:
        none = dict.fromkeys(("canaries", "closer_share", "membership_advantage"))
        named = {"canaries": 0} if "canary_file" in keys else {"closer_share": 0.6} if "held_out" in keys else {}
        config["recipes"]["tune"]["privacy"] = {**none, **named, **keys}
        files = {
            "empty.jsonl": "\n",
            "empty.txt": " \n",
            "mute.jsonl": '{"foo": 1}\n',
            "planted.txt": "코드 가나다-1234\n",
        }
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")

    return change


def synthesis(**keys: Any) -> Plant:
    """Other settings of the recipe's synthesis; what they name in the folder is there, and what it should not be."""

    def change(config: dict[str, Any], folder: Path) -> None:
        config["recipes"]["tune"]["synthesis"] |= keys
        rows = {"asked": {"prompt": "연차는?"}, "replied": {"messages": [{"role": "assistant", "content": "네"}]}}
        for name, row in rows.items():
            (folder / f"{name}.jsonl").write_text(f"{json.dumps(row)}\n" * 40, encoding="utf-8")
        (folder / "docs").mkdir()
        (folder / "docs/rules.md").write_text("연차는 17일이다. 병가는 12일이다.", encoding="utf-8")
        (folder / "docs/scan.pdf").write_bytes(b"%PDF-1.4 cut")

    return change


def another_place(config: dict[str, Any], folder: Path) -> None:
    config["champions"]["other"] = "tested"
    config["recipes"]["tune"]["champion"] = "other"
    config["gates"]["promotion"]["slot"] = "other"


def gate_of_another_place(config: dict[str, Any], folder: Path) -> None:
    config["champions"]["other"] = "tested"
    config["gates"]["promotion"]["slot"] = "other"


def no_place(config: dict[str, Any], folder: Path) -> None:
    config["champions"]["other"] = "tested"
    config["gates"]["small"]["rules"] = [{"metric": "accuracy", "no_worse_than": "champion"}]


def idle_gate(config: dict[str, Any], folder: Path) -> None:
    config["suites"]["other"] = dict(config["suites"]["small"])
    config["gates"]["other"] = {"suite": "other", "rules": [{"min": 0.1}]}
    config["nightly"]["gates"] = ["small", "other"]


def measured(config: dict[str, Any], folder: Path) -> None:
    source(path="data/sealed.jsonl")(config, folder)


def wrong_label(config: dict[str, Any], folder: Path) -> None:
    rows = [{"text": f"문의 {n}", "label": "환불" if n else "환블"} for n in range(40)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "data/production.jsonl").write_text(lines, encoding="utf-8")
    labelled = {"kind": "examples", "path": "data/production.jsonl", "labels": {"환불": "환불", "배송": "배송"}}
    config["recipes"]["tune"]["synthesis"]["sources"] = [labelled]


def rollout(config: dict[str, Any], folder: Path) -> None:
    address = {"subscription": "s", "resource_group": "g", "workspace": "w"}
    config["recipes"]["tune"] |= {
        "base_model": "small",
        "trainer": {"trainer": "azure_ml", "workspace": address, "compute": "c", "image": "x.io/y:1"},
        "rollout": {"workspace": address, "endpoint": "e", "environment": "n:1", "instance_type": "t", "code": "score"},
    }
    config["models"]["small"] = {"provider": "local", "model": "no-such.gguf"}


def empty_connection(config: dict[str, Any], folder: Path) -> None:
    config["azure_monitor"] = {"connection_string": "${env:TUNING_KEY}"}


def said(cli: Cli, folder: Path) -> tuple[int, str]:
    done = cli("doctor", "-w", folder)
    assert "defect" not in done.err, done.err
    return done.code, " ".join(done.out.split())
