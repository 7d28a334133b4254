"""The workspace that docs/own.md shows is one that runs, and makes the mistakes that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli

import driftgate

PAGE = (Path(__file__).parents[2] / "docs/own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```(?:csv|yaml|jinja2|python)\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def space(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text.replace("http://127.0.0.1:8000", endpoint.url), encoding="utf-8")
    endpoint.default = lambda prompt: Answer("결제 팀" if "영수증" in prompt else "결제")
    return tmp_path


def test_the_page_s_workspace_runs(space: Path, cli: Cli, endpoint: ChatEndpoint) -> None:
    assert set(FILES) == {"data/tickets.csv", "driftgate.yaml", "prompts/tickets.jinja2", "my_eval.py"}
    commands = re.search(r"^```\n(driftgate doctor.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert commands is not None
    for command in commands[1].strip().splitlines():
        done = cli(*command.partition("#")[0].split()[1:], "-w", space)
        assert done.code == 0 if "gate " not in f"{command} " else done.code in (0, 3), done.out + done.err
    turns = [(turn["role"], turn["content"]) for turn in endpoint.requests[0].body["messages"]]
    assert turns[0] == ("system", "문의를 맡을 팀의 이름만 답하라: 결제, 계정, 오류.")
    with driftgate.open(space) as ws:
        run = ws.run()
        values = {metric: float(run.scores(metric)["value"].iloc[0]) for metric in NAMED}
        assert values == {"accuracy": 0.5, "reply.team.right": 0.5, "reply.team.alone": 0.25, "reply.short.within": 1.0}
        assert set(run.samples(wrong=True)["upstream_id"]) == {"t2", "t3"}


NAMED = ("accuracy", "reply.team.right", "reply.team.alone", "reply.short.within")


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("driftgate.yaml", "prompts/tickets.jinja2", "prompts/ticket.jinja2"),
        ("prompts/tickets.jinja2", "{{ question }}", "{{ question }"),
        ("driftgate.yaml", '${nodes.reply.output}", wanted', '${nodes.replay.output}", wanted'),
    ],
)
def test_the_mistakes_that_it_shows(space: Path, cli: Cli, file: str, right: str, wrong: str) -> None:
    path = space / file
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    done = cli("bench", "-w", space)
    said = done.err.removeprefix("driftgate: ").strip().replace("\n  ", "; ")
    assert done.code == 2
    assert f"    {said}\n" in PAGE, said


def test_the_plain_distribution_is_enough(space: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, driftgate\n"
        f"with driftgate.open({str(space)!r}) as ws: print(ws.bench().status)\n"
        "assert not {'promptflow', 'openai', 'azure'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[-1:]) == (0, ["complete"]), done.stderr
