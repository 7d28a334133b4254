"""What is planted wrong in a workspace that was in order is named before anything is paid."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli

import driftgate
from driftgate.api.preflight._scope import PROBED_FROM
from driftgate.finetune.deploy import RolloutConfig
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import latest_runs, open_ledger
from driftgate.monitor.watch import looks_of

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
    "base": "gpt-4.1-mini-2025-04-14",
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


@pytest.fixture
def plant(tmp_path: Path, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``plant(fault)`` writes a workspace that is in order but for the fault."""
    monkeypatch.setenv("TUNING_KEY", "none")
    endpoint.default = Answer("A")

    def write(fault: Plant = lambda config, folder: None) -> Path:
        folder = tmp_path / "space"
        for name, (start, count) in {"own": (0, 40), "sealed": (100, 40), "material": (200, 60)}.items():
            questions(folder / f"data/{name}.jsonl", start, count)
        shutil.copytree(load_flow("multiple_choice", folder).folder, folder / "flows/mine")
        (folder / "flows/mine/evaluators.yaml").write_text(EVALUATORS, encoding="utf-8")
        (folder / "grading.py").write_text(GRADING, encoding="utf-8")
        config = config_of(endpoint)
        fault(config, folder)
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        return folder

    return write


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


PLANTED: dict[str, tuple[Plant, str]] = {
    # Gates.
    "a rule about a model": (rule(min=0.3, model="testde"), r"gate small: .* model 'testde'.*did you mean 'tested'"),
    "a rule about a dataset": (rule(min=0.3, dataset="owm"), r"gate small: .* dataset 'owm'.*did you mean 'own'"),
    "a rule about a variant": (rule(min=0.3, variant="ters"), r"gate small: .* variant 'ters'.*did you mean 'terse'"),
    "a compared model": (rule(no_worse_than="champoin"), r"gate small: .*'champoin'.*did you mean 'champion'"),
    "whose champion": (no_place, r"gate small: .* 2 places with one.*set the gate's slot: live, other"),
    "a node's evaluator": (rule(metric="extract.chioce.correct", min=0.3), r"'extract.chioce'.*'extract.choice'"),
    "an evaluator's metric": (rule(metric="extract.choice.corect", min=0.3), r"gives correct.*did you mean 'correct'"),
    "an own evaluator's metric": (rule(metric="extract.own.agree", min=0.3), r"gives agrees, length.*'agrees'"),
    "an aggregate nobody logs": (rule(metric="aggregate.f1", min=0.3), r"has no aggregation node"),
    "a slice": (rule(min=0.3, slice="산술"), r"slice '산술'.*known: 국어, 산수"),
    "slices there are none of": (rule(min=0.3, slices="super_category"), r"no sample of dataset 'own' has one"),
    "a slice that is not drawn": (
        lambda config, folder: (
            setting("suites", "small", "limit", to=1)(config, folder),
            rule(min=0.3, slices=None, slice="산수")(config, folder),
            config["suites"]["small"].update(seed=1),
        )[0],
        r"'산수', of which none of the 1 samples is drawn",
    ),
    "per cent for a share": (rule(metric="accuracy", min=35), r"accuracy min is 35.*did you mean 0\.35\?"),
    "per cent of failures": (rule(metric="share.failed", max=5), r"share.failed max is 5.*did you mean 0\.05\?"),
    "points for a margin": (rule(no_worse_than="previous", margin=2), r"margin of accuracy is 2.*mean 0\.02\?"),
    "milliseconds": (rule(metric="latency_p95", max=1500), r"1500 seconds.*did you mean 1\.5\?"),
    # Monitors.
    "a floor's signal": (setting("monitors", "watch", "floors", to={"canary_acuracy": 0.1}), r"'canary_accuracy'"),
    "a floor in points": (setting("monitors", "watch", "floors", to={"canary_accuracy": 5}), r"did you mean 0\.05\?"),
    "a signal of traffic": (setting("monitors", "watch", "traffic", to={"signals": ["latenci"]}), r"mean 'latency'"),
    "a signal of canaries": (
        setting("monitors", "watch", "traffic", to={"signals": ["canary_accuracy"]}),
        r"monitor watch: .*canary_accuracy, which is read from canaries",
    ),
    "canaries' variant": (setting("monitors", "watch", "canaries", "variant", to="ters"), r"monitor watch: .*'ters'"),
    "a recipe of another place": (another_place, r"watches the champion 'live'.*'tune' repairs 'other'"),
    # Recipes.
    "no material": (source(path="data/materials.jsonl"), r"recipe tune: cannot read .*materials.jsonl"),
    "material that is measured": (measured, r"source 1 is the file of dataset 'sealed'"),
    "malformed material": (text("data/material.jsonl", '"answer": "A"', '"answer": "E"'), r"line 1 has the answer 'E'"),
    "a label": (wrong_label, r"line 1 has the label '환블'.*known: 배송, 환불"),
    "a slice of the material": (setting("recipes", "tune", "synthesis", "slices", to=["수학"]), r"it has 국어, 산수"),
    "a generator": (source(generator="reddy"), r"generator 'reddy'.*did you mean 'ready'"),
    "a generator for other material": (source(generator="extractive"), r"'extractive' cannot use questions"),
    "a judge": (setting("recipes", "tune", "synthesis", "judge", to="tset"), r"'tset' as judge"),
    "a filter": (setting("recipes", "tune", "synthesis", "extra_filters", to=["privacyy"]), r"mean 'privacy'"),
    "too few items": (setting("recipes", "tune", "synthesis", "count", to=10), r"fewer than 20 is rejected"),
    "a trainer of other models": (
        setting("recipes", "tune", "trainer", to={"trainer": "local"}),
        r"recipe tune: base model 'tested': .*'openai' cannot be fine-tuned here",
    ),
    "a gate of another place": (gate_of_another_place, r"recipe tune: .*'live'.*gate 'promotion' is of 'other'"),
    "a rule beside the proof": (promotion(min=0.3, dataset="seeled"), r"recipe tune does not have.*mean 'sealed'"),
    "a rule about a candidate": (promotion(min=0.3, model="candidate"), r"the model 'candidate', which recipe tune"),
    "a rule about the base model": (
        lambda config, folder: (
            config["models"].update(base={**config["models"]["tested"]}),
            setting("recipes", "tune", "base_model", to="base")(config, folder),
            promotion(min=0.3, model="base")(config, folder),
        )[0],
        r"the model 'base', which recipe tune",
    ),
    "a rollout without its code": (rollout, r"there is no folder .*score"),
    "a recipe's flow": (setting("recipes", "tune", "flow", to="flows/mien"), r"recipe tune: there is no flow"),
    # What is not set, rendered, imported, served.
    "a variable of the environment": (
        setting("models", "tested", "api_key", to="${env:NOWHERE_SET}"),
        r"models.tested.api_key needs the environment variable NOWHERE_SET, which is not set",
    ),
    "a variable of a recipe": (
        setting("recipes", "tune", "trainer", "account", "subscription", to="${env:NOWHERE_SET}"),
        r"recipes.tune.trainer.account.subscription needs the environment variable NOWHERE_SET",
    ),
    "a connection string": (empty_connection, r"what TUNING_KEY holds is no connection string"),
    "a template's variable": (text("flows/mine/terse.jinja2", "{{ question", "{{ qestion"), r"'qestion' is undefined"),
    "a template for other data": (
        text("flows/mine/terse.jinja2", "{{ question", "{{ question.text.strip() }}{{ question"),
        r"suite small: .*fails on sample 'q0' of dataset 'own' before its model is asked",
    ),
    "a tool": (
        text("flows/mine/extract.py", "    found = ", "    nothing()\n    found = "),
        r"once its model has answered 'A'.*nothing",
    ),
    "an evaluator's import": (text("grading.py", "def grade", "import no_such\n\n\ndef grade"), r"imports 'no_such'"),
    "an evaluator's name": (text("grading.py", "def grade", "def grad"), r"no 'grade'"),
    "an evaluator's defect": (text("grading.py", "answer == gold", "answer == golden"), r"'extract.own'.*NameError"),
    "an evaluator's column": (
        text("flows/mine/evaluators.yaml", "data.answer", "data.anwser"),
        r"\$\{data.anwser\}.*did you mean 'answer'",
    ),
    "an engine": (setting("suites", "small", "engine", to="nativ"), r"engine called 'nativ'.*did you mean 'native'"),
    "a gate of no night": (idle_gate, r"nightly: the gate 'other' .*'other', which the night does not run"),
}
"""What is wrong, and how ``doctor`` says it."""


