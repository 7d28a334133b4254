"""The flow ``maths`` against a model that answers HRM8K's kind of problems in five styles, right and wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint
from maths_problems import COUNT, STYLES, Problem, problems, reply, write_hrm8k

from driftgate.benchmarks.conventions import find_convention, rescore
from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.quantities import reader_id
from driftgate.ledger import cells_of, open_ledger, outcome_frame

WRONG_EVERY = 3
UNSURE_EVERY = 50


def slip(problem: Problem) -> bool:
    """Whether the model is wrong about it: by a thousandth, by the sign, or by one."""
    return problem.number % WRONG_EVERY == 0


def said(problem: Problem) -> str:
    if problem.number % UNSURE_EVERY == 7:
        return "조건이 부족하여 2가지 풀이 가운데 하나를 고를 수 없습니다. 잘 모르겠습니다."
    wrong = problem.value + 1 if problem.value > 0 else -problem.value
    return reply(problem, wrong if slip(problem) else problem.value)


@pytest.fixture
def made(endpoint: ChatEndpoint, tmp_path: Path):
    write_hrm8k(tmp_path)
    dataset = load_dataset("d", parse_config({"kind": "hrm8k", "path": "."}), tmp_path)
    by_question = {problem.question: problem for problem in problems()}

    def answer(prompt: str) -> Answer:
        return Answer(said(next(p for question, p in by_question.items() if question in prompt)))

    endpoint.default = answer
    ledger = open_ledger("ledger.db", tmp_path)
    yield Bench(endpoint, ledger, tmp_path, dataset.samples, {"flow": "maths", "variants": ["zero_shot"]})
    ledger.close()


def read(made: Bench) -> pd.DataFrame:
    """Every sample's outcome beside its problem."""
    by_question = {problem.question: problem for problem in problems()}
    keyed = {sample.id: by_question[sample.data["question"]] for sample in made.samples}
    frame = made.frame()
    return frame.assign(problem=[keyed[key] for key in frame.index])


async def test_five_styles_are_read_with_at_most_one_error_in_a_hundred(made: Bench) -> None:
    await made.run()
    frame = read(made)
    assert len(frame) == len(problems()) == COUNT
    assert Counter(p.style for p in frame["problem"]) == dict.fromkeys(STYLES, COUNT // len(STYLES))
    sure = frame[[p.number % UNSURE_EVERY != 7 for p in frame["problem"]]]
    expected = [float(not slip(p)) for p in sure["problem"]]
    errors = sure[(sure["outcome"] != "answered") | (sure["correct"].astype(float) != expected)]
    listed = [(said(p), p.gold, answer) for p, answer in zip(errors["problem"], errors["answer"], strict=True)]
    assert len(errors) <= 0.01 * COUNT, listed
    unsure = frame[[p.number % UNSURE_EVERY == 7 for p in frame["problem"]]]
    assert len(unsure) == COUNT // UNSURE_EVERY
    assert set(unsure["outcome"]) == {"unparsed"} and set(unsure["rule"]) == {"none"}  # listed, with why


async def test_a_score_says_how_its_replies_were_read(made: Bench) -> None:
    run = await made.run()
    (cell,) = cells_of(made.ledger, run.id)
    assert f"|extract:{reader_id()}|" in cell.signature
    assert rescore(made.ledger, cell, find_convention("macro")).notes == ()  # nothing to read again


async def test_replies_of_an_earlier_reader_are_read_again_without_asking(made: Bench) -> None:
    run = await made.run()
    (cell,) = cells_of(made.ledger, run.id)
    asked = len(made.endpoint.requests)
    earlier = replace(cell, signature=cell.signature.replace(reader_id(), "quantity-v0:000000"))
    again = rescore(made.ledger, earlier, find_convention("asked"))
    first = outcome_frame(made.ledger, cell.id)
    columns = ["sample_id", "outcome", "answer", "correct", "rule"]
    pd.testing.assert_frame_equal(again.frame[columns], first[columns], check_dtype=False)
    assert reader_id() in again.signature and len(made.endpoint.requests) == asked
    assert again.notes == ("quantities read again are right where they are exactly the wanted ones",)


async def test_a_reply_that_was_cut_is_no_answer(made: Bench) -> None:
    made.endpoint.default = Answer("먼저 3에 4를 곱하면 12이고 여기에 5를", "length")
    await made.run()
    assert set(made.frame()["outcome"]) == {"truncated"}
