"""Training items from the handbook's development questions."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.finetune.demo.handbook import training_items, with_other_numbers
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.retrieval import open_retriever
from driftgate.flows.retrieval import parse_config as parse_retriever


async def test_every_answer_stands_in_its_passage_and_no_measured_question_is_trained_on(tmp_path: Path) -> None:
    dataset = load_dataset("h", parse_config({"kind": "handbook"}), tmp_path)
    retriever = open_retriever("h", parse_retriever({"kind": "bm25"}), tmp_path)
    engine = ENGINES.get("promptflow")(load_flow("rag_qa", tmp_path).with_variant("rag"))
    items = await training_items(retriever, dataset.shots[:12], engine)
    await engine.aclose()
    assert len(items) == 48 and len({item.id for item in items}) == 48
    for item in items:
        passage = item.prompt.rsplit("\n\n", 1)[1].rsplit("질문:", 1)[0]
        assert item.target in passage
    asked = {item.prompt.rsplit("질문: ", 1)[1].split("\n")[0] for item in items}
    assert not asked & {sample.data["question"] for sample in dataset.samples}
    again = await training_items(
        retriever, dataset.shots[:12], ENGINES.get("promptflow")(load_flow("rag_qa", tmp_path))
    )
    assert again == items


@given(st.integers(1, 99999), st.integers(0, 9), st.randoms())
def test_passage_and_answer_change_alike(number: int, digit: int, rng) -> None:  # type: ignore[no-untyped-def]
    text, answer = with_other_numbers(f"값은 {number}원이고 {digit}번 문이다.", f"{number}원", rng)
    assert answer in text and re.sub(r"\d", "", text) == "값은 원이고 번 문이다."
