from __future__ import annotations

import math
import random
from statistics import mean

import pytest

from benchmarks.perf.memorisation import Planted, exposures, plant


def test_secrets_are_planted_as_often_as_asked_and_the_texts_keep_their_order():
    texts = [f"문의 {number}" for number in range(50)]
    planted = plant(texts, [1, 4, 8], seed=3)
    assert [planted.texts.count(secret.text) for secret in planted.secrets] == [1, 4, 8]
    assert [text for text in planted.texts if text in texts] == texts
    assert len({*planted.references, *(s.text for s in planted.secrets)}) == 1023 + 3


def test_the_seed_decides_everything():
    assert plant(["가"], seed=3) == plant(["가"], seed=3)
    assert plant(["가"], seed=3).secrets != plant(["가"], seed=4).secrets


def test_what_a_character_model_has_seen_is_exposed():
    """A real, if tiny, language model: character trigrams with add-one smoothing, trained on the planted texts."""
    planted = plant(["배송이 늦어요."] * 20, [1, 16], seed=5, references=255)
    counts: dict[str, dict[str, int]] = {}
    for text in planted.texts:
        for start in range(len(text) - 6):
            seen = counts.setdefault(text[start : start + 6], {})
            seen[text[start + 6]] = seen.get(text[start + 6], 0) + 1

    def log_probability(text: str) -> float:
        total = 0.0
        for start in range(len(text) - 6):
            seen = counts.get(text[start : start + 6], {})
            total += math.log((seen.get(text[start + 6], 0) + 1) / (sum(seen.values()) + 100))
        return total

    found = exposures(planted, lambda texts: [log_probability(text) for text in texts])
    assert list(found.values()) == [planted.ceiling, planted.ceiling] == [8.0, 8.0]


def test_without_memorisation_exposure_is_about_one_and_a_half_bits():
    source = random.Random(1)
    values = []
    for seed in range(300):
        planted = plant([], [1], seed=seed, references=255)
        values += exposures(planted, lambda texts: [source.random() for _ in texts]).values()
    assert 1.2 < mean(values) < 1.7  # 1 / ln 2 = 1.44; the mean of 300 has a standard error of 0.08


def test_a_tie_does_not_count_as_memorised():
    planted = plant([], [1], seed=1, references=7)
    assert list(exposures(planted, lambda texts: [0.0] * len(texts)).values()) == [0.0]


@pytest.mark.parametrize("answer", [[0.0], [math.nan] * 8])
def test_a_model_that_leaves_texts_out_is_refused(answer):
    planted: Planted = plant([], [1], seed=1, references=7)
    with pytest.raises(ValueError, match="one log-probability"):
        exposures(planted, lambda texts: answer)


def test_more_secrets_than_numbers_are_refused():
    with pytest.raises(ValueError, match="take more digits"):
        plant([], [1], seed=1, references=100, digits=2)