def said(cli: Cli, folder: Path) -> tuple[int, str]:
    done = cli("doctor", "-w", folder)
    assert "defect" not in done.err, done.err
    return done.code, " ".join(done.out.split())


def test_a_workspace_in_order_is_said_to_be(cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    code, out = said(cli, plant())
    assert code == 0 and out.endswith("everything is in order"), out
    assert "and says it serves gpt-test" in out
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("fault", PLANTED)
def test_doctor_names_what_is_planted(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint, tmp_path: Path, fault: str
) -> None:
    change, words = PLANTED[fault]
    code, out = said(cli, plant(change))
    assert code == 2, out
    assert any(re.search(words, part) for part in re.split(r"(?=(?:mend|good|warn|open) )", out)), out
    models = yaml.safe_load((tmp_path / "space/driftgate.yaml").read_text(encoding="utf-8"))["models"].values()
    reached = [one for one in models if one["provider"] == "openai" and "api_key" not in one]
    assert len(endpoint.requests) == len(reached)  # one for each


def served(endpoint: ChatEndpoint, answer: Any) -> Plant:
    def change(config: dict[str, Any], folder: Path) -> None:
        endpoint.default = answer

    return change


@pytest.mark.parametrize(
    ("answer", "words", "code"),
    [
        (Status(404, {"error": {"code": "model_not_found", "message": "no gpt-test"}}), "'tested' is not served at", 2),
        (Status(401), "refused the key of model 'tested'", 2),
        (Status(503), "tested: HTTP 503", 2),
        (Status(429), "asks for fewer requests now", 0),
        (Status(400, {"error": {"message": "too long"}}), "it refused the one question", 0),
        (
            Status(400, {"error": {"message": "no", "param": "temperature", "code": "unsupported_parameter"}}),
            "refuses the default 'temperature'",
            0,
        ),
    ],
)
def test_the_endpoint_is_asked_once_whatever_it_says(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint, answer: Status, words: str, code: int
) -> None:
    found, out = said(cli, plant(served(endpoint, answer)))
    assert found == code and words in out, out
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("model", "answer", "words", "code"),
    [
        ({"scoring": "logprobs"}, Answer("A"), "mend model tested: its scoring is logprobs", 2),
        ({"scoring": "logprobs"}, Answer("A", top_logprobs={"A": -0.1}), "says it serves gpt-test", 0),
        ({}, Answer("", finish_reason="length"), "warn model tested: its reply was cut", 0),
    ],
)
def test_a_reply_in_which_no_answer_can_be_read(
    cli: Cli,
    plant: Callable[..., Path],
    endpoint: ChatEndpoint,
    model: dict[str, Any],
    answer: Answer,
    words: str,
    code: int,
) -> None:
    def change(config: dict[str, Any], folder: Path) -> None:
        config["models"]["tested"] |= model
        endpoint.default = answer

    found, out = said(cli, plant(change))
    assert found == code and words in out, out


