"""What is planted wrong in a workspace that was in order is named, one line a fault, for one request a model."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from chat_endpoint import ChatEndpoint
from command_line import Cli
from planting import (
    Plant,
    another_place,
    empty_connection,
    gate_of_another_place,
    idle_gate,
    limits,
    measured,
    no_place,
    promotion,
    rollout,
    rule,
    said,
    setting,
    source,
    synthesis,
    text,
    wrong_label,
)

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
    "an evaluator of calls": (
        setting(
            "monitors", "watch", "evaluate", to={"evaluators": {"own": {"evaluator": "no_module:grade", "inputs": {}}}}
        ),
        r"monitor watch: .*no_module",
    ),
    "what no call tells": (
        setting(
            "monitors",
            "watch",
            "evaluate",
            to={"evaluators": {"own": {"evaluator": "grading:grade", "inputs": {"answer": "${data.anwser}"}}}},
        ),
        r"monitor watch: .*\$\{data.anwser\} is nothing that a call tells",
    ),
    "a judge of calls": (
        setting(
            "monitors",
            "watch",
            "evaluate",
            to={
                "evaluators": {
                    "relevance": {
                        "evaluator": "azure.ai.evaluation:RelevanceEvaluator",
                        "inputs": {"query": "${data.query}", "response": "${data.response}"},
                        "settings": {"judge": "testde"},
                    }
                }
            },
        ),
        r"monitor watch: .*'testde'",
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
    "held-out records": (limits(held_out="data/none.jsonl"), r"recipe tune: there is no file or folder .*none\.jsonl"),
    "planted strings": (limits(canary_file="data/none.txt"), r"recipe tune: there is no file or folder .*none\.txt"),
    "held-out records that are none": (limits(held_out="empty.jsonl"), r"recipe tune: .*empty\.jsonl holds no item"),
    "planted strings that are none": (limits(canary_file="empty.txt"), r"recipe tune: .*empty\.txt holds no text"),
    "held-out records without text": (limits(held_out="mute.jsonl"), r"mute\.jsonl, line 1 holds no text.*foo"),
    "strings planted nowhere": (
        limits(canary_file="planted.txt"),
        r"canaries could not.*1 of 1 canaries stand in no so",
    ),
    "a limit without held-out records": (limits(closer_share=0.6), r"closer_share could not be measured.*held-out"),
    "a limit without planted strings": (
        limits(canaries=0),
        r"canaries could not be measured.*no canaries were planted",
    ),
    "too few items": (setting("recipes", "tune", "synthesis", "count", to=10), r"fewer than 20 is rejected"),
    "a writer for its kind of material": (
        synthesis(
            sources=[{"kind": "prompts", "path": "asked.jsonl", "generator": "model"}], form="text", model="tested"
        ),
        r"recipe tune: .*'model' cannot use prompts",
    ),
    "an item that its flow does not take": (
        synthesis(sources=[{"kind": "prompts", "path": "asked.jsonl"}], form="text", model="tested"),
        r"recipe tune: .*choices",
    ),
    "prompts that end with a reply": (
        synthesis(sources=[{"kind": "prompts", "path": "replied.jsonl"}], form="text", model="tested"),
        r"replied.jsonl, line 1: its messages do not end with a user's",
    ),
    "a run that fails nowhere": (synthesis(coverage={"failing": "nothing"}), r"recipe tune: the ledger holds no run"),
    "a file of what fails": (synthesis(coverage={"failing": "bad.jsonl"}), r"there is no file bad.jsonl"),
    "more clusters than items": (synthesis(coverage={"clusters": 50}), r"50 clusters for 40 items"),
    "a limit on cost without a price": (
        synthesis(limits={"cost": 1}, judge="tested"),
        r"nobody states the price of input and output tokens of 'tested'",
    ),
    "a limit that leaves too little": (
        synthesis(
            sources=[{"kind": "documents", "path": "docs", "generator": "model"}], model="tested", limits={"calls": 10}
        ),
        r"limit of 10 requests leaves fewer than the 20",
    ),
    "a set that cannot pass": (synthesis(accept={"items": 500}), r"makes 40 items, and its set passes with 500"),
    "documents that cannot be read": (
        synthesis(sources=[{"kind": "documents", "path": "docs/scan.pdf"}]),
        r"recipe tune: .*scan.pdf cannot be read",
    ),
    "a synthesis of its own": (
        lambda config, folder: config.update(
            synthesis={"own": {"sources": [{"kind": "documents", "path": "nowhere"}], "judge": "tset"}}
        ),
        r"synthesis own: .*'tset' as judge",
    ),
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
    "a budget without its proof": (
        setting("recipes", "tune", "budget", to={"calls": 3}),
        r"calls, and its budget has 3:",
    ),
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
