"""A judge is admitted by how well it agrees with people, and nothing that is no judge ever is."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from driftgate.benchmarks._beyond_length import beyond_length
from driftgate.benchmarks.agreement import FLOOR, admit, agreement, anchor_power, quadratic_kappa, reaches, wanted_kappa
from driftgate.benchmarks.judges import ALPHA, compare_grades
from driftgate.flows.evaluators import anchor_lengths, known_grades
from driftgate.flows.evaluators._anchors import SHIPPED, load_anchors

ANCHORS = load_anchors(SHIPPED)
JUDGES = sorted(ANCHORS[0].grades)
SCALE = (1.0, 5.0)
REPEATS = 400


def lengths(name: str) -> dict[str, float]:
    return anchor_lengths(ANCHORS, name, ("query", "context") if name == "retrieval" else ("response",))


def judged(known: dict[str, float], spread: float, seed: int) -> dict[str, float | None]:
    """People's grades with errors of this spread."""
    errors = np.random.default_rng(seed).normal(0, spread, len(known))
    return {i: float(np.clip(round(g + e), *SCALE)) for (i, g), e in zip(known.items(), errors, strict=True)}


def admitted(name: str, grades: dict[str, float | None]) -> bool:
    made = admit(grades, known_grades(ANCHORS, name), lengths(name), SCALE)
    assert made is not None
    return made.admitted


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=3, max_size=40))
def test_kappa_is_the_one_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    mine, theirs = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    if np.ptp(np.concatenate([mine, theirs])) == 0:
        return
    wanted = cohen_kappa_score(mine.astype(int), theirs.astype(int), weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert float(quadratic_kappa(mine, theirs)) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("grade", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_a_judge_that_always_says_the_same_is_never_admitted(name: str, grade: float) -> None:
    known = known_grades(ANCHORS, name)
    made = admit(dict.fromkeys(known, grade), known, lengths(name), SCALE)
    assert made is not None and not made.admitted and made.reason == f"it always grades {grade:g}"


@pytest.mark.parametrize("name", JUDGES)
def test_a_hash_of_the_text_is_practically_never_admitted(name: str) -> None:
    known = known_grades(ANCHORS, name)
    texts = {one.id: one.response for one in ANCHORS}
    through = 0
    for salt in range(REPEATS):
        digests = {item: hashlib.sha256(f"{salt}{texts[item]}".encode()).digest()[0] for item in known}
        through += admitted(name, {item: 1.0 + digest % 5 for item, digest in digests.items()})
    assert through <= 0.015 * REPEATS


@pytest.mark.parametrize("name", JUDGES)
def test_a_ruler_is_no_judge(name: str) -> None:
    long = lengths(name)
    order = sorted(long, key=lambda item: long[item])
    by_rank: dict[str, float | None] = {item: 1.0 + 5 * place // len(order) for place, item in enumerate(order)}
    rulers = [by_rank, *({item: min(5.0, 1.0 + n // step) for item, n in long.items()} for step in range(10, 200, 10))]
    rulers += [{item: 6.0 - grade for item, grade in ruler.items() if grade is not None} for ruler in rulers]
    assert not any(admitted(name, ruler) for ruler in rulers)


@pytest.mark.parametrize("name", JUDGES)
def test_the_best_ruler_is_no_judge_either_where_its_grades_waver(name: str) -> None:
    """People's own grades, fitted by the length as well as can be, now and then one off."""
    known = known_grades(ANCHORS, name)
    long = np.array([lengths(name)[item] for item in known])
    best = dict(zip(known, isotonic_regression(np.array(list(known.values())), True, long), strict=True))
    for spread in (0.3, 0.6, 1.0):
        assert np.mean([admitted(name, judged(best, spread, seed)) for seed in range(REPEATS)]) <= 0.13


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_that_agrees_is_admitted_as_often_as_the_anchors_say(name: str) -> None:
    known = known_grades(ANCHORS, name)
    said = anchor_power(tuple(known.values()), tuple(lengths(name).values()), SCALE, ALPHA)
    spreads = np.arange(0.3, 2.5, 0.1)
    people = np.array(list(known.values()))

    def kappa(spread: float) -> float:
        many = [list(judged(known, spread, seed).values()) for seed in range(60)]
        return float(quadratic_kappa(np.array(many, dtype=float).ravel(), np.tile(people, 60)))

    spread = min(spreads, key=lambda one: abs(kappa(one) - 0.7))
    share = float(np.mean([admitted(name, judged(known, spread, 1000 + seed)) for seed in range(REPEATS)]))
    assert said.admits >= 0.8 and share == pytest.approx(said.admits, abs=0.09)


def test_a_third_of_a_grade_is_seen_with_as_many_anchors_as_are_said_to_do() -> None:
    known = known_grades(ANCHORS, "relevance")
    power = anchor_power(tuple(known.values()), tuple(lengths("relevance").values()), SCALE, ALPHA)
    assert power.sees < 0.5 and "90 anchors would do" in power.words

    def seen(n: int) -> float:
        found = []
        for seed in range(60):
            chance = np.random.default_rng(seed)
            true = chance.integers(1, 5, n).astype(float)  # none is at the top, where nothing rises any more
            first, second = (true + chance.choice([-1, 0, 1], n, p=[0.075, 0.85, 0.075]) for _ in range(2))
            second += chance.random(n) < 1 / 3
            then, now = ({str(i): float(g) for i, g in enumerate(one)} for one in (first, second))
            found.append(compare_grades("n.e", then, now, {}).status == "moved")
        return float(np.mean(found))

    assert seen(24) < 0.5 and seen(power.needed) >= 0.85


@pytest.mark.parametrize("missing", [1, 3, 6])
def test_what_a_judge_does_not_grade_never_helps_it(missing: int) -> None:
    """Without the texts that it got wrong this judge would agree with people; it does not say them."""
    known = known_grades(ANCHORS, "groundedness")
    long = lengths("groundedness")
    grades: dict[str, float | None] = {**known}
    wrong = [item for item, grade in known.items() if grade >= 4][: missing + 4]
    whole = grades | dict.fromkeys(wrong, 1.0)
    silent = whole | dict.fromkeys(wrong[:missing], None)
    said, unsaid = (admit(one, known, long, SCALE) for one in (whole, silent))
    assert said is not None and unsaid is not None
    assert unsaid.admitted <= said.admitted


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=10, max_size=30),
    st.integers(0, 29),
    st.integers(1, 3),
    st.sampled_from([0.3, 0.4, 0.5, 0.7]),
)
def test_a_grade_farther_from_people_s_never_helps_to_reach_a_kappa(
    pairs: list[tuple[int, int]], place: int, by: int, kappa: float
) -> None:
    given_, known = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    place %= given_.size
    worse = given_.copy()
    worse[place] += by if given_[place] >= known[place] else -by
    assert bool(reaches(worse, known, kappa)) <= bool(reaches(given_, known, kappa))


def test_a_few_texts_that_were_not_graded_leave_a_good_judge_admitted() -> None:
    known = known_grades(ANCHORS, "groundedness")
    grades: dict[str, float | None] = dict(known) | dict.fromkeys(list(known)[:2], None)
    made = admit(grades, known, lengths("groundedness"), SCALE)
    assert made is not None and made.admitted and made.found.n == 22


def test_with_few_texts_more_agreement_is_wanted() -> None:
    wanted = [wanted_kappa(tuple(1.0 + i % 5 for i in range(n)), SCALE) for n in (10, 15, 25, 50, 300)]
    assert wanted == sorted(wanted, reverse=True) and wanted[-1] == FLOOR and wanted[0] > 0.65
    assert admit({"a": 1.0}, {"a": 1.0}, {}, SCALE) is None


def test_three_thousand_anchors_are_weighed_as_three_hundred_are() -> None:
    chance = np.random.default_rng(1)
    known = {str(n): float(grade) for n, grade in enumerate(chance.integers(1, 6, 3000))}
    long = {item: float(n) for item, n in zip(known, chance.integers(10, 400, 3000), strict=True)}
    made = admit(judged(known, 0.9, 2), known, long, SCALE)
    assert made is not None and made.admitted and made.found.high - made.found.low < 0.05


def test_the_interval_covers_the_true_kappa() -> None:
    chance = np.random.default_rng(5)
    known = chance.integers(1, 6, (600, 40)).astype(float)
    given = np.clip(np.round(known + chance.normal(0, 1.2, known.shape)), 1, 5)
    true = float(quadratic_kappa(given.ravel(), known.ravel()))
    found = [agreement(mine, theirs) for mine, theirs in zip(given, known, strict=True)]
    assert np.mean([one.low <= true <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2), st.integers(1, 60)), min_size=10, max_size=30),
    st.integers(0, 10**6),
)
def test_no_worse_grade_and_no_missing_one_ever_gets_a_judge_admitted(
    texts: list[tuple[int, int, int]], seed: int
) -> None:
    """From a judge that is off on every third text its grades get worse one by one, or go missing."""
    chance = np.random.default_rng(seed)
    known = {str(n): float(grade) for n, (grade, _, _) in enumerate(texts)}
    long = {str(n): float(grade * 10 + length) for n, (grade, _, length) in enumerate(texts)}
    now: dict[str, float | None] = {
        str(n): float(np.clip(grade + (off == 2) * chance.choice([-1, 1]), *SCALE))
        for n, (grade, off, _) in enumerate(texts)
    }
    before = admit(now, known, long, SCALE)
    assert before is not None
    for _ in range(25):
        item = str(chance.integers(len(texts)))
        grade = now[item]
        if grade is None:
            continue
        away = 1 if grade > known[item] else -1 if grade < known[item] else int(chance.choice([-1, 1]))
        worse = None if chance.random() < 0.1 else grade + away
        if worse is not None and not SCALE[0] <= worse <= SCALE[1]:
            continue
        now = now | {item: worse}
        after = admit(now, known, long, SCALE)
        if after is None:
            return
        assert after.admitted <= before.admitted, (item, grade, worse, before.reason)
        before = after


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), min_size=10, max_size=40),
    st.lists(st.integers(1, 400), min_size=4, max_size=4),
    st.booleans(),
)
def test_no_ruler_says_anything_beyond_length(texts: list[tuple[int, int]], steps: list[int], rises: bool) -> None:
    people, long = (np.array(side, dtype=float) for side in zip(*texts, strict=True))
    if np.ptp(people) == 0 or np.ptp(long) == 0:
        return
    ruler = 1.0 + sum((long >= step).astype(float) for step in steps)
    ruler = ruler if rises else 6.0 - ruler
    kinds = [isotonic_regression(people, rises_too, long) for rises_too in (True, False)]
    if any(np.allclose(kind, people) for kind in kinds):
        return  # people themselves say what a ruler does
    assert float(beyond_length(ruler, people, long, SCALE)) <= 1e-9


