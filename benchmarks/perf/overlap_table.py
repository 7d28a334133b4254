"""Measure the overlap evaluators on Korean candidates that were graded by meaning, beside sacrebleu and a morphology.

Run from the project's root; sacrebleu and kiwipiepy are no dependencies of the project, and a row whose package is
missing says so::

    python -m benchmarks.perf.overlap_table

``overlap_cases.csv`` beside this file holds the candidates: the part, the domain, the kind of candidate, its grade (4
the same meaning, 3 a little less, 2 half of it, 1 another fact, 0 nothing of it), the reference and the candidate. It
was committed before a rule was written; the part ``open`` was looked at while the rules were made, the part ``held``
was measured when they were done. The part ``long``, replies of several sentences, was written and measured after both.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.evaluators.f1 import overlap

CASES = Path(__file__).with_name("overlap_cases.csv")
MEASURES = {"f1": "f1", "rouge": "f1", "bleu": "bleu", "chrf": "chrf", "meteor": "meteor"}
"""The evaluators and the metric of each that is its score."""
UNITS = ("pair", "stem", "word", "syllable")
PLANTED = ("wrong_number", "wrong_unit", "wrong_negation")
OTHERS = {
    "sacrebleu BLEU": "sacrebleu",
    "sacrebleu chrF": "sacrebleu",
    "F1 of kiwipiepy's morphemes": "kiwipiepy",
    "F1 of its content morphemes": "kiwipiepy",
}
"""Measures of other packages, and which."""

Score = Callable[[str, str], float]


def cases() -> pd.DataFrame:
    """The graded candidates."""
    rows = pd.read_csv(CASES, keep_default_na=False, dtype={"grade": int})
    return rows.assign(candidate=rows.candidate.str.replace("\\n", "\n"))  # a line of the file is a candidate


def evaluated(rows: pd.DataFrame, name: str, **settings: Any) -> pd.DataFrame:
    """What an evaluator makes of each candidate: its metrics as columns, ``score`` the one that MEASURES names."""
    evaluate = EVALUATORS.get(name)(**settings)
    found = [evaluate(response=c, ground_truth=r) for c, r in zip(rows.candidate, rows.reference, strict=True)]
    frame = pd.DataFrame(found, index=rows.index)
    return frame.assign(score=frame[MEASURES[name]])


def spearman(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    """Spearman's rank correlation, ties in the middle of their ranks."""
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def interval(rows: pd.DataFrame, score: pd.Series[Any], draws: int = 400) -> tuple[float, float]:
    """95% bootstrap interval of Spearman's correlation; whole references are drawn, as their candidates are alike."""
    random = np.random.default_rng(0)
    places = [np.flatnonzero(rows.reference == reference) for reference in rows.reference.unique()]
    found = []
    for _ in range(draws):
        drawn = np.concatenate([places[i] for i in random.integers(len(places), size=len(places))])
        found.append(spearman(score.iloc[drawn], rows.grade.iloc[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def pairs(rows: pd.DataFrame) -> Iterator[tuple[int, int]]:
    """Of every reference each good paraphrase with each candidate that has a wrong number, unit or negation."""
    for _, group in rows.groupby("reference", sort=False):
        good, bad = group.index[group.kind == "paraphrase"], group.index[group.kind.isin(PLANTED)]
        yield from product(good, bad)


def ranked(rows: pd.DataFrame, score: pd.Series[Any], passes: pd.Series[Any] | None = None) -> tuple[int, int]:
    """In how many pairs the paraphrase scores higher, or passes where the other does not; and how many there are."""
    right = [
        bool(score[good] > score[bad]) if passes is None else bool(passes[good] and not passes[bad])
        for good, bad in pairs(rows)
    ]
    return sum(right), len(right)


def others() -> Iterator[tuple[str, Score | None, str]]:
    """Measures that stand beside ours: name, score (None where its package is missing), package."""
    for name, package in OTHERS.items():
        yield name, _other(name) if find_spec(package) else None, package


def _other(name: str) -> Score:
    if name.startswith("sacrebleu"):
        sacrebleu = import_module("sacrebleu")
        measure = sacrebleu.sentence_bleu if name.endswith("BLEU") else sacrebleu.sentence_chrf
        return lambda said, wanted: float(measure(said, [wanted]).score) / 100
    kiwi = import_module("kiwipiepy").Kiwi()

    def morphemes(text: str) -> list[str]:
        """All, or those of nouns, verbs, modifiers, foreign words and numbers (Sejong tags N, V, M, X, SL, SN)."""
        found = kiwi.tokenize(text)
        content = "content" in name
        return [t.form for t in found if not content or t.tag[0] in "NVMX" or t.tag in ("SL", "SN")]

    return lambda said, wanted: overlap(morphemes(said), morphemes(wanted))[2]


def respaced(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """The candidates without a share of the spaces between their Hangul."""
    drawn = random.Random(0)  # the same spaces for every measure

    def squeezed(text: str) -> str:
        return re.sub(r"(?<=[가-힣]) (?=[가-힣])", lambda _: "" if drawn.random() < share else " ", text)

    return rows.assign(candidate=[squeezed(text) for text in rows.candidate])


def main() -> None:
    """Print the tables."""
    rows = cases()
    clean = ~rows.kind.isin(PLANTED)
    print(f"{len(rows)} candidates of {rows.reference.nunique()} references\n")
    for part in ("open", "held", "long"):
        own, threshold_rows = rows[rows.part == part], rows[rows.part == "open"]
        print(f"## {part}: {len(own)} candidates, {len(list(pairs(own)))} pairs of a paraphrase and a planted fault\n")
        print("| measure | Spearman | 95% | without planted faults | spacing alone | ranked by score | by threshold |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        found = {name: evaluated(rows, name) for name in MEASURES}
        scores = {name: frame.score for name, frame in found.items()}
        for name, measure, package in others():
            if measure is None:
                print(f"| {name} | {package} is not installed | | | | | |")
                continue
            both = zip(rows.candidate, rows.reference, strict=True)
            scores[name] = pd.Series([measure(said, wanted) for said, wanted in both], index=rows.index)
        limits = {name: _limit(threshold_rows, score) for name, score in scores.items()}
        for name, score in scores.items():
            mine = score[own.index]
            low, high = interval(own, mine)
            apart = _shown(spearman(mine[clean], own.grade[clean])) if own.grade[clean].nunique() > 1 else ""
            spaced = _shown(mine[own.kind == "spacing"].mean())
            right, of = ranked(own, mine)
            above, _ = ranked(own, mine, mine >= limits[name])
            print(
                f"| {name} | {spearman(mine, own.grade):.2f} | {low:.2f} to {high:.2f} | {apart} | {spaced} "
                f"| {right} of {of} | {above} of {of} |"
            )
        _with_conscience(own, found, limits)
    _units(rows[rows.part != "long"])


def _shown(value: float) -> str:
    """A figure, or nothing where the part has no such candidates."""
    return "" if np.isnan(value) else f"{value:.2f}"


def _limit(rows: pd.DataFrame, score: pd.Series[Any]) -> float:
    """The threshold that nine in ten good paraphrases of the open part reach."""
    return float(np.quantile(score[rows.index][rows.kind == "paraphrase"], 0.1))


def _with_conscience(own: pd.DataFrame, found: dict[str, pd.DataFrame], limits: dict[str, float]) -> None:
    print("\n| by threshold | alone | and numbers_wrong = 0 | and negation = 1 | Spearman, 0 where either fails |")
    print("|---|--:|--:|--:|--:|")
    for name, frame in found.items():
        mine = frame.loc[own.index]
        high = mine.score >= limits[name]
        numbers = high & (mine.numbers_wrong == 0)
        both = numbers & (mine.negation == 1)
        counts = [ranked(own, mine.score, rule) for rule in (high, numbers, both)]
        kept = mine.score.where((mine.numbers_wrong == 0) & (mine.negation == 1), 0.0)
        cells = " | ".join(f"{right} of {of}" for right, of in counts)
        print(f"| {name} | {cells} | {spearman(kept, own.grade):.2f} |")
    print("\n| kind | candidates | numbers_agree | numbers_missing | numbers_wrong | numbers_added | negation |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    beside = found["f1"].loc[own.index]
    for kind, group in own.groupby("kind", sort=True):
        means = beside.loc[
            group.index, ["numbers_agree", "numbers_missing", "numbers_wrong", "numbers_added", "negation"]
        ]
        print(f"| {kind} | {len(group)} | " + " | ".join(f"{mean:.2f}" for mean in means.mean()) + " |")
    print()


def _units(rows: pd.DataFrame) -> None:
    print(
        "## Units: Spearman without planted faults, open and held; mean change where 30% of the spaces are left out\n"
    )
    print("| measure | " + " | ".join(UNITS) + " |\n|---|" + "--:|" * len(UNITS))
    clean = rows[~rows.kind.isin(PLANTED)]
    squeezed = respaced(clean, 0.3)
    for name in ("f1", "rouge", "bleu", "meteor"):
        cells = []
        for unit in UNITS:
            score, without = evaluated(clean, name, unit=unit).score, evaluated(squeezed, name, unit=unit).score
            cells.append(f"{spearman(score, clean.grade):.3f}, {(score - without).abs().mean():.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |")
    unrelated = [" ".join(part) for part in zip(*[iter(clean.reference.unique())] * 5, strict=False)]
    print("\nF1 of five sentences and five others: ", end="")
    for unit in UNITS:
        evaluate = EVALUATORS.get("f1")(unit=unit)
        means = [evaluate(response=a, ground_truth=b)["f1"] for a, b in product(unrelated, unrelated) if a != b]
        print(f"{unit} {np.mean(means):.2f}", end="; ")
    print()


if __name__ == "__main__":
    main()
