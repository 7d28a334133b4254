"""A score is a model's only where the model was asked: by nobody, it is not measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from asking import ASKING, GUESS, INPUTS, PROMPTY, SAY, Space, llm, said, space_with, tool
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make
from sqlalchemy import text

from driftgate.benchmarks.scores import score_cell
from driftgate.ledger import Ledger, cells_of, find_run, open_ledger, outcome_frame, run_hash


@pytest.fixture
def space(make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setenv("SERVICE_KEY", "k-service")
    return space_with(make, endpoint)


# Answered by nobody: told beforehand


def flex(code: str) -> dict[str, str]:
    return {"flow.flex.yaml": "entry: main:main\n", "main.py": code}


DEAF = {
    "a tool of the standard library": {
        "flow.dag.yaml": tool(),
        "guess.py": GUESS.replace("IMPORTS", "import json, re"),
    },
    "a tool and its neighbour": {
        "flow.dag.yaml": tool(),
        "guess.py": GUESS.replace("IMPORTS", "from beside import one\nfrom inner.deep import two"),
        "beside.py": "import math\none = math.pi\n",
        "flows/mine/inner/deep.py": "from datetime import datetime\ntwo = datetime\n",
    },
    "an llm node that asks its own service": {
        "flow.dag.yaml": INPUTS.replace("NODE", "guess") + llm("guess", "service", ", model: gpt-else"),
        "say.jinja2": SAY,
    },
    "an aggregation node that would": {
        "flow.dag.yaml": tool() + llm("late").replace("  api", "  aggregation: true\n  api"),
        "guess.py": GUESS.replace("IMPORTS", ""),
        "say.jinja2": SAY,
    },
    "a flex flow": flex("def main(question: str) -> str:\n    return 'A'\n"),
    "a prompty that asks its own service": {
        "asked.prompty": PROMPTY.replace("CONFIGURATION", "{type: openai, model: g, connection: service}")
    },
}


@pytest.mark.parametrize("kind", DEAF)
def test_a_flow_that_cannot_ask_is_refused(space: Space, cli: Cli, endpoint: ChatEndpoint, kind: str) -> None:
    suite = {"flow": "flows/mine/asked.prompty"} if "prompty" in kind else {}
    judged = {"a flex flow": "flow"}.get(kind, "ask" if suite else "guess")
    folder = space(DEAF[kind], judged, **suite)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2
    assert "can ask the model under test, so that its score would be no model's" in said(done)
    assert "driftgate.flows.line.ask" in said(done)
    assert not endpoint.requests
    assert "can ask the model under test" in cli("doctor", "-w", folder).out


HEARS = {
    "by name": GUESS.replace("IMPORTS", "import importlib\n"),
    "by another package": GUESS.replace("IMPORTS", "import yaml\n"),
    "by exec": GUESS.replace("IMPORTS", "").replace("    return", "    exec('pass')\n    return"),
    "by a flow that it runs": GUESS.replace("IMPORTS", "from promptflow.core import Flow\n"),
    "by its neighbour": GUESS.replace("IMPORTS", "import beside\n"),
}


@pytest.mark.parametrize("how", HEARS)
def test_a_flow_that_may_ask_is_run_and_its_score_is_none_where_it_did_not(
    space: Space, cli: Cli, endpoint: ChatEndpoint, how: str
) -> None:
    files = {"flow.dag.yaml": tool(), "guess.py": HEARS[how], "beside.py": "from driftgate.flows.line import ask\n"}
    done = cli("bench", "small", "-w", space(files))
    assert done.code == 4, done.err
    assert not endpoint.requests


# Answered by nobody: seen afterwards


def never() -> dict[str, str]:
    return {
        "flow.dag.yaml": tool(),
        "guess.py": HEARS["by its neighbour"],
        "beside.py": "from driftgate.flows.line import ask\n",
    }


def cells(folder: Path) -> tuple[Ledger, dict[str, Any]]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    return ledger, {cell.model: cell for cell in cells_of(ledger, find_run(ledger, "latest").id)}


def test_two_models_that_nobody_asked_have_no_score(
    space: Space, cli: Cli, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = space(never())
    done = cli("bench", "small", "-w", folder)
    assert done.code == 4
    for model in ("tested", "other"):
        assert f"unmeasurable: no line asked the model '{model}', so nothing of it was measured" in done.out
    assert "1.000" not in done.out and not endpoint.requests
    gate = cli("gate", "latest", "-w", folder, "--json", tmp_path / "gate.json")
    assert gate.code == 4
    (judged,) = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))
    assert {rule["verdict"] for rule in judged["rules"]} == {"unmeasurable"}
    assert all("no line asked the model" in rule["reason"] for rule in judged["rules"])
    assert cli("report", "latest", "-w", folder).code == 0
    pages = [next(folder.rglob(f"*.{kind}")).read_text(encoding="utf-8") for kind in ("html", "md")]
    assert all("no line asked the model" in page for page in pages)
    assert not any("100.0" in page.split("<body")[-1].split("<script")[0] for page in pages)
    assert cli("nightly", "-w", folder).code == 4
    run = find_run(open_ledger(".driftgate/ledger.db", folder), "latest").id
    for again in (
        ["compare", run],
        ["runs", "rescore", run, "--as", "published-ko"],
        ["flow", "attribute", f"{run}/0", f"{run}/1"],
        ["dataset", "plan", "own", "tested", "other"],
        ["dataset", "subset", "own", "--size", "5"],
    ):
        done = cli(*again, "-w", folder)
        assert done.code == 2 and "no line asked the model" in done.err, again
    ledger, found = cells(folder)
    assert all(set(outcome_frame(ledger, cell.id)["outcome"]) == {"missing"} for cell in found.values())
    assert all(row.value is None for row in score_cell(ledger, found["tested"]).rows)
    ledger.close()


@pytest.mark.parametrize("metric", ["share.failed", "guess.right.correct", "latency_p95"])
def test_no_rule_holds_of_a_model_that_nobody_asked(space: Space, cli: Cli, metric: str) -> None:
    folder = space(never())
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["gates"]["small"]["rules"] = [{"metric": metric, "max": 1.0}]
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    assert cli("bench", "small", "-w", folder).code == 4
    assert cli("gate", "latest", "-w", folder).code == 4


def asking(model: str = "''", when: str = "True") -> dict[str, str]:
    return {"flow.dag.yaml": tool(), "guess.py": ASKING.replace("MODEL", model).replace("WHEN", when)}


def test_a_model_that_answers_in_another_s_place_has_a_score_and_the_other_none(space: Space, cli: Cli) -> None:
    folder = space(asking("'other'"))
    done = cli("bench", "small", "-w", folder)
    assert done.code == 4
    assert "no line asked the model 'tested' (asked: other)" in done.out
    ledger, found = cells(folder)
    scores = {name: score_cell(ledger, cell).get("accuracy") for name, cell in found.items()}
    ledger.close()
    assert scores["tested"] is not None and scores["tested"].value is None
    assert scores["other"] is not None and scores["other"].value == 1.0


def test_nothing_is_no_worse_than_a_run_that_asked_nobody(space: Space, cli: Cli) -> None:
    folder = space(never(), models=["tested"])
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["gates"]["small"]["rules"] = [{"no_worse_than": "previous", "margin": 0.5}]
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    assert cli("bench", "small", "-w", folder).code == 4
    (folder / "flows/mine/guess.py").write_text(asking()["guess.py"], encoding="utf-8")
    assert cli("bench", "small", "-w", folder).code == 0
    gate = cli("gate", "latest", "-w", folder)
    assert gate.code == 4 and "cannot be compared with: more of its samples failed" in gate.out


def test_a_flow_that_asks_only_what_it_cannot_answer_is_measured(
    space: Space, cli: Cli, endpoint: ChatEndpoint
) -> None:
    done = cli("bench", "small", "-w", space(asking(when="'3번' in question")))
    assert done.code == 0, done.err
    assert len(endpoint.requests) == 2


def test_a_node_that_is_bypassed_on_every_line_asked_nobody(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    dag = tool().replace('"${guess.output}"', '"${guess.output}"') + llm("late").replace(
        "  api", '  activate: {when: "${inputs.question}", is: never}\n  api'
    )
    files = {"flow.dag.yaml": dag, "guess.py": GUESS.replace("IMPORTS", ""), "say.jinja2": SAY}
    assert cli("bench", "small", "-w", space(files)).code == 4
    assert not endpoint.requests


def test_a_reply_from_the_cache_was_asked_for(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    folder = space(asking(), cache=True, models=["tested"])
    assert [cli("bench", "small", "-w", folder).code for _ in range(2)] == [0, 0]
    assert len(endpoint.requests) == 8


def test_a_call_that_failed_was_made(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    files = asking()
    caught = "    try:\n        await ask(question)\n    except Exception:\n        return 'A'\n"
    files["guess.py"] = files["guess.py"].partition("    return")[0] + caught
    endpoint.default = Status(500, {"error": {"message": "boom"}})
    assert cli("bench", "small", "-w", space(files, models=["tested"])).code == 0
    assert endpoint.requests


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_what_a_killed_run_asked_counts_when_it_goes_on(space: Space, cli: Cli, endpoint: ChatEndpoint) -> None:
    when = "int(question.split()[1].rstrip('번은?')) < 12"
    folder = space(asking(when=when), count=60, models=["tested"])
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["models"]["tested"]["in_flight"] = 2
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    endpoint.default = Answer("A", seconds=0.05)
    slow = "    import asyncio\n    await asyncio.sleep(0.05)\n    return"
    code = asking(when=when)["guess.py"].replace("    return", slow)
    (folder / "flows/mine/guess.py").write_text(code, encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "driftgate", "bench", "small", "-w", str(folder)])
    try:
        deadline = time.monotonic() + 60
        while len(endpoint.requests) < 12:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(0.3)  # a few lines that ask nobody
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    asked = len(endpoint.requests)
    done = cli("bench", "small", "--resume", "-w", folder)
    assert done.code == 0, done.err
    assert len(endpoint.requests) <= asked + 2  # those in flight at the kill, at most


def test_canaries_that_ask_nobody_are_no_look(space: Space, cli: Cli) -> None:
    folder = space(never())
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["champions"] = {"live": "tested"}
    config["monitors"] = {"watch": {"champion": "live", "canaries": {"dataset": "own", "flow": "mine"}}}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    look = cli("monitor", "check", "watch", "-w", folder)
    assert look.code == 4 and "no line asked the model 'tested'" in look.out
    drift = cli("monitor", "prompt-drift", "watch", "-w", folder)
    assert drift.code == 4 and "no line asked the model 'tested'" in drift.out


def test_programs_without_a_model_can_still_be_shown_to_do_the_same(space: Space, cli: Cli) -> None:
    folder = space({"flow.dag.yaml": tool(), "guess.py": GUESS.replace("IMPORTS", "")}, count=200)
    (folder / "ported_guess.py").write_text(GUESS.replace("IMPORTS", "").replace("@tool\n", ""), encoding="utf-8")
    done = cli("flow", "parity", "mine", "ported_guess:guess", "--model", "tested", "--dataset", "own", "-w", folder)
    assert done.code == 0, done.out + done.err
    assert "equivalent" in done.out


def test_who_was_asked_is_part_of_a_run_s_content(space: Space, cli: Cli) -> None:
    folder = space(asking(), models=["tested"])
    assert cli("bench", "small", "-w", folder).code == 0
    ledger, _ = cells(folder)
    run = find_run(ledger, "latest").id
    before = run_hash(ledger, run)
    with ledger.write() as connection:
        connection.execute(text("DELETE FROM asked_models"))
    assert run_hash(ledger, run) != before
    ledger.close()


@pytest.mark.parametrize("asked", [True, False])
def test_runs_of_an_earlier_version_are_judged_by_their_outcomes(space: Space, cli: Cli, asked: bool) -> None:
    folder = space(asking() if asked else never(), models=["tested"])
    cli("bench", "small", "-w", folder)
    ledger, found = cells(folder)
    details = {k: v for k, v in found["tested"].details.items() if k != "asks_model"}
    with ledger.write() as connection:  # as an earlier version left it
        connection.execute(text("DELETE FROM asked_models"))
        connection.execute(text("UPDATE cells SET details = :details"), {"details": json.dumps(details)})
    ledger.close()
    assert cli("gate", "latest", "-w", folder).code == (0 if asked else 4)
