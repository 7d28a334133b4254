"""What recorded models answered, letter by letter, and made-up repeats of them.

Each question was asked once of each model. What a repeat would say is made up from what other models say: the more of
them answer otherwise, the less settled the question, and the more often the model answers as one of them. Another
effort settles otherwise: on each question, its usual answer is one of the repeats.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DATA = Path("../shared/data")
DATASETS = ("CLIcK", "HAERAE")
_UNSETTLED, _LEAST = 0.4, 0.02
"""How often a repeat follows another model where all others answer otherwise, and where none does."""

Letters = NDArray[np.str_]
Random = np.random.Generator


@dataclass(frozen=True)
class Recorded:
    """The answers to one dataset."""

    models: dict[str, Letters]
    answer: Letters
    length: NDArray[np.float64]
    """Characters of the question with its choices; 1 where the questions are not at hand."""

    def accuracy(self, model: str) -> float:
        """The share answered right."""
        return float((self.models[model] == self.answer).mean())

    def repeats(self, model: str, usual: Letters, times: int, rng: Random, chosen: NDArray[np.int64]) -> Letters:
        """Repeats of a model whose usual answers are these, times by questions, of some questions."""
        others = np.array([letters[chosen] for name, letters in self.models.items() if name != model])
        apart = (others != self.models[model][chosen]).mean(axis=0)
        astray = rng.random((times, chosen.size)) < _LEAST + (_UNSETTLED - _LEAST) * apart**2
        whose = rng.integers(len(others), size=astray.shape)
        said: Letters = np.where(astray, others[whose, np.arange(chosen.size)], usual[chosen])
        return said

    def other_effort(self, model: str, rng: Random) -> Letters:
        """The usual answers of the same model at another effort."""
        usual: Letters = self.repeats(model, self.models[model], 1, rng, np.arange(self.answer.size))[0]
        return usual


@cache
def recorded(dataset: str) -> Recorded:
    """Read the answers to a dataset, of the questions that every model has answered."""
    frames = {}
    for path in sorted((DATA / "recorded").glob(f"[[]{dataset}[]] *.csv")):
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        of = frame["id" if "id" in frame else "category"]
        frame.index = pd.Index(of + "#" + frame.groupby(of).cumcount().astype(str))
        frames[re.sub(r"^\[.*?\] |\.csv$|-\d{4}-.*$|-\d{6}$", "", path.name)] = frame
    if not frames:
        raise SystemExit(f"there are no recorded answers to {dataset} in {DATA / 'recorded'}")
    shared = sorted(set.intersection(*(set(frame.index) for frame in frames.values())))
    models = {name: frame.loc[shared, "pred"].to_numpy(dtype=str) for name, frame in frames.items()}
    answer = next(iter(frames.values())).loc[shared, "answer"].to_numpy(dtype=str)
    lengths = _lengths() if dataset == "CLIcK" else {}
    return Recorded(models, answer, np.array([lengths.get(key.partition("#")[0], 1.0) for key in shared]))


def _lengths() -> dict[str, float]:
    found = {}
    for path in sorted((DATA / "click/Dataset").rglob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            found[row["id"]] = float(len("".join([row["paragraph"], row["question"], *row["choices"]])))
    return found
