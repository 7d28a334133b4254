"""Both engines behind the engine protocol, on flows written for the purpose."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Hang, Status

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, Engine, NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line
from driftgate.flows.models import ContentFiltered, Model

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]

TOOLS = """
import asyncio, time
from promptflow.core import tool
from driftgate.flows.line import ask, current_line

@tool
async def echo(text: str) -> str:
    return text

@tool
def wait(text: str) -> str:
    time.sleep(0.005)
    return current_line().sample_id + text

@tool
async def who(text: str, pause: float) -> dict:
    before = current_line().sample_id
    await asyncio.sleep(pause)
    reply = await ask(text)
    return {"before": before, "after": current_line().sample_id, "reply": reply.text}

@tool
async def fail(text: str) -> str:
    raise ValueError(f"cannot work with {text}")
"""


def node(name: str, tool: str, **inputs: str) -> str:
    given = "".join(f'\n    {key}: "{value}"' for key, value in inputs.items())
    return f"- name: {name}\n  type: python\n  source: {{type: code, path: {tool}.py}}\n  inputs:{given}\n"


Write = Callable[..., Engine]


@pytest.fixture(params=["promptflow", "native"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def make(tmp_path: Path, engine_name: str) -> Write:
    """``make(nodes, output=...)``: an engine for a flow of these nodes; each tool has a file of its own."""

    def write(
        nodes: str, output: str = "${last.output}", inputs: str = "text: {type: string}", **settings: Any
    ) -> Engine:
        folder = tmp_path / "flows/small"
        folder.mkdir(parents=True, exist_ok=True)
        head, *tools = TOOLS.split("@tool\n")
        for body in tools:
            name = body.split("def ")[1].split("(")[0]
            (folder / f"{name}.py").write_text(head + "@tool\n" + body, encoding="utf-8")
        dag = f'inputs: {{{inputs}}}\noutputs: {{answer: {{type: string, reference: "{output}"}}}}\nnodes:\n{nodes}'
        (folder / "flow.dag.yaml").write_text(dag, encoding="utf-8")
        return ENGINES.get(engine_name)(load_flow("small", tmp_path), **settings)

    return write


async def test_a_line_goes_through_every_node(make: Write) -> None:
    nodes = node("first", "echo", text="${inputs.text}") + node("last", "wait", text="${first.output}")
    engine = make(nodes)
    result = await engine.run_line({"text": "안녕"}, Line({}, "q1"))
    assert (result.output, result.error) == ({"answer": "q1안녕"}, "")
    assert {name: (n.status, n.output) for name, n in result.nodes.items()} == {
        "first": ("completed", "안녕"),
        "last": ("completed", "q1안녕"),
    }
    assert result.nodes["last"].seconds > 0
    await engine.aclose()


async def test_a_node_that_its_condition_leaves_out_is_bypassed(make: Write) -> None:
    condition = '  activate: {when: "${inputs.text}", is: go}\n'
    nodes = node("maybe", "echo", text="${inputs.text}") + condition + node("last", "echo", text="always")
    engine = make(nodes)
    left_out = await engine.run_line({"text": "stop"}, Line({}))
    assert left_out.output == {"answer": "always"}
    assert left_out.nodes["maybe"].status == "bypassed"
    taken = await engine.run_line({"text": "go"}, Line({}))
    assert (taken.nodes["maybe"].status, taken.nodes["maybe"].output) == ("completed", "go")


async def test_a_failing_tool_fails_its_line_and_no_other(make: Write) -> None:
    engine = make(node("first", "echo", text="${inputs.text}") + node("last", "fail", text="${first.output}"))
    failed = await engine.run_line({"text": "가"}, Line({}))
    assert failed.output is None
    assert failed.error == "cannot work with 가"
    assert failed.nodes["first"].status == "completed"
    assert (failed.nodes["last"].status, failed.nodes["last"].error) == ("failed", "cannot work with 가")
    again = await engine.run_line({"text": "나"}, Line({}))
    assert again.error == "cannot work with 나"


async def test_a_model_s_error_reaches_the_line_with_its_class(
    make: Write, endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    endpoint.default = Status(400, AZURE_FILTERED)
    model = open_model(model_config("openai"))
    engine = make(node("last", "who", text="${inputs.text}", pause="0"))
    line = Line({"": model}, "q1")
    result = await engine.run_line({"text": "?"}, line)
    await model.aclose()
    assert result.output is None
    assert [type(call.error) for call in line.calls] == [ContentFiltered]


async def test_many_lines_at_once_each_see_their_own_context(
    make: Write, endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    endpoint.default = lambda prompt: Answer(f"reply to {prompt}")
    model = open_model(model_config("openai"))
    engine = make(
        node("slow", "wait", text="!") + node("last", "who", text="${inputs.text}", pause="${inputs.pause}"),
        inputs="text: {type: string}, pause: {type: double}",
    )
    rng = random.Random(3)
    lines = [Line({"": model}, f"q{n}") for n in range(60)]
    results = await asyncio.gather(
        *(engine.run_line({"text": f"ask {n}", "pause": rng.random() / 20}, line) for n, line in enumerate(lines))
    )
    await model.aclose()
    for number, (line, result) in enumerate(zip(lines, results, strict=True)):
        mine = f"q{number}"
        assert result.nodes["slow"].output == f"{mine}!"
        assert result.output is not None
        assert result.output["answer"] == {"before": mine, "after": mine, "reply": f"reply to ask {number}"}
        assert [call.reply.text for call in line.calls if call.reply] == [f"reply to ask {number}"]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (node("a", "echo", text="${last.output}") + node("last", "echo", text="${a.output}"), "circular|cycle"),
        (node("last", "echo", text="${last.output}"), "circular|cycle"),
        (node("last", "absent", text="${inputs.text}"), r"absent\.py"),
        (node("last", "echo", text="${nobody.output}"), "nobody"),
        (node("last", "echo", text="${inputs.nothing}"), "nothing"),
        (node("last", "echo", text="1") + node("last", "echo", text="2"), "last"),
    ],
)
def test_a_flow_that_cannot_run_is_refused_in_one_sentence(make: Write, nodes: str, said: str) -> None:
    with pytest.raises(DriftgateError, match=rf"(?i)refuses the flow 'small': .*({said})") as refused:
        make(nodes)
    assert "\n" not in refused.value.message
    assert "flow.dag.yaml" in refused.value.remedy


def test_a_tool_that_cannot_be_imported_is_refused(make: Write, tmp_path: Path, engine_name: str) -> None:
    make(node("last", "echo", text="1"))
    (tmp_path / "flows/small/echo.py").write_text("import no_such_module\n", encoding="utf-8")
    with pytest.raises(DriftgateError, match="no_such_module"):
        ENGINES.get(engine_name)(load_flow("small", tmp_path))


async def test_the_shipped_flow_with_each_variant(
    endpoint: ChatEndpoint, model_config: Build, open_model: Open, tmp_path: Path, engine_name: str
) -> None:
    endpoint.default = Answer("정답은 B입니다.", top_logprobs={"C": -0.1, "B": -3.0})
    model = open_model(model_config("openai"))
    example = {"question": "예시?", "choices": ["1", "2"], "answer": "A"}
    asked = {"question": "수도는?", "choices": ["부산", "서울", "대구"], "passage": "지문이다."}
    for variant in ("zero_shot", "few_shot", "terse"):
        flow = load_flow("multiple_choice", tmp_path).with_variant(variant)
        engine = ENGINES.get(engine_name)(flow)
        inputs = asked | ({"examples": [example]} if variant == "few_shot" else {})
        text = await engine.run_line(inputs | {"scoring": "text"}, Line({"": model}))
        logprobs = await engine.run_line(inputs | {"scoring": "logprobs"}, Line({"": model}))
        assert (text.output, logprobs.output) == ({"answer": "B"}, {"answer": "C"})
        prompt = text.nodes["render"].output
        assert all(part in prompt for part in ("지문이다.", "수도는?", "A. 부산", "B. 서울", "C. 대구"))
        assert ("예시?" in prompt) == (variant == "few_shot")
    await model.aclose()


CANCELLED = """
import asyncio, sys
from pathlib import Path
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.line import Line
from driftgate.flows.models import PROVIDERS, parse_config

