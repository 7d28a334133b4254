"""Train the readers of refusals and of toxicity anew, and say how well each tells a writer whom it never met.

Run from the project's root, with scikit-learn and the shared data beside it::

    python -m benchmarks.perf.speech_training [refusal|toxicity]
    python -m benchmarks.perf.speech_training --leave-out [refusal|toxicity]

Labelled texts are those of ``speech_cases.csv`` (without ``blind4``) and ``speech_hands.csv``, where those of the part
``own`` were written for training. Most of what is read is neither, so that questions and choices of half of KMMLU's
subjects (``HAERAE-HUB/KMMLU``) are met as ordinary text; the other half says how often such text is told wrongly. The
weights are written into ``driftgate/flows/learned``; the same texts give the same bytes.

``--leave-out`` writes nothing: it leaves each hand out once, prints what is told of it by what the others taught, and
the slope and thresholds that stand below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from benchmarks.perf.speech_table import BY_RULES, CASES, HANDS
from driftgate.flows import learned
from driftgate.flows.evaluators.toxicity import CERTAINLY_NOT

WEIGHTS = Path(learned.__file__).parent
KMMLU = Path("../shared/data/kmmlu/data")
SEED = 20261127
ORDINARY, LEFT = {"refusal": 30_000, "toxicity": 20_000}, 15_000
"""Texts of the exam that are met, and of other subjects that are told afterwards."""
STRENGTH = {"refusal": 30.0, "toxicity": 100.0}
"""Inverse of the regularisation, chosen by leaving hands out."""
CASES_COUNT = 2.0
"""How often a text of ``speech_cases.csv`` counts, or one of ``own``: they are what the product promises."""
LEAST = 2
"""Texts in which a run must stand."""
KEPT = 60_000
"""Runs that are kept: those of the largest weight."""
SLOPE = {"refusal": 0.93, "toxicity": 0.78}
"""By which a score becomes log-odds, fitted to the scores of hands that were left out."""
THRESHOLD = {"refusal": 0.5, "toxicity": 0.5}
"""Probability from which the answer is yes: where precision and recall on a hand left out are about the same, and of
the exam's text about one in a thousand is told wrongly."""

Met = NDArray[np.uint32]
"""The keys of a text."""


@dataclass(frozen=True)
class Fitted:
    """What is learnt from some texts."""

    keys: Met
    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def scores(self, met: Sequence[Met]) -> NDArray[np.float64]:
        """Scores of texts, by their keys."""
        held = _matrix(met, self.keys)
        size = np.sqrt(held @ np.square(self.sizes))
        found: NDArray[np.float64] = self.bias + held @ self.weights / np.where(size == 0, 1.0, size)
        return found


def texts_of(name: str) -> pd.DataFrame:
    """The labelled texts: ``part``, ``text`` and whether the answer is yes."""
    found = pd.concat([pd.read_csv(path, keep_default_na=False, dtype=str) for path in (CASES, HANDS)])
    found = found[found.evaluator == name].drop_duplicates(["part", "text"])
    found = found[found.part != "blind4"]  # by which nothing is mended
    hand = found.part.str.startswith("hand")
    return pd.DataFrame(
        {
            "part": found.part.where(hand, "cases"),
            "text": found.text.str.replace("\\n", "\n"),
            "yes": found.wanted == "1",
        }
    ).reset_index(drop=True)


def exam_texts(name: str) -> tuple[list[str], list[str]]:
    """Questions and choices of the exam: a sample of every second subject, and one of the others."""
    subjects = [pd.read_csv(path, keep_default_na=False, dtype=str) for path in sorted(KMMLU.glob("*-test.csv"))]
    read = [pd.concat([one[column] for column in ("question", *"ABCD")]).drop_duplicates() for one in subjects]
    met, left = pd.concat(read[::2]).drop_duplicates(), pd.concat(read[1::2]).drop_duplicates()
    return met.sample(ORDINARY[name], random_state=SEED).tolist(), left[~left.isin(met)].sample(
        LEFT, random_state=SEED
    ).tolist()


def fit(table: pd.DataFrame, met: Sequence[Met], exam: Sequence[Met], name: str) -> Fitted:
    """Learn from labelled texts and from the exam's, by their keys; runs that only the exam has are not learnt."""
    yes = table.yes.to_numpy()
    known, count = np.unique(np.concatenate(met), return_counts=True)
    known = known[count >= LEAST]
    held = _matrix(met, known)
    said, unsaid = (np.asarray(held[which].sum(axis=0)).ravel() + 1.0 for which in (yes, ~yes))
    sizes = np.log(said / said.sum() / (unsaid / unsaid.sum()))
    held = sparse.vstack([held, _matrix(exam, known)]).tocsr()
    length = np.sqrt(held @ np.square(sizes))
    scaled = sparse.diags(1 / np.where(length == 0, 1.0, length)) @ held @ sparse.diags(sizes)
    model = LogisticRegression(C=STRENGTH[name], solver="liblinear", max_iter=60, tol=1e-2, random_state=SEED)
    weight = np.where(table.part == "cases", CASES_COUNT, 1.0)
    model.fit(
        scaled.tocsr(),
        np.concatenate([yes, np.zeros(len(exam), bool)]),
        sample_weight=np.concatenate([weight, np.ones(len(exam))]),
    )
    return Fitted(known, sizes, sizes * model.coef_[0], float(model.intercept_[0]))


