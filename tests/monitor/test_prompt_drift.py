"""How far answers hang on what should not matter: made-up models whose habits are known."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.flows.models import Unavailable
from driftgate.monitor.prompt_drift import ask_all, repeatability, sensitivity


@pytest.fixture(scope="module")
def samples():
    return every_sample()[:40]


def every_sample():
    return load_dataset("sample", parse_config({"kind": "sample"}), Path()).samples


async def knows(sample, prompt, repeat):
    """Answers by the text of the right choice, wherever it stands."""
    right = sample.data["choices"][LETTERS.index(sample.data["answer"])]
    return LETTERS[list(prompt.data["choices"]).index(right)]


async def likes_a(sample, prompt, repeat):
    return "A"


async def guesses(sample, prompt, repeat):
    return random.Random(f"{sample.key} {prompt.data['question']} {repeat}").choice("ABCD")


def by_name(answers):
    return {each.perturbation: each for each in sensitivity(answers)}


async def test_a_model_that_knows_is_moved_by_nothing(samples):
    answers = await ask_all(samples, knows, repeats=3)
    again = repeatability(answers)
    assert (again.n, again.repeats) == (40, 3)
    assert again.unanimous.estimate == again.agreement.estimate == 1.0
    for each in sensitivity(answers):
        assert (each.flip_rate.estimate, each.lost, each.gained, each.repeat_flip_rate) == (0.0, 0, 0, 0.0)
        assert each.adjusted_p_value == 1.0


async def test_a_model_that_likes_a_letter_flips_with_the_order_and_with_nothing_else(samples):
    found = by_name(await ask_all(samples, likes_a, repeats=2))
    assert found["option_order"].flip_rate.estimate > 0.5
    assert found["option_order"].repeat_flip_rate == 0.0
    assert found["whitespace"].flip_rate.estimate == found["politeness"].flip_rate.estimate == 0.0


async def test_a_model_that_understands_plain_questions_only_loses_with_politeness(samples):
    async def plain_only(sample, prompt, repeat):
        return None if "니까" in prompt.data["question"] else await knows(sample, prompt, repeat)

    found = by_name(await ask_all(samples, plain_only, repeats=1))
    polite = found["politeness"]
    assert polite.lost == polite.n == 40
    assert polite.accuracy_difference.estimate == -1.0
    assert polite.adjusted_p_value < 1e-9
    assert polite.repeat_flip_rate is None
    assert found["whitespace"].adjusted_p_value == 1.0


async def test_guesses_flip_with_a_perturbation_no_more_than_without():
    answers = await ask_all(every_sample(), guesses, repeats=5)
    again = repeatability(answers)
    assert again.agreement.estimate == pytest.approx(0.25, abs=0.06)
    assert again.unanimous.estimate < 0.1
    for each in sensitivity(answers):
        assert each.flip_rate.estimate == pytest.approx(0.75, abs=0.1)
        assert each.repeat_flip_rate == pytest.approx(0.75, abs=0.1)
        assert each.adjusted_p_value > 0.05


async def test_examples_are_exchanged_where_there_are_any(samples):
    pool = [{"question": f"{number} + 1 = ?", "choices": ["1", "2"], "answer": "A"} for number in range(6)]
    seen = []

    async def watches(sample, prompt, repeat):
        seen.append(tuple(example["question"] for example in prompt.examples))
        return "A"

    without = by_name(await ask_all(samples[:5], watches, pool=pool, repeats=1))
    assert "few_shot" not in without
    answers = await ask_all(samples[:5], watches, examples=lambda sample: pool[:3], pool=pool, repeats=1)
    assert by_name(answers)["few_shot"].n == 5
    assert any(set(questions) & {"4 + 1 = ?", "5 + 1 = ?"} for questions in seen)


async def test_a_failed_call_takes_only_its_own_answer(samples):
    async def sometimes_down(sample, prompt, repeat):
        if sample is samples[0] and repeat == 0:
            raise Unavailable("no answer within 60 s")
        return await knows(sample, prompt, repeat)

    answers = await ask_all(samples, sometimes_down, repeats=3)
    assert answers["answer"].isna().sum() == len(answers[(answers["key"] == samples[0].key) & (answers["repeat"] == 0)])
    assert repeatability(answers).n == 40
    assert all(each.n == 39 for each in sensitivity(answers))


async def test_no_more_calls_are_in_flight_than_asked_for(samples):
    flying, most = 0, 0

    async def slow(sample, prompt, repeat):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        return "A"

    await ask_all(samples[:10], slow, at_once=3)
    assert most == 3


async def test_an_unknown_perturbation_is_named(samples):
    with pytest.raises(DriftgateError, match="did you mean 'whitespace'"):
        await ask_all(samples, knows, perturbations=["whitespce"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from("ABC"), min_size=1, max_size=5), max_size=12))
def test_repeatability_counts_as_by_hand(runs):
    rows = [
        {"key": str(key), "perturbation": "", "repeat": repeat, "answer": answer, "right": "A"}
        for key, answers in enumerate(runs)
        for repeat, answer in enumerate(answers)
    ]
    found = repeatability(pd.DataFrame(rows, columns=["key", "perturbation", "repeat", "answer", "right"]))
    several = [answers for answers in runs if len(answers) > 1]
    pairs = [
        sum(a == b for i, a in enumerate(answers) for b in answers[:i]) / (len(answers) * (len(answers) - 1) / 2)
        for answers in several
    ]
    assert found.n == len(several)
    if several:
        assert found.unanimous.estimate == pytest.approx(sum(len(set(a)) == 1 for a in several) / len(several))
        assert found.agreement.estimate == pytest.approx(sum(pairs) / len(pairs))
