"""Suites become cells, and what a run asks for has a hash."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Dataset, Sample, make_sample
from driftgate.benchmarks.suite import SuiteConfig, describe_plan, draw, plan_cells
from driftgate.flows import refusals
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import toxicity
from driftgate.flows.models import ModelConfig, parse_config

Samples = Callable[..., list[Sample]]


def model(**changes: Any) -> ModelConfig:
    base = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "m", "api_key": "${env:KEY}"}
    return parse_config(base | changes)


def plan(samples: list[Sample], shots: list[Sample] | None = None, *, config: Any = None, **suite: Any) -> list[Cell]:
    settings = SuiteConfig.model_validate({"models": ["m"], "datasets": ["d"]} | suite)
    models = dict.fromkeys(settings.models, config or model())
    datasets = {name: Dataset(name, samples, shots or []) for name in settings.datasets}
    return plan_cells(settings, models, datasets, load_flow(settings.flow, Path()))


@given(st.integers(0, 60), st.integers(1, 80), st.integers())
def test_a_draw_has_no_repeats_and_keeps_the_order(size: int, limit: int, seed: int) -> None:
    drawn = draw(range(size), limit, seed)  # type: ignore[arg-type]
    assert len(drawn) == min(size, limit)
    assert drawn == sorted(set(drawn))
    assert draw(range(size), limit, seed) == drawn  # type: ignore[arg-type]


def test_another_seed_draws_others() -> None:
    drawn = {tuple(draw(range(1000), 10, seed)) for seed in range(5)}  # type: ignore[arg-type]
    assert len(drawn) == 5


def test_every_model_with_every_variant_on_every_dataset(samples: Samples) -> None:
    cells = plan(samples(3), models=["a", "b"], datasets=["x", "y"], variants=["terse", "render.few_shot"])
    assert [cell.name for cell in cells] == [
        f"{m} · {v} · {d}" for d in "xy" for m in "ab" for v in ("terse", "render.few_shot")
    ]


def test_without_variants_the_flow_s_defaults_run(samples: Samples) -> None:
    (cell,) = plan(samples(1))
    assert (cell.variant, cell.flow.chosen) == ("zero_shot", {"render": "zero_shot"})


def test_an_unknown_variant_is_refused(samples: Samples) -> None:
    with pytest.raises(DriftgateError, match="did you mean 'terse'"):
        plan(samples(1), variants=["tersse"])


def test_examples_are_the_dataset_s_own_and_of_the_category(samples: Samples) -> None:
    asked, shots = samples(3), samples(9, subset="dev")
    few, zero = plan(asked, shots, variants=["few_shot", "zero_shot"], few_shot=2)
    inputs = few.line_inputs(asked[1])
    assert [example["question"] for example in inputs["examples"]] == ["문제 4번은?", "문제 7번은?"]  # not itself
    assert "examples" not in zero.line_inputs(asked[1])
    assert (few.shots, zero.shots) == (2, 0)


TAKES_TEXT = """\
inputs:
  question: {type: string}
  글: {type: string}
outputs:
  answer: {type: string, reference: "${compose.output}"}
nodes:
- name: compose
  type: llm
  api: chat
  source: {type: code, path: compose.jinja2}
  inputs: {question: "${inputs.question}", text: "${inputs.글}"}