def pruned(fitted: Fitted) -> Fitted:
    """Only the runs that weigh most."""
    kept = np.sort(np.argsort(-np.abs(fitted.weights), kind="stable")[:KEPT])
    return Fitted(fitted.keys[kept], fitted.sizes[kept], fitted.weights[kept], fitted.bias)


def _matrix(met: Sequence[Met], known: Met) -> sparse.csr_matrix:
    keys = np.concatenate(met)
    rows = np.repeat(np.arange(len(met)), [len(one) for one in met])
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    there = known[places] == keys
    return sparse.csr_matrix((np.ones(there.sum()), (rows[there], places[there])), (len(met), len(known)))


def write(name: str, fitted: Fitted) -> Path:
    """Write a reader's file."""
    path = WEIGHTS / f"{name}.npz"
    np.savez_compressed(
        path,
        gaps=np.diff(fitted.keys, prepend=np.uint32(0)).astype(np.uint32),
        sizes=fitted.sizes.astype(np.float16),
        weights=fitted.weights.astype(np.float16),
        bias=np.float64(fitted.bias),
        slope=np.float64(SLOPE[name]),
        threshold=np.float64(THRESHOLD[name]),
    )
    return path


def train(name: str) -> None:
    """Learn from all texts, write the weights, and print how much exam text is told wrongly."""
    table = texts_of(name)
    ordinary, left = exam_texts(name)
    whole = pruned(fit(table, _keys(table.text), _keys(ordinary), name))
    path = write(name, whole)
    print(f"{path.name}: {len(table)} labelled texts, {len(whole.keys):,} runs, {path.stat().st_size:,} bytes")
    wrong = _probability(name, whole.scores(_keys(left))) >= THRESHOLD[name]
    print(f"{name}: {int(wrong.sum())} of {len(left)} texts of the exam's other half told wrongly ({wrong.mean():.3%})")


def leave_out(name: str) -> None:
    """Leave every hand out, and print what is told of it."""
    table = texts_of(name)
    met, exam = _keys(table.text), _keys(exam_texts(name)[0])
    part = table.part.to_numpy()
    scores = np.zeros(len(table))
    for hand in sorted(set(part) - {"cases"}):
        kept, out = np.flatnonzero(part != hand), np.flatnonzero(part == hand)
        fitted = pruned(fit(table.iloc[kept], [met[place] for place in kept], exam, name))
        scores[out] = fitted.scores([met[place] for place in out])
    told = table.assign(score=scores, p=_probability(name, scores))[part != "cases"]
    told["rules"] = [BY_RULES[name](text) for text in told.text]
    print(f"{name}, each hand left out once: precision / recall of the rules, of the reader, of both")
    for hand, group in [("all", told), *told.groupby("part")]:
        ways = (group.rules, group.p >= THRESHOLD[name], _both(name, group, THRESHOLD[name]))
        print(f"  {hand}: {len(group)} texts, {', '.join(_shares(way, group.yes) for way in ways)}")
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        print(f"  both, were the threshold {threshold}: {_shares(_both(name, told, threshold), told.yes)}")
    fitting = LogisticRegression(C=1e6, fit_intercept=False).fit(told[["score"]], told.yes)
    print(f"  slope {fitting.coef_[0, 0]:.3f}")


def _keys(texts: Iterable[str]) -> list[Met]:
    return [learned.features(text) for text in texts]


def _probability(name: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-SLOPE[name] * scores))
    return found


def _both(name: str, told: pd.DataFrame, threshold: float) -> pd.Series:
    """What the evaluator says: see ``is_refusal``, and ``Toxicity``."""
    found = told.p >= threshold
    return found | told.rules if name == "refusal" else found.where(~told.rules, told.p >= CERTAINLY_NOT)


def _shares(found: pd.Series, yes: pd.Series) -> str:
    hits = int((found & yes).sum())
    return f"{hits / found.sum():.3f} / {hits / yes.sum():.3f}"


if __name__ == "__main__":
    asked = [one for one in sys.argv[1:] if one != "--leave-out"]
    for chosen in asked or ["refusal", "toxicity"]:
        (leave_out if "--leave-out" in sys.argv else train)(chosen)
