"""What a prompt of a suite asks: each value as it is written, nothing that is none, and never the right answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

RIGHT = {"evaluator": "exact_match", "inputs": {"response": "${nodes.reply.output}", "ground_truth": "${data.answer}"}}
Space = Callable[..., Path]


@pytest.fixture
def space(make: Make, endpoint: ChatEndpoint) -> Space:
    """``space(prompt, rows)``: a workspace that asks these rows, question and answer aside."""
    endpoint.default = Answer("B")

    def build(prompt: str, rows: Sequence[Mapping[str, Any]], **suite: Any) -> Path:
        def edit(config: dict[str, Any]) -> None:
            config["datasets"]["own"] = {"kind": "jsonl", "path": "own.jsonl"}
            asked = {"models": ["tested"], "datasets": ["own"], "prompt": prompt, "primary": "reply.right.match"}
            suite_of = {**asked, "evaluators": {"reply": {"right": RIGHT}}, **suite}
            config["suites"]["small"] = {name: value for name, value in suite_of.items() if value != ""}

        folder = make(1, edit)
        lines = [json.dumps({"question": f"Q{n}?", "answer": "B", **row}) for n, row in enumerate(rows)]
        (folder / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return folder

    return build


def asked(endpoint: ChatEndpoint) -> list[str]:
    return sorted(request.body["messages"][-1]["content"] for request in endpoint.requests)


NAMES = ("range", "dict", "namespace", "cycler", "joiner", "lipsum", "loop", "class")


@pytest.mark.parametrize("name", NAMES)
def test_a_column_called_as_a_function_of_jinja_is_asked(
    cli: Cli, space: Space, endpoint: ChatEndpoint, name: str
) -> None:
    folder = space(f"{{{{ question }}}} {{{{ {name} }}}}", [{name: "가"}, {name: "나"}])
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert asked(endpoint) == ["Q0? 가", "Q1? 나"]


@pytest.mark.parametrize("name", NAMES)
def test_and_without_such_a_column_it_is_refused(cli: Cli, space: Space, endpoint: ChatEndpoint, name: str) -> None:
    done = cli("bench", "small", "-w", space(f"{{{{ question }}}} {{{{ {name} }}}}", [{}]))
    assert (done.code, endpoint.requests) == (2, [])
    assert f"nobody supplies the input '{name}'" in done.err


def test_what_a_prompt_changes_is_its_own(cli: Cli, space: Space, endpoint: ChatEndpoint) -> None:
    prompt = "{{ question }} {% if tags.append('z') %}{% endif %}{{ tags[0] }}{{ tags | length }}"
    done = cli("bench", "small", "-w", space(prompt, [{"tags": ["x"]}, {"tags": ["y"]}]))
    assert (done.code, asked(endpoint)) == (0, ["Q0? x2", "Q1? y2"]), done.err


def test_functions_of_jinja_that_are_called_stay_functions(cli: Cli, space: Space, endpoint: ChatEndpoint) -> None:
    prompt = "{% set n = namespace(k=0) %}{% for i in range(2) %}{{ i }}{% set n.k = n.k + 1 %}{% endfor %}{{ n.k }} "
    done = cli("bench", "small", "-w", space(prompt + "{{ question }}", [{}]))
    assert (done.code, asked(endpoint)) == (0, ["012 Q0?"]), done.err


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ self }} {{ question }}",
        "{{ question.upper }}",
        "{{ question }}{% for c in tags %}{{ loop }}{% endfor %}",
        "{{ tags | map('upper') }} {{ question }}",
        "{% macro m() %}x{% endmacro %}{{ m }} {{ question }}",
        "{{ question }} {{ meta.a }}",
        "{{ question }} {{ meta['a'] }}",
        "{{ question }} {{ meta.a | trim }}",
        "{{ question }} {{ meta.a | join(', ') }}",
        "{{ question }} {{ tags[1] }}",
        "{{ question }} {% for c in meta.a %}{{ c }}{% endfor %}",
    ],
)
def test_a_hole_in_a_prompt_is_refused(cli: Cli, space: Space, endpoint: ChatEndpoint, prompt: str) -> None:
    rows = [{"meta": {"a": ["1"]}, "tags": ["x", "y"]}, {"meta": {}, "tags": ["x"]}]
    for command in (("bench", "small"), ("doctor",)):
        done = cli(*command, "-w", space(prompt, rows))
        said = " ".join((done.out + done.err).split())
        assert done.code == 2, said
        assert "hole in it" in said or "which Jinja keeps for itself" in said
        assert "defect" not in said
        assert endpoint.requests == [] or command == ("doctor",)  # which asks a model once whether it answers


@pytest.mark.parametrize("shown", ["{{ meta.a | default('-') }}", "{% if meta.a %}{{ meta.a }}{% else %}-{% endif %}"])
def test_what_may_be_absent_is_said_so_in_the_prompt(
    cli: Cli, space: Space, endpoint: ChatEndpoint, shown: str
) -> None:
    done = cli("bench", "small", "-w", space("{{ question }} " + shown, [{"meta": {"a": 1}}, {"meta": {}}]))
    assert (done.code, asked(endpoint)) == (0, ["Q0? 1", "Q1? -"]), done.err


@pytest.mark.parametrize("inputs", [{}, {"key": "${data.answer}"}])
def test_a_prompt_that_tells_the_right_answer_is_refused(
    cli: Cli, space: Space, endpoint: ChatEndpoint, inputs: dict[str, str]
) -> None:
    folder = space(f"{{{{ question }}}} {{{{ {'key' if inputs else 'answer'} }}}}", [{}, {}], inputs=inputs)
    done = cli("bench", "small", "-w", folder)
    assert (done.code, endpoint.requests) == (2, [])
    assert "puts the right answer of dataset 'own' before its model" in done.err


def test_a_flow_that_tells_the_right_answer_is_warned_of(cli: Cli, space: Space) -> None:
    folder = space("", [{}, {}], flow="mine")
    dag = {
        "inputs": {"question": {"type": "string"}, "answer": {"type": "string"}},
        "outputs": {"answer": {"type": "string", "reference": "${reply.output}"}},
        "nodes": [
            {
                "name": "reply",
                "type": "llm",
                "source": {"type": "code", "path": "ask.jinja2"},
                "inputs": {"question": "${inputs.question}", "answer": "${inputs.answer}"},
                "api": "chat",
            }
        ],
    }
    (folder / "flows/mine").mkdir(parents=True)
    (folder / "flows/mine/flow.dag.yaml").write_text(yaml.safe_dump(dag), encoding="utf-8")
    (folder / "flows/mine/ask.jinja2").write_text("# user:\n{{ question }} {{ answer }}", encoding="utf-8")
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    assert "puts the right answer of dataset 'own' before its model" in " ".join(done.out.split())


def test_a_number_is_asked_as_it_is_written_whatever_the_other_rows_hold(
    cli: Cli, space: Space, endpoint: ChatEndpoint
) -> None:
    numbers = [3, 4.5, 12345678901234567890, -0.25]
    done = cli("bench", "small", "-w", space("{{ n }}", [{"n": number} for number in numbers]))
    assert done.code == 0, done.err
    assert asked(endpoint) == sorted(["3", "4.5", "12345678901234567890", "-0.25"])


def test_a_null_among_numbers_is_refused(cli: Cli, space: Space, endpoint: ChatEndpoint) -> None:
    done = cli("bench", "small", "-w", space("{{ n }}", [{"n": 1}, {"n": 0.5}, {"n": None}]))
    assert (done.code, endpoint.requests) == (2, [])
    assert "'n'" in done.err


def test_of_a_column_that_is_there_nobody_asks_whether_it_was_meant(cli: Cli, space: Space) -> None:
    done = cli("bench", "small", "-w", space("{{ ctx }}", [{"ctx": "a"}, {"ctx": None}]))
    assert done.code == 2
    assert "1 of 2 samples of dataset 'own' have no value for it" in done.err
    assert "did you mean" not in done.err