def test_several_names_of_the_file_are_said_at_once(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def three(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["small"] |= {"models": ["testde"], "datasets": ["owm"]}
        config["nightly"]["monitors"] = ["wacth"]

    folder = plant(three)
    code, out = said(cli, folder)
    assert code == 2 and out.endswith("3 to mend")
    refused = cli("bench", "small", "-w", folder)
    assert refused.code == 2 and not endpoint.requests
    for words in ("'tested'", "'own'", "'watch'"):
        assert f"did you mean {words}" in out and f"did you mean {words}" in refused.err


def test_several_settings_of_the_file_are_said_at_once(cli: Cli, plant: Callable[..., Path]) -> None:
    def two(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["small"]["limt"] = 3
        config["monitors"]["watch"]["reference_looks"] = 0

    code, out = said(cli, plant(two))
    assert code == 2 and "unknown key 'limt'" in out and "reference_looks" in out and out.endswith("2 to mend")


def test_a_dead_endpoint_and_one_that_serves_another_model(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def two(config: dict[str, Any], folder: Path) -> None:
        config["models"]["dead"] = {**config["models"]["tested"], "endpoint": "http://127.0.0.1:1/v1"}
        config["models"]["mistaken"] = {**config["models"]["tested"], "model": "phi"}
        endpoint.serves = "qwen"

    code, out = said(cli, plant(two))
    assert code == 2 and "nothing answers at 127.0.0.1:1" in out
    assert "is asked for 'phi' and says it serves 'qwen'" in out
    assert len(endpoint.requests) == 2


def test_what_cannot_be_known_is_said_to_be_unknown(cli: Cli, plant: Callable[..., Path]) -> None:
    code, out = said(cli, plant(setting("monitors", "watch", "traffic", to={"request_model": "prod"})))
    assert code == 0 and "everything is in order" not in out, out
    assert "open monitor watch: its traffic is of calls for 'prod'" in out and "2 not to be known beforehand" in out


def two_faults(config: dict[str, Any], folder: Path) -> None:
    config["gates"]["small"]["rules"] = [{"min": 35}, {"min": 0.3, "slice": "산술"}]
    config["monitors"]["watch"]["floors"] = {"canary_acuracy": 0.1, "latenci": 1}
    config["models"]["dead"] = {**config["models"]["tested"], "endpoint": "http://127.0.0.1:1/v1"}


def test_bench_refuses_all_at_once_and_looks_at_what_it_uses_alone(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = plant(two_faults)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and not endpoint.requests
    assert "did you mean 0.35?" in done.err and "known: 국어, 산수" in done.err
    assert "line" in done.err and "canary_acuracy" not in done.err and "127.0.0.1:1" not in done.err
    assert runs(folder) == 0


def test_a_monitor_refuses_all_at_once_and_keeps_that_nobody_looked(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    folder = plant(two_faults)
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 2 and not endpoint.requests
    assert "'canary_accuracy'" in done.err and "'latency'" in done.err and "0.35" not in done.err
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (look,) = looks_of(ledger, "watch")
    ledger.close()
    assert look.conclusion is not None and look.conclusion.result == "unmeasurable"
    assert cli("monitor", "prompt-drift", "watch", "-w", folder).code == 2 and not endpoint.requests


def test_a_night_says_all_first_and_does_what_can_be_done(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    def three(config: dict[str, Any], folder: Path) -> None:
        config["suites"]["other"] = {**config["suites"]["small"], "limit": 3}
        config["gates"]["other"] = {"suite": "other", "rules": [{"min": 35}]}
        config["nightly"] |= {"suites": ["other", "small"], "gates": ["small", "other"]}
        config["recipes"]["tune"]["synthesis"]["count"] = 5

    done = cli("nightly", "-w", plant(three))
    assert done.code == 2
    first = done.out.index("run 2")
    assert done.out.index("suite other: error") < first and done.out.index("recipe tune: error") < first
    assert len(endpoint.requests) == 40 + 10  # the suite and the canaries that are in order


def test_the_service_does_not_begin(cli: Cli, plant: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTGATE_TOKEN", "short")
    done = cli("serve", "-w", plant(two_faults))
    assert done.code == 2
    for words in ("has 5 characters", "did you mean 0.35?", "canary_accuracy"):
        assert words in done.err


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("def portt(question): ...", "has no 'port'"),
        ("import no_such\n\n\ndef port(question): ...", "imports 'no_such'"),
        ("def port(question):\n    return questoin", "NameError: name 'questoin'"),
    ],
)
def test_a_port_is_imported_and_tried(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint, port: str, words: str
) -> None:
    folder = plant()
    (folder / "ported.py").write_text(port + "\n", encoding="utf-8")
    done = cli("flow", "parity", "flows/mine", "ported:port", "--suite", "small", "-w", folder)
    assert done.code == 2 and words in done.err
    assert not endpoint.requests and runs(folder) == 0


def test_a_warning_keeps_nobody_from_running(cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    done = cli("bench", "small", "-w", plant(rule(metric="share.failed", max=1.0)))
    assert done.code == 0 and len(endpoint.requests) == 40
    assert "warn  gate small: share.failed max is 1, the end of its scale" in done.out


def test_a_reply_that_no_model_would_give_keeps_nobody_from_running(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    """A flow that reads JSON cannot read the right answer itself, and reads what the model writes."""

    def reads_json(config: dict[str, Any], folder: Path) -> None:
        text("flows/mine/extract.py", '"""Node', 'import json\n"""Node')(config, folder)
        text("flows/mine/extract.py", 'extract_choice(reply["text"]', 'extract_choice(json.loads(reply["text"])["a"]')(
            config, folder
        )
        endpoint.default = Answer('{"a": "A"}')

    done = cli("bench", "small", "-w", plant(reads_json))
    assert done.code == 0 and "warn  suite small" in done.out and len(endpoint.requests) == 40


def test_the_facade_looks_as_the_command_does(plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    with driftgate.open(plant(rule(min=35))) as ws:
        errors = [finding for finding in ws.preflight() if finding.severity == "error"]
        assert [finding.subject for finding in errors] == ["gate small"]
        with pytest.raises(DriftgateError, match="35"):
            ws.bench("small")
    assert len(endpoint.requests) == 1


def test_the_code_of_a_rollout_lies_in_the_workspace(tmp_path: Path) -> None:
    address = {"subscription": "s", "resource_group": "g", "workspace": "w"}
    given = {"workspace": address, "endpoint": "e", "environment": "n:1", "instance_type": "t", "code": "score"}
    assert RolloutConfig.model_validate(given).deployment("candidate", "m:1", tmp_path).code == tmp_path / "score"


def test_an_evaluator_may_stumble_over_one_sample(cli: Cli, plant: Callable[..., Path]) -> None:
    # The first sample's right answer is A.
    folder = plant(text("grading.py", "    return", "    if gold == 'A':\n        gold.nothing()\n    return"))
    code, out = said(cli, folder)
    assert code == 0 and "warn suite small: the evaluator 'extract.own' gives no value on sample 'q0'" in out


def many(count: int) -> Plant:
    def change(config: dict[str, Any], folder: Path) -> None:
        questions(folder / "data/own.jsonl", 0, count)
        config["models"]["second"] = {**config["models"]["tested"], "model": "gone"}
        config["suites"]["small"] = {**config["suites"]["small"], "models": ["tested", "second"], "datasets": ["own"]}

    return change


def test_a_large_run_asks_each_model_once_beforehand(
    cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint
) -> None:
    gone = Status(404, {"error": {"code": "model_not_found", "message": "gone"}})
    endpoint.refuses = lambda body: gone if body["model"] == "gone" else None
    folder = plant(many(PROBED_FROM // 2))
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and "'second' is not served" in done.err
    assert sorted(request.body["model"] for request in endpoint.requests) == ["gone", "gpt-test"]
    assert runs(folder) == 0


def test_a_small_run_is_its_own_probe(cli: Cli, plant: Callable[..., Path], endpoint: ChatEndpoint) -> None:
    assert cli("bench", "small", "-w", plant()).code == 0
    assert len(endpoint.requests) == 40


def runs(folder: Path) -> int:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        return len(latest_runs(ledger, 10, kinds=["benchmark", "parity", "canary"]))
    finally:
        ledger.close()
