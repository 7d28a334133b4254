"""What every perturbation must do, run on every member of the registry, and what is particular to one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.letters import LETTERS
from driftgate.monitor.perturbations import PERTURBATIONS, Prompt
from driftgate.monitor.perturbations.politeness import exchange_politeness

texts = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
words = st.lists(texts, min_size=1, max_size=8)


@st.composite
def prompts(draw):
    choices = draw(st.lists(texts, min_size=2, max_size=10, unique=True))
    examples = [
        {"question": f"{number} + 1 = ?", "choices": [str(number), str(number + 1)], "answer": "B"}
        for number in range(draw(st.integers(0, 5)))
    ]
    data = {
        "question": " ".join(draw(words))
        + draw(st.sampled_from(["은?", "는 무엇인가?", "하는가?", "를 고르시오.", ""])),
        "choices": choices,
        "answer": draw(st.sampled_from(LETTERS[: len(choices)])),
        "passage": "지문  그대로",
    }
    return Prompt(data, tuple(examples))


def key_text(prompt: Prompt, letter: str) -> str:
    return prompt.data["choices"][LETTERS.index(letter)]


SETTINGS = settings(
    max_examples=40,
    deadline=None,  # a change may be impossible, as of a prompt without a word to misspell
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", params=PERTURBATIONS.names())
def perturbation(request):
    return PERTURBATIONS.get(request.param)


@pytest.fixture(scope="module")
def sample_data():
    return load_dataset("sample", parse_config({"kind": "sample"}), Path())


def test_it_is_called_what_its_module_is_called(perturbation):
    assert PERTURBATIONS.get(perturbation.name) is perturbation


@settings(SETTINGS)
@given(prompt=prompts(), seed=st.integers(0, 2**16), key=st.text(max_size=5))
def test_it_changes_the_prompt_and_keeps_the_right_answer(perturbation, prompt, seed, key):
    pool = [{"question": f"{number} x 2 = ?", "choices": ["1", "2"], "answer": "A"} for number in range(6)]
    before = (dict(prompt.data), list(prompt.examples))
    changed = perturbation.apply(prompt, pool, key=key, seed=seed)
    assert (dict(prompt.data), list(prompt.examples)) == before
    assume(changed is not None)
    assert (changed.data, list(changed.examples)) != before
    right = changed.data["answer"]
    assert key_text(changed, right) == key_text(prompt, prompt.data["answer"])
    assert changed.read_back(right) == prompt.data["answer"]
    assert changed.data["passage"] == prompt.data["passage"]
    assert perturbation.apply(prompt, pool, key=key, seed=seed) == changed


@settings(SETTINGS)
@given(prompt=prompts())
def test_read_back_turns_every_choice_into_the_letter_it_had(perturbation, prompt):
    changed = perturbation.apply(prompt)
    assume(changed is not None)
    for letter in LETTERS[: len(prompt.data["choices"])]:
        assert key_text(prompt, changed.read_back(letter)) == key_text(changed, letter)


def test_it_applies_to_most_of_the_sample_dataset(perturbation, sample_data):
    examples = sample_data.shots[:3]
    prompts = [Prompt(sample.data, [example.data for example in examples]) for sample in sample_data.samples]
    pool = [shot.data for shot in sample_data.shots]
    changed = [perturbation.apply(prompt, pool, key=str(place)) for place, prompt in enumerate(prompts)]
    assert sum(each is not None for each in changed) >= 0.9 * len(prompts)


@settings(max_examples=40, deadline=None)
@given(prompt=prompts(), seed=st.integers(0, 2**16))
def test_white_space_is_all_that_white_space_changes(prompt, seed):
    changed = PERTURBATIONS.get("whitespace").apply(prompt, seed=seed)
    assert "".join(changed.data["question"].split()) == "".join(prompt.data["question"].split())
    assert changed.data["question"].split() == prompt.data["question"].split()
    assert {**changed.data, "question": ""} == {**prompt.data, "question": ""}


@settings(max_examples=40, deadline=None)
@given(prompt=prompts(), seed=st.integers(0, 2**16))
def test_the_order_of_the_choices_is_all_that_their_order_changes(prompt, seed):
    changed = PERTURBATIONS.get("option_order").apply(prompt, seed=seed)
    assume(changed is not None)
    assert sorted(changed.data["choices"]) == sorted(prompt.data["choices"])
    assert changed.data["choices"] != prompt.data["choices"]
    assert changed.data["question"] == prompt.data["question"]


@pytest.mark.parametrize("last", ["위의 모두", "모두 맞다", "①, ③", "All of the above", "A and C", "정답 없음"])
def test_a_choice_that_speaks_of_others_stays_where_it_is(last):
    prompt = Prompt({"question": "?", "choices": ["하나", "둘", last], "answer": "C"})
    assert PERTURBATIONS.get("option_order").apply(prompt) is None


def test_choices_moved_twice_are_read_back_through_both():
    change = PERTURBATIONS.get("option_order").change
    prompt = Prompt({"question": "?", "choices": ["하나", "둘", "셋"], "answer": "C"})
    twice = change(change(prompt, (), random.Random(1)), (), random.Random(2))
    assert twice.read_back(twice.data["answer"]) == "C"


@pytest.mark.parametrize(
    ("plain", "formal"),
    [
        ("다음 중 옳은 것은?", "다음 중 옳은 것은 무엇입니까?"),
        ("이 말을 남긴 사람은 ?", "이 말을 남긴 사람은 누구입니까?"),
        ("축제가 열리는 도시는?", "축제가 열리는 도시는 어디입니까?"),
        ("수도는 어디인가?", "수도는 어디입니까?"),
        ("무엇을 뜻하는가?", "무엇을 뜻합니까?"),
        ("어떻게 되는가?", "어떻게 됩니까?"),
        ("몇 명이 있는가?", "몇 명이 있습니까?"),
        ("누가 만들었는가?", "누가 만들었습니까?"),
        ("옳은 것을 고르시오.", "옳은 것을 고르십시오."),
    ],
)
def test_plain_endings_become_formal(plain, formal):
    assert exchange_politeness(plain) == formal


@pytest.mark.parametrize(
    ("formal", "plain"),
    [
        ("이것은 무엇입니까?", "이것은 무엇인가?"),
        ("몇 명이 있습니까?", "몇 명이 있는가?"),
        ("값은 어떻게 됩니까?", "값은 어떻게 되는가?"),
        ("알맞은 것을 고르십시오.", "알맞은 것을 고르시오."),
    ],
)
def test_formal_endings_become_plain(formal, plain):
    assert exchange_politeness(formal) == plain


@pytest.mark.parametrize("question", ["15 + 27 = ?", "What is the capital of Korea?", "나는 학교에 간다.", ""])
def test_what_no_rule_knows_is_left_alone(question):
    assert exchange_politeness(question) is None


def test_other_examples_are_as_many_and_none_is_the_question_itself():
    used = [{"question": str(number)} for number in range(3)]
    others = [{"question": str(number)} for number in range(3, 7)]
    prompt = Prompt({"question": "6"}, used)
    changed = PERTURBATIONS.get("few_shot").apply(prompt, [*used, *others])
    assert len(changed.examples) == 3
    assert all(example in others[:3] for example in changed.examples)
    assert PERTURBATIONS.get("few_shot").apply(Prompt({"question": "6"}), others) is None
    reordered = PERTURBATIONS.get("few_shot").apply(prompt, used)
    assert list(reordered.examples) != used
    assert sorted(map(str, reordered.examples)) == sorted(map(str, used))