def isotonic_regression(people: np.ndarray, rises: bool, long: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import IsotonicRegression

    return np.asarray(IsotonicRegression(increasing=rises).fit(long, people).predict(long))


@pytest.mark.parametrize(
    ("people", "long", "grades", "place", "worse"),
    [
        (
            [3, 3, 2, 5, 2, 2, 5, 1, 3, 2, 1, 4, 5, 4, 2, 3],
            [110, 78, 65, 154, 51, 95, 140, 46, 107, 64, 41, 116, 155, 122, 80, 97],
            [4, 3, 2, 5, 2, 2, 5, 2, 2, 1, 1, 3, 5, 5, 1, 3],
            1,
            4,
        ),
        (
            [4, 2, 2, 4, 2, 2, 1, 5, 5, 4, 3, 3, 3, 2, 4, 1],
            [88, 87, 56, 93, 63, 40, 46, 120, 137, 90, 79, 62, 96, 54, 110, 38],
            [4, 2, 3, 3, 1, 1, 1, 4, 5, 3, 3, 3, 4, 2, 4, 1],
            1,
            1,
        ),
    ],
)
def test_a_worse_grade_that_goes_with_what_people_say_beyond_length_does_not_help(
    people: list[int], long: list[int], grades: list[int], place: int, worse: int
) -> None:
    """By the correlation of what both say beyond length it did: at the second of these texts."""
    known, lengths_, now = ({str(n): float(x) for n, x in enumerate(side)} for side in (people, long, grades))
    before = admit(dict(now), known, lengths_, SCALE)
    after = admit(now | {str(place): float(worse)}, known, lengths_, SCALE)
    assert before is not None and after is not None and after.admitted <= before.admitted
