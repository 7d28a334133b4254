"""The flow ``summarize``: its middle node can fail alone, and the scores say which node it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.scores import score_run
from driftgate.flows.salience import salient, sentences
from driftgate.ledger import open_ledger


def values(made: Bench, run: Any) -> dict[str, float]:
    (cell,) = score_run(made.ledger, run.id)
    return {row.metric: row.value for row in cell.rows if row.slice_kind == "all" and row.value is not None}


@pytest.fixture
def made(endpoint: ChatEndpoint, tmp_path: Path):
    ledger = open_ledger("ledger.db", tmp_path)
    dataset = load_dataset("d", parse_config({"kind": "news"}), tmp_path)
    yield Bench(endpoint, ledger, tmp_path, dataset.samples, {"flow": "summarize", "variants": ["instruct"]})
    ledger.close()


async def test_a_model_that_repeats_the_sentences_keeps_the_facts(made: Bench) -> None:
    made.endpoint.default = lambda prompt: Answer(prompt.splitlines()[-1])
    found = values(made, await made.run())
    assert found["select.facts.share"] == found["draft.facts.share"] > 0.8
    assert found["draft.support.supported"] == 1.0
    assert found["finish.length.within"] == 1.0


async def test_a_draft_that_makes_things_up_shows_at_its_own_node(made: Bench) -> None:
    made.endpoint.default = Answer("우주선 777대가 안드로메다에 도착했다고 해적이 전했다.")
    found = values(made, await made.run())
    assert found["select.facts.share"] > 0.8 and found["finish.length.within"] == 1.0
    assert found["draft.support.supported"] == 0.0 and found["draft.facts.share"] == 0.0
    assert found["accuracy"] == 0.0


async def test_the_last_node_tidies_what_small_models_do(made: Bench) -> None:
    made.endpoint.default = Answer("- 버스 막차가 늦춰진다.\n- 버스 막차가 늦춰진다.\n시는 시민의 요청이 많", "length")
    await made.run()
    assert set(made.frame()["answer"]) == {"버스 막차가 늦춰진다."}


async def test_an_empty_draft_is_no_summary(made: Bench) -> None:
    made.endpoint.default = Answer("")
    await made.run()
    assert set(made.frame()["outcome"]) == {"unparsed"}


@given(st.lists(st.text("가나다라 ", min_size=1, max_size=20), max_size=8), st.integers(1, 5))
def test_salient_sentences_are_sentences_of_the_text_in_its_order(parts: list[str], count: int) -> None:
    text = "\n".join(parts)
    chosen = salient(text, count)
    rest = iter(sentences(text))
    assert len(chosen) == min(count, len(sentences(text))) and all(sentence in rest for sentence in chosen)
