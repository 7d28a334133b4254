"""The flow ``rag_qa``: what each of its nodes does with and without documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.scores import score_run
from driftgate.flows.definition import load_flow
from driftgate.flows.retrieval import open_retriever
from driftgate.flows.retrieval import parse_config as parse_retriever
from driftgate.ledger import Ledger, cells_of, open_ledger, outcome_frame


@pytest.fixture
def ledger(tmp_path: Path):
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


def bench(endpoint: ChatEndpoint, ledger: Ledger, folder: Path, *, choices: bool = True, **suite: Any) -> Bench:
    dataset = load_dataset("d", parse_config({"kind": "handbook", "choices": choices}), folder)
    return Bench(
        endpoint,
        ledger,
        folder,
        dataset.samples[:20],
        {"flow": "rag_qa", "variants": ["base", "rag"], **suite},
        retriever=open_retriever("handbook", parse_retriever({"kind": "bm25"}), folder),
    )


def reads_the_passage(prompt: str) -> Answer:
    """A model that knows nothing by heart: it answers from what stands in the prompt, else it says so."""
    asked = prompt.rsplit("질문:", 1)[1]
    return Answer("17일" if "17일을 받는다" in prompt and "연차휴가는 며칠" in asked else "모르겠습니다.")


async def test_documents_make_the_difference_and_every_node_has_its_scores(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path
) -> None:
    endpoint.default = reads_the_passage
    run = await bench(endpoint, ledger, tmp_path).run()
    base, rag = score_run(ledger, run.id)
    assert base.cell.variant.startswith("base") and rag.cell.variant.startswith("rag")

    def value(cell: Any, metric: str) -> float:
        score = cell.get(metric)
        assert score is not None and score.value is not None
        return float(score.value)

    assert value(base, "accuracy") == 0.0 and value(rag, "accuracy") == pytest.approx(1 / 20)
    assert value(base, "retrieve.ranking.recall@3") == 0.0
    assert value(rag, "retrieve.ranking.recall@3") > 0.9
    assert value(rag, "retrieve.holds_answer.complete") == 1.0
    assert value(base, "answer.quoted.complete") == value(base, "answer.groundedness.precision") == 0.0
    assert value(rag, "answer.quoted.complete") == pytest.approx(1 / 20)
    assert value(rag, "answer.groundedness.precision") > 0.0


async def test_words_that_mean_no_choice_are_a_wrong_answer(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path
) -> None:
    endpoint.default = Answer("아무것도 아닙니다.")
    made = bench(endpoint, ledger, tmp_path, variants=["rag"])
    await made.run()
    frame = made.frame()
    assert set(frame["outcome"]) == {"answered"} and not frame["correct"].any()
    assert set(frame["answer"]) == {"아무것도 아닙니다."} and set(frame["rule"]) == {"none"}


async def test_only_the_variant_with_documents_shows_them(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path
) -> None:
    await bench(endpoint, ledger, tmp_path).run()
    shown = [request.prompt for request in endpoint.requests]
    assert sum("가온누리상사 직원은 해마다 연차휴가 17일을 받는다" in prompt for prompt in shown[:20]) == 0
    assert sum("가온누리상사 직원은 해마다 연차휴가 17일을 받는다" in prompt for prompt in shown[20:]) >= 3


async def test_without_choices_the_answer_is_text(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path) -> None:
    endpoint.default = Answer("17일.\n질문: 다음은?")
    made = bench(endpoint, ledger, tmp_path, choices=False, variants=["rag"])
    await made.run()
    frame = made.frame()
    assert set(frame["answer"]) == {"17일"}
    assert frame.loc["leave-1", "correct"] == 1.0 and frame["correct"].sum() == 1.0
    assert all("보기:" not in request.prompt for request in endpoint.requests)


async def test_a_suite_without_a_retriever_fails_its_samples_with_a_sentence(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path
) -> None:
    made = bench(endpoint, ledger, tmp_path, variants=["rag"])
    made.retriever = None
    run = await made.run()
    frame = outcome_frame(ledger, cells_of(ledger, run.id)[0].id)
    assert set(frame["outcome"]) == {"failed"}
    assert "names no retriever" in frame["error"].iloc[0]


def test_the_retriever_is_part_of_the_plan_and_of_the_signature(
    endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path
) -> None:
    made = bench(endpoint, ledger, tmp_path)
    _, cells = made.cells()
    assert cells[0].describe()["retriever"]["sha256"]
    assert "|retriever:bm25:" in cells[0].signature()
    made.retriever = None
    _, cells = made.cells()
    assert "retriever" not in cells[0].describe() and "retriever" not in cells[0].signature()


@pytest.mark.parametrize("form", ["document", "letters", "instruct"])
def test_every_form_is_a_variant(form: str, tmp_path: Path) -> None:
    assert load_flow("rag_qa", tmp_path).with_variant(f"rag,{form}").chosen == {"retrieve": "rag", "compose": form}