async def main(folder, url):
    config = parse_config({"provider": "openai", "endpoint": url, "model": "m"})
    model = PROVIDERS.get("openai").open("m", config, folder)
    engine = ENGINES.get(sys.argv[3])(load_flow("small", folder))
    tasks = [asyncio.create_task(engine.run_line({"text": "?"}, Line({"": model}))) for _ in range(3)]
    await asyncio.sleep(1.0)
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks)
    assert all(task.cancelled() for task in done)
    await asyncio.sleep(4.5)  # prompt flow's own watchdog would end the process within three seconds
    await model.aclose()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
print("alive")
sys.exit(7)
"""


def test_cancelling_lines_does_not_end_the_process(
    make: Write, endpoint: ChatEndpoint, tmp_path: Path, engine_name: str
) -> None:
    endpoint.default = Hang()
    make(node("last", "who", text="${inputs.text}", pause="0"))
    done = subprocess.run(
        [sys.executable, "-c", CANCELLED, str(tmp_path), f"{endpoint.url}/v1", engine_name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (7, "alive"), done.stderr
    assert len(endpoint.requests) == 3


BLOCKED = """
import asyncio, sys
from pathlib import Path
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, promptflow
from driftgate.flows.line import Line

promptflow._LONGEST_ABORT = 0.2  # do not wait ten seconds for the tool

