"""``driftgate flow attribute``: which node of a flow accounts for a regression."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Change, Cli, Make

DAG = {
    "inputs": {"question": {"type": "string"}, "choices": {"type": "list"}},
    "outputs": {"answer": {"type": "string", "reference": "${extract.output.answer}"}},
    "nodes": [
        {
            "name": "retrieve",
            "type": "python",
            "source": {"type": "code", "path": "retrieve.py"},
            "inputs": {"question": "${inputs.question}", "count": 3},
        },
        {
            "name": "compose",
            "type": "python",
            "source": {"type": "code", "path": "compose.py"},
            "inputs": {
                "question": "${inputs.question}",
                "choices": "${inputs.choices}",
                "facts": "${retrieve.output}",
            },
        },
        {
            "name": "ask",
            "type": "python",
            "source": {"type": "code", "path": "ask.py"},
            "inputs": {"prompt": "${compose.output}"},
        },
        {
            "name": "extract",
            "type": "python",
            "source": {"type": "code", "path": "extract.py"},
            "inputs": {"reply": "${ask.output}"},
        },
    ],
}
TOOL = "from promptflow.core import tool\n\n\n@tool\n"
SOURCES = {
    "retrieve.py": TOOL + "def retrieve(question: str, count: int) -> list:\n"
    "    number = int(question.split()[1].rstrip('번은?'))\n"
    "    return [f'사실 {number}', '딴 이야기', '또 다른 이야기'][:count]\n",
    "compose.py": TOOL + "def compose(question: str, choices: list, facts: list) -> str:\n"
    "    return '\\n'.join([*facts, question, *choices])\n",
    "ask.py": "from promptflow.core import tool\n\nfrom driftgate.flows.line import ask as ask_model\n\n\n@tool\n"
    "async def ask(prompt: str) -> str:\n    return (await ask_model(prompt)).text\n",
    "extract.py": TOOL + "def extract(reply: str) -> dict:\n    return {'answer': reply.strip()[:1]}\n",
}
EVALUATORS = {
    "primary": "extract.choice.correct",
    "nodes": {
        "extract": {
            "choice": {
                "evaluator": "choice",
                "inputs": {"answer": "${nodes.extract.output.answer}", "gold": "${data.answer}"},
            }
        }
    },
}


def write_flow(folder: Path, name: str, **sources: str) -> Path:
    """A flow of four nodes; ``sources`` replace those of nodes."""
    flow = folder / "flows" / name
    flow.mkdir(parents=True, exist_ok=True)
    (flow / "flow.dag.yaml").write_text(yaml.safe_dump(DAG, allow_unicode=True, sort_keys=False), "utf-8")
    (flow / "evaluators.yaml").write_text(yaml.safe_dump(EVALUATORS), "utf-8")
    for file, text in SOURCES.items():
        (flow / file).write_text(sources.get(file.partition(".")[0], text), encoding="utf-8")
    return flow


def knows_what_it_is_told(prompt: str) -> Answer:
    """Right where the fact about the question stands in the prompt with all choices, else always A."""
    number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
    whole = f"사실 {number}\n" in prompt and f"라{number}" in prompt
    return Answer("ABCD"[number % 4] if whole else "A")


TRUNCATES = SOURCES["compose.py"].replace("[*facts, question, *choices]", "[*facts, question, *choices][:-1]")
LESS = SOURCES["retrieve.py"].replace("[:count]", "[1:] if number % 5 == 0 else ['사실 %d' % number]")


@pytest.fixture
def two(make: Make, endpoint: ChatEndpoint) -> Callable[..., Path]:
    """``two(**sources)``: a workspace with the suites ``old`` and ``new``, whose flow has other sources."""

    def build(count: int = 40, change: Change = lambda config: None, **sources: str) -> Path:
        def suites(config: dict[str, Any]) -> None:
            suite = {"models": ["tested"], "datasets": ["own"]}
            config["suites"] = {name: {**suite, "flow": name} for name in ("old", "new")}
            config["gates"], config["nightly"] = {}, {}
            change(config)

        folder = make(count, suites)
        endpoint.default = knows_what_it_is_told
        write_flow(folder, "old")
        write_flow(folder, "new", **sources)
        return folder

    return build


def attributed(cli: Cli, folder: Path, *options: Any, code: int = 0) -> dict[str, Any]:
    out = folder / "attribution.json"
    done = cli("flow", "attribute", "old-", "new-", "--json", out, "-w", folder, *options)
    assert done.code == code, done.out + done.err
    return {**json.loads(out.read_text(encoding="utf-8")), "printed": done.out}


def contribution(found: dict[str, Any], node: str) -> dict[str, Any]:
    return next(dict(c) for c in found["contributions"] if c["player"]["nodes"] == [node])


def test_a_broken_middle_node_is_named_and_nobody_is_asked(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two(compose=TRUNCATES)
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    asked = len(endpoint.requests)
    found = attributed(cli, folder)
    assert [c["player"]["nodes"] for c in found["contributions"]] == [["compose"]]
    (one,) = found["contributions"]
    assert one["share"] == pytest.approx(1.0)
    assert one["interval"]["high"] < 0
    assert one["interval"]["estimate"] == pytest.approx(-0.75)
    assert {s["id"] for s in one["samples"]} <= {f"q{n}" for n in range(40) if n % 4}
    assert len(endpoint.requests) == asked and found["counts"]["asked"] == 0
    assert "compose accounts for 100% of the difference (-0.7500)" in found["printed"]


def test_two_nodes_share_what_both_broke(cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    folder = two(compose=TRUNCATES, retrieve=LESS)
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    asked = len(endpoint.requests)
    found = attributed(cli, folder)
    compose, retrieve = contribution(found, "compose"), contribution(found, "retrieve")
    # Of 40 samples 30 are lost by compose alone; 6 of them (the fifths that are not A) would be lost by retrieve too.
    assert compose["interval"]["estimate"] == pytest.approx(-(24 + 3) / 40)
    assert retrieve["interval"]["estimate"] == pytest.approx(-3 / 40)
    total = sum(c["interval"]["estimate"] for c in found["contributions"])
    assert total == pytest.approx(found["difference"]["difference"])
    assert len(endpoint.requests) - asked == found["counts"]["asked"] > 0
    again = attributed(cli, folder)
    assert again["counts"]["asked"] == 0 and again["counts"]["replies"] > 0
    assert again["contributions"] == found["contributions"]


HINTS = SOURCES["compose.py"].replace("[*facts, question", "[f'힌트 {question.split()[1]}', *facts, question")


def test_nodes_that_fail_only_together_are_named(cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    """The fact or the hint will do: a retriever without the fact and a prompt without the hint break it together."""
    folder = two(retrieve=SOURCES["retrieve.py"].replace("f'사실 {number}'", "'없음'"))
    (folder / "flows" / "old" / "compose.py").write_text(HINTS, encoding="utf-8")

    def knows(prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        return Answer("ABCD"[number % 4] if f"사실 {number}\n" in prompt or "힌트" in prompt else "A")

    endpoint.default = knows
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    found = attributed(cli, folder)
    rows = {tuple(row["nodes"]): (row["score"], row["lower"]) for row in found["table"]}
    whole = {(): (1.0, 0), ("retrieve",): (1.0, 0), ("compose",): (1.0, 0), ("retrieve", "compose"): (0.25, 30)}
    assert rows == whole
    (together,) = found["together"]
    assert together["nodes"] == ["retrieve", "compose"] and together["only"] == 30
    assert "retrieve and compose lower the score only together: -0.7500 with all of them" in found["printed"]
    # Shapley's values alone say that each of them lowers the score by half of it.
    assert contribution(found, "compose")["interval"]["estimate"] == pytest.approx(-0.375)


def test_nodes_that_each_fail_alone_are_not_said_to_fail_together(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two(compose=TRUNCATES, retrieve=LESS.replace("% 5", "% 2"))
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    found = attributed(cli, folder)
    assert len(found["table"]) == 4 and found["together"] == []
    assert "with these from the second run" in found["printed"] and "only together" not in found["printed"]


def test_the_model_is_told_from_the_prompt(cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    def another_model(config: dict[str, Any]) -> None:
        config["models"]["weaker"] = {**config["models"]["tested"], "parameters": {"temperature": 0.5}}
        config["suites"]["new"]["models"] = ["weaker"]

    folder = two(change=another_model, retrieve=SOURCES["retrieve.py"] + "\n# no other outputs\n")
    cli("bench", "old", "-w", folder)
    endpoint.default = Answer("A")  # what the weaker one says to everything
    cli("bench", "new", "-w", folder)
    endpoint.default = Status(500, {"error": {"message": "nobody is to be asked"}})
    found = attributed(cli, folder)
    assert contribution(found, "ask")["player"]["differs"] == ["model"]
    assert contribution(found, "ask")["share"] == pytest.approx(1.0)
    idle = contribution(found, "retrieve")
    exact = 1 - 0.025 ** (1 / 40)  # of 40 samples none moved
    assert idle["moved"] == 0 and idle["interval"]["estimate"] == 0.0 and idle["p_adjusted"] == 1.0
    assert [idle["interval"]["low"], idle["interval"]["high"]] == pytest.approx([-exact, exact])


def test_nothing_is_attributed_where_nothing_differs(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two()
    for suite in ("old", "new"):
        cli("bench", suite, "-w", folder)
    found = attributed(cli, folder)
    assert found["contributions"] == [] and found["table"] == []
    assert "No node is configured otherwise: nothing is attributed." in found["printed"]


def test_a_difference_of_passages_that_all_agree_has_limits(cli: Cli, two: Callable[..., Path]) -> None:
    """Ten passages of four questions, none of which moved: the exact limits of ten."""
    folder = two(retrieve=SOURCES["retrieve.py"] + "\n# no other outputs\n")
    file = folder / "data" / "own.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    told = [f"{header},cluster", *(f"{row},글 {place // 4}" for place, row in enumerate(rows))]
    file.write_text("\n".join(told) + "\n", encoding="utf-8")
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    interval = attributed(cli, folder)["difference"]["interval"]
    exact = 1 - 0.025 ** (1 / 10)
    assert [interval["low"], interval["high"]] == pytest.approx([-exact, exact])


def test_a_model_that_does_not_repeat_itself_is_no_node(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two()
    cli("bench", "old", "-w", folder)
    for number in (1, 2, 3):
        endpoint.script(f"문제 {number}번은", Answer("A"))
    cli("bench", "new", "-w", folder)
    found = attributed(cli, folder)
    (one,) = found["contributions"]
    assert one["player"] == {"nodes": ["repeat"], "differs": []}
    assert one["interval"]["estimate"] == pytest.approx(-3 / 40)
    assert "nothing is attributed. What moved is the model not repeating itself" in found["printed"]


def test_a_node_that_was_added_goes_with_those_that_take_from_it(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two()
    flow = folder / "flows" / "new"
    dag = json.loads(json.dumps(DAG))
    rerank = {"name": "rerank", "type": "python", "source": {"type": "code", "path": "rerank.py"}}
    dag["nodes"].insert(1, {**rerank, "inputs": {"facts": "${retrieve.output}"}})
    dag["nodes"][2]["inputs"]["facts"] = "${rerank.output}"
    (flow / "rerank.py").write_text(TOOL + "def rerank(facts: list) -> list:\n    return facts[1:]\n", "utf-8")
    (flow / "flow.dag.yaml").write_text(yaml.safe_dump(dag, allow_unicode=True, sort_keys=False), "utf-8")
    for suite in ("old", "new"):
        assert cli("bench", suite, "-w", folder).code == 0
    found = attributed(cli, folder)
    (one,) = found["contributions"]
    assert set(one["player"]["nodes"]) == {"compose", "rerank"}
    assert one["share"] == pytest.approx(1.0)


def test_with_many_nodes_orders_are_sampled(cli: Cli, two: Callable[..., Path]) -> None:
    folder = two(60)
    names = [f"step{n}" for n in range(8)]
    dag: dict[str, Any] = json.loads(json.dumps(DAG))
    extract = dag["nodes"][-1]
    before = ["${inputs.question}", *(f"${{{name}.output}}" for name in names)]
    dag["nodes"] = [
        {"name": name, "type": "python", "source": {"type": "code", "path": f"{name}.py"}, "inputs": {"text": source}}
        for name, source in zip(names, before, strict=False)
    ]
    dag["nodes"].append({**extract, "inputs": {"reply": before[-1]}})
    right = TOOL + "def extract(reply: str) -> dict:\n    number = int(reply.split()[1].rstrip('번은?'))\n"
    right += "    return {'answer': 'ABCD'[number % 4] if reply.endswith('?') else 'A'}\n"
    step = TOOL + "def step(text: str) -> str:\n    return text"
    for flow in ("old", "new"):
        place = folder / "flows" / flow
        (place / "flow.dag.yaml").write_text(yaml.safe_dump(dag, allow_unicode=True, sort_keys=False), "utf-8")
        (place / "extract.py").write_text(right, "utf-8")
        for name in names:
            loses = "[:-1]" if (flow, name) == ("new", "step3") else ""
            (place / f"{name}.py").write_text(f"{step}{loses}\n# of the {flow} flow\n", "utf-8")
        asks = (
            "from driftgate.flows.line import ask\n" + TOOL + "async def step(text: str) -> str:\n    await ask(text)\n"
        )
        (place / "step0.py").write_text(f"{asks}    return text\n# of the {flow} flow\n", "utf-8")
        assert cli("bench", flow, "-w", folder).code == 0
    found = attributed(cli, folder, "--seed", "5")
    assert not found["exact"] and found["coalitions"] <= 16 * 9
    assert contribution(found, "step3")["share"] == pytest.approx(1.0)
    assert contribution(found, "step3")["interval"]["high"] < 0
    assert [contribution(found, name)["moved"] for name in names if name != "step3"] == [0] * 7


def test_samples_a_silent_model_leaves_open_are_left_out(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two(compose=TRUNCATES, retrieve=LESS)
    for suite in ("old", "new"):
        cli("bench", suite, "-w", folder)
    endpoint.script("문제 7번은", Status(500, {"error": {"message": "boom"}}))
    found = attributed(cli, folder)
    assert (found["n"], found["not_replayed"]) == (39, 1)


def test_an_outage_during_a_run_is_nobodys_doing(cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    folder = two(compose=TRUNCATES, retrieve=SOURCES["retrieve.py"] + "\n# no other outputs\n")
    for number in (5, 6, 7, 8):
        endpoint.script(f"문제 {number}번은", Status(503, {"error": {"message": "down"}}))
    cli("bench", "old", "-w", folder)
    endpoint.forget()
    cli("bench", "new", "-w", folder)
    found = attributed(cli, folder)
    assert (found["n"], found["silent"]) == (36, 4)
    assert contribution(found, "retrieve")["moved"] == 0
    assert "4 samples are left out: a model gave no reply in one of the runs" in found["printed"]


def test_a_side_that_is_no_longer_on_disk_is_refused(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = two(compose=TRUNCATES)
    for suite in ("old", "new"):
        cli("bench", suite, "-w", folder)
    (folder / "flows/old/compose.py").write_text(TRUNCATES, encoding="utf-8")
    done = cli("flow", "attribute", "old-", "new-", "-w", folder)
    assert done.code == 2
    assert "is no longer on disk: flow_hash changed" in done.err and "side by side" in done.err


def test_a_node_that_gives_something_else_today_is_refused(
    cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    reading = TOOL + (
        "def retrieve(question: str, count: int) -> list:\n"
        "    from pathlib import Path\n\n"
        "    return Path(__file__).with_name('facts.txt').read_text('utf-8').split()\n"
    )
    folder = two(retrieve=reading)
    (folder / "flows/new/facts.txt").write_text("사실 하나", encoding="utf-8")
    for suite in ("old", "new"):
        cli("bench", suite, "-w", folder)
    (folder / "flows/new/facts.txt").write_text("사실 둘", encoding="utf-8")
    done = cli("flow", "attribute", "old-", "new-", "-w", folder)
    assert done.code == 2
    assert "node 'retrieve'" in done.err and "no longer gives what the ledger holds" in done.err


def test_sides_that_cannot_be_compared_are_refused(cli: Cli, two: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    def other(config: dict[str, Any]) -> None:
        config["suites"]["few"] = {**config["suites"]["new"], "limit": 7}
        config["suites"]["strict"] = {**config["suites"]["new"], "flow": "strict"}

    folder = two(change=other)
    shutil.copytree(folder / "flows/new", folder / "flows/strict")
    judged = json.loads(json.dumps(EVALUATORS))
    judged["nodes"]["ask"] = {"reply": {"evaluator": "length", "inputs": {"text": "${nodes.ask.output}"}}}
    (folder / "flows/strict/evaluators.yaml").write_text(yaml.safe_dump(judged), "utf-8")
    for suite in ("old", "few", "strict"):
        assert cli("bench", suite, "-w", folder).code == 0
    assert "were not asked the same samples" in cli("flow", "attribute", "old-", "few-", "-w", folder).err
    assert "judged by different evaluators" in cli("flow", "attribute", "old-", "strict-", "-w", folder).err
    done = cli("flow", "attribute", "old-", "old-", "--metric", "ask.nothing.here", "-w", folder)
    assert "has no evaluator of 'ask.nothing.here'" in done.err
    spent = {"evaluator": "budget", "inputs": {"seconds": "${nodes.ask.seconds}"}, "settings": {"seconds": 5}}
    judged["nodes"]["ask"] = {"spent": spent}
    (folder / "flows/strict/evaluators.yaml").write_text(yaml.safe_dump(judged), "utf-8")
    assert cli("bench", "strict", "-w", folder).code == 0
    run = cli("runs", "list", "-w", folder).out.split("strict-")[1][:4]
    done = cli("flow", "attribute", f"strict-{run}", f"strict-{run}", "--metric", "ask.spent.seconds", "-w", folder)
    assert "a replay spends others" in done.err
    same = cli("flow", "parity", "strict", "strict", "--suite", "strict", "-w", folder)
    assert same.code == 3 and "not compared: ask.spent.seconds, ask.spent.within" in same.out


def test_a_run_of_many_cells_asks_which(cli: Cli, make: Make) -> None:
    def variants(config: dict[str, Any]) -> None:
        config["suites"]["small"]["variants"] = ["terse", "zero_shot"]

    folder = make(8, variants)
    cli("bench", "-w", folder)
    done = cli("flow", "attribute", "latest", "latest", "-w", folder)
    assert done.code == 2 and "latest/0 (tested · terse · own)" in done.err
    found = cli("flow", "attribute", "latest/0", "latest/1", "-w", folder)
    assert found.code == 0, found.err
    assert "render" in found.out


def test_prices_that_were_added_since_change_nothing(cli: Cli, two: Callable[..., Path]) -> None:
    folder = two(compose=TRUNCATES)
    for suite in ("old", "new"):
        cli("bench", suite, "-w", folder)
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    config["models"]["tested"]["prices"] = {"input": 1.0, "output": 2.0}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert attributed(cli, folder)["n"] == 40