"""


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_fingerprint_covers_what_the_flow_is_given_and_no_other_column(tmp_path: Path, form: str) -> None:
    (tmp_path / "reads").mkdir()
    (tmp_path / "reads/flow.dag.yaml").write_text(unicodedata.normalize(form, TAKES_TEXT), encoding="utf-8")
    (tmp_path / "reads/compose.jinja2").write_text("{{text}} {{question}}", encoding="utf-8")

    def fingerprint(flow: str, **data: str) -> str:
        samples = [make_sample("own", "test", 0, {"question": "무엇?", "answer": "예", **data})]
        settings = SuiteConfig.model_validate({"models": ["m"], "datasets": ["d"], "flow": flow})
        (cell,) = plan_cells(settings, {"m": model()}, {"d": Dataset("d", samples)}, load_flow(flow, tmp_path))
        return cell.fingerprint

    assert fingerprint("reads", 글="하나") == fingerprint("reads", 글="하나", source="책")
    assert fingerprint("reads", 글="하나") != fingerprint("reads", 글="둘")
    assert fingerprint("chat", 글="하나") == fingerprint("chat", 글="둘")


def test_the_fingerprint_covers_the_examples_where_they_are_used(samples: Samples) -> None:
    few, zero = plan(samples(3), samples(9), variants=["few_shot", "zero_shot"])
    others, same = plan(samples(3), samples(9)[::-1], variants=["few_shot", "zero_shot"])
    assert few.fingerprint != others.fingerprint
    assert [f"dataset:d:{cell.fingerprint[:6]}|" in cell.signature() for cell in (few, zero)] == [True, True]
    assert zero.fingerprint == same.fingerprint == zero.dataset.fingerprint


def test_a_line_is_given_what_the_flow_takes_and_no_more(samples: Samples) -> None:
    (cell,) = plan(samples(1), config=model(scoring="logprobs"))
    inputs = cell.line_inputs(samples(1)[0])
    assert inputs == {
        "question": "문제 0번은?",
        "choices": ["가", "나", "다", "라"],
        "scoring": "logprobs",
    }


def test_a_signature_follows_what_a_score_depends_on(samples: Samples) -> None:
    def signature(count: int = 5, **changes: Any) -> str:
        return plan(samples(count), samples(9, subset="dev"), **changes)[0].signature()

    base = signature()
    assert base.startswith("v1|dataset:d:")
    assert "|n:5|" in base and "|denominator:asked" in base
    others = [
        signature(6),
        signature(limit=3),
        signature(variants=["terse"]),
        signature(variants=["few_shot"]),
        signature(variants=["few_shot"], few_shot=1),
        signature(config=model(scoring="logprobs")),
    ]
    assert len({base, *others}) == 7
    assert signature(seed=4) == base
    assert signature(config=model(in_flight=2)) == base


LISTED = """
primary: extract.words.{metric}
nodes:
  extract:
    words: {{evaluator: {name}, inputs: {{text: "${{nodes.ask.output.text}}"}}}}
"""


@pytest.mark.parametrize(
    ("name", "metric", "module"), [("toxicity", "toxic", toxicity), ("refusal", "as_wanted", refusals)]
)
def test_a_list_that_an_evaluator_decides_by_is_what_its_scores_depend_on(
    name: str, metric: str, module: ModuleType, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(load_flow("multiple_choice", Path()).folder, tmp_path / "listed")
    (tmp_path / "listed" / "evaluators.yaml").write_text(LISTED.format(name=name, metric=metric), encoding="utf-8")

    def cell() -> Cell:
        suite = SuiteConfig(models=["m"], datasets=["d"], flow="listed")
        flow = load_flow("listed", tmp_path)
        return plan_cells(suite, {"m": model()}, {"d": Dataset("d", samples(5), [])}, flow)[0]

    def said() -> tuple[str, str]:
        return cell().evaluators_hash(), cell().signature()

    before = said()
    assert said() == before and f"|evaluators:{before[0][:6]}" in before[1]
    other = tmp_path / "list.yaml"
    other.write_bytes(module.FILE.read_bytes() + b"# one more word\n")
    monkeypatch.setattr(module, "FILE", other)
    after = said()
    assert after[0] != before[0] and after[1] != before[1]
    monkeypatch.undo()
    assert said() == before


def _hash(cells: list[Cell]) -> str:
    return describe_plan("s", SuiteConfig(models=["m"], datasets=["d"]), cells)[1]


@pytest.mark.parametrize(
    "change",
    [
        {"in_flight": 2},
        {"timeout": 1.0},
        {"attempts": 9},
        {"prices": {"input": 3.0}},
        {"api_key": "${env:ANOTHER}"},
    ],
)
def test_how_fast_and_at_what_price_does_not_change_the_plan(samples: Samples, change: dict[str, Any]) -> None:
    assert _hash(plan(samples(3))) == _hash(plan(samples(3), config=model(**change)))


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"temperature": 1}},
        {"model": "another"},
        {"endpoint": "http://127.0.0.1:2/v1"},
        {"scoring": "logprobs"},
    ],
)
def test_another_model_changes_the_plan(samples: Samples, change: dict[str, Any]) -> None:
    assert _hash(plan(samples(3))) != _hash(plan(samples(3), config=model(**change)))


def test_other_samples_or_variants_change_the_plan(samples: Samples) -> None:
    base = _hash(plan(samples(8)))
    others = [
        plan(samples(9)),
        plan(samples(8), variants=["terse"]),
        plan(samples(8), limit=3),
        plan(samples(8), limit=3, seed=1),
    ]
    assert len({base, *map(_hash, others)}) == 5


def test_a_plan_holds_no_secret(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "s3cret")
    described, _ = describe_plan("s", SuiteConfig(models=["m"], datasets=["d"]), plan(samples(2)))
    assert "s3cret" not in str(described)


@pytest.mark.parametrize("change", [{"models": []}, {"limit": 0}, {"max_cost": 0}, {"few_shot": -1}, {"modles": []}])
def test_a_suite_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SuiteConfig.model_validate({"models": ["m"], "datasets": ["d"]} | change)