async def main(folder):
    engine = ENGINES.get(sys.argv[2])(load_flow("small", folder))
    task = asyncio.create_task(engine.run_line({"text": "?"}, Line({})))
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.wait([task])

asyncio.run(main(Path(sys.argv[1])))
print("alive")
sys.exit(7)
"""


def test_a_tool_that_blocks_its_thread_does_not_end_the_process(make: Write, tmp_path: Path, engine_name: str) -> None:
    make(node("last", "wait", text="${inputs.text}"))
    tool = tmp_path / "flows/small/wait.py"
    tool.write_text(tool.read_text(encoding="utf-8").replace("0.005", "600"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(tmp_path), engine_name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (7, "alive"), done.stderr


SLOW = """
@tool
async def hang(text: str) -> str:
    await asyncio.Event().wait()

@tool
def block(text: str) -> str:
    time.sleep(600)
"""


@pytest.mark.parametrize("tool", ["hang", "block"])
async def test_a_tool_that_hangs_fails_its_line_with_a_sentence(make: Write, tmp_path: Path, tool: str) -> None:
    make(node("last", "echo", text="1"))
    body = TOOLS.split("@tool\n")[0] + "@tool\n" + next(t for t in SLOW.split("@tool\n") if f"def {tool}" in t)
    (tmp_path / f"flows/small/{tool}.py").write_text(body, encoding="utf-8")
    engine = make(node("first", "echo", text="x") + node("last", tool, text="${first.output}"), node_timeout=0.05)
    results = await asyncio.gather(*(engine.run_line({"text": "?"}, Line({})) for _ in range(40)))
    assert {(r.nodes["last"].status, r.nodes["last"].error_type, r.error_type) for r in results} == {
        ("failed", "NodeTimedOut", "NodeTimedOut")
    }
    assert all("node 'last' did not end within 0.05 s" in r.error for r in results)
    assert all(r.nodes["first"].status == "completed" for r in results)
    await engine.aclose()


MEET = """
@tool
async def meet(text: str) -> str:
    await current_line().models["here"].wait()
    return text
"""


async def test_nodes_without_an_order_are_under_way_together(make: Write, tmp_path: Path) -> None:
    make(node("last", "echo", text="1"))
    (tmp_path / "flows/small/meet.py").write_text(TOOLS.split("@tool\n")[0] + MEET, encoding="utf-8")
    nodes = node("left", "meet", text="l") + node("right", "meet", text="r")
    engine = make(nodes + node("last", "echo", text="${left.output}") + node("end", "echo", text="${right.output}"))
    here: Any = asyncio.Barrier(2)  # what the line's tools share
    result = await engine.run_line({"text": "?"}, Line({"here": here}))
    assert {name: n.output for name, n in result.nodes.items()} == {"left": "l", "right": "r", "last": "l", "end": "r"}


async def test_when_a_node_fails_its_rivals_are_cancelled_and_absent(make: Write, tmp_path: Path) -> None:
    make(node("last", "echo", text="1"))
    head, hang, _ = [TOOLS.split("@tool\n")[0], *SLOW.split("@tool\n")[1:]]
    (tmp_path / "flows/small/hang.py").write_text(f"{head}@tool\n{hang}", encoding="utf-8")
    engine = make(node("slow", "hang", text="x") + node("last", "fail", text="y"))
    result = await engine.run_line({"text": "?"}, Line({}))
    assert (result.error, result.error_type) == ("cannot work with y", "ValueError")
    assert set(result.nodes) == {"last"}


async def test_given_outputs_are_not_computed_again(make: Write, engine_name: str) -> None:
    if engine_name != "native":
        pytest.skip("only the native engine takes outputs that are given")
    engine: Any = make(node("first", "fail", text="${inputs.text}") + node("last", "echo", text="${first.output}"))
    result = await engine.run_line({"text": "?"}, Line({}), given={"first": "가"})
    assert (result.output, result.nodes["first"].output) == ({"answer": "가"}, "가")
    skipped = NodeResult("first", "bypassed", None, 0.0)
    result = await engine.run_line({"text": "?"}, Line({}), given={"first": skipped})
    assert (result.output, result.nodes["last"].status) == ({"answer": None}, "bypassed")
    wrong = await engine.run_line({"text": "?"}, Line({}), given={"frist": 1})
    assert wrong.error == "the flow has no node 'frist'; did you mean 'first'?"


def test_nothing_is_sent_home(make: Write) -> None:
    make(node("last", "echo", text="1"))
    import os

    settings = Path(os.environ["PF_HOME_DIRECTORY"]) / "pf.yaml"
    assert "enabled: false" in settings.read_text(encoding="utf-8")
    assert os.environ["PF_DISABLE_TRACING"] == "true"
