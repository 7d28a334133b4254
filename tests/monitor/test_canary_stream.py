"""GPT-4 of March and June 2023 as a stream of canaries, and streams made up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.perf.llmdrift import read_pairs, watch
from driftgate.monitor.canary_stream import CanaryStream

FILE = Path("../shared/data/llmdrift/PRIME_FULL_EVAL.csv")
SHUFFLES = 200


@pytest.fixture(scope="module")
def pairs():
    if not FILE.exists():
        pytest.skip(f"{FILE} is not there")
    return read_pairs(FILE)


def test_the_recorded_answers_give_the_published_accuracies(pairs):
    # Chen, Zaharia, Zou (2023), How is ChatGPT's behavior changing over time?, figure 2: 84.0% in March, 51.1% in June.
    assert len(pairs) == 1000
    assert pairs["reference"].mean() == pytest.approx(0.840, abs=0.002)
    assert pairs["current"].mean() == pytest.approx(0.511, abs=0.002)


def test_the_swap_of_gpt_4_is_noticed_within_sixty_canaries_and_the_primes_are_named(pairs):
    found = [watch(pairs, seed) for seed in range(SHUFFLES)]
    assert all(alarm is not None for alarm, _, _ in found)
    assert np.median([alarm for alarm, _, _ in found]) <= 60
    assert np.median([named for _, named, _ in found]) <= 60
    assert all(slices == ("prime",) for _, _, slices in found)


def test_pairs_exchanged_at_random_are_quiet(pairs):
    alarms = sum(watch(pairs, seed, exchange=True)[0] is not None for seed in range(SHUFFLES))
    assert alarms <= 0.05 * SHUFFLES


def test_a_stream_of_many_slices_in_which_nothing_changed_is_quiet():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(60):
        stream = CanaryStream(floor=0.0)
        for difference, name in zip(rng.choice([-1.0, 0.0, 1.0], 400), rng.integers(0, 12, 400), strict=True):
            stream.update(float(difference), str(name))
        alarms += stream.drift_detected
    assert alarms <= 3


def test_a_loss_below_the_floor_is_no_alarm():
    loose, strict = CanaryStream(floor=0.01), CanaryStream(floor=0.1)
    for number in range(3000):
        for stream in (loose, strict):
            stream.update(-1.0 if number % 25 == 0 else 0.0)
    assert loose.drift_detected
    assert not strict.drift_detected


def test_the_state_goes_through_json():
    stream = CanaryStream()
    for number in range(40):
        stream.update(-1.0 if number % 2 else 0.0, "odd" if number % 2 else "even")
    again = CanaryStream.from_state(json.loads(json.dumps(stream.state())))
    assert again.state() == stream.state()
    assert (again.n, again.moved) == (40, ("odd",))
