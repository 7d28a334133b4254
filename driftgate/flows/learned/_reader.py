"""A linear reader of texts: log-odds of runs of characters, summed, and a bias."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgate.flows.learned import _features
from driftgate.flows.learned._features import Keys, features

_FOLDER = Path(__file__).parent
LONGEST, OPENING, ENDING = 400, 250, 150
"""Characters of the longest text that is read as a whole, and of what is read of a longer one: the labelled texts from
which the weights come have 300 at most."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader with its weights.

    A text's score is ``bias + sum(weight) / sqrt(sum(size²))`` over the runs that were met in training, where the size
    of a run is its log-odds in the labelled texts (Wang and Manning 2012, "Baselines and Bigrams: Simple, Good
    Sentiment and Topic Classification", https://aclanthology.org/P12-2018/) and its weight is the size times its
    coefficient in a logistic regression.
    """

    keys: Keys
    """Sorted."""
    weights: NDArray[np.float16]
    sizes: NDArray[np.float16]
    bias: float
    slope: float
    """By which a score becomes log-odds on texts of a writer who was not met in training."""
    threshold: float
    """Probability from which the answer is yes."""
    id: str
    """Hash of the weights and of what is seen of a text: 12 hexadecimal digits."""

    def decides(self, text: str) -> bool:
        """Whether it may decide about a text: whether it reads the whole of it."""
        return len(text) <= LONGEST

    def probability(self, text: str) -> float:
        """That the answer is yes.

        Half of the texts from which it was learnt are yes: in traffic where fewer are, it is less. Of a text longer
        than :data:`LONGEST` the beginning and the end are read, :data:`OPENING` and :data:`ENDING`.
        """
        if not self.decides(text):
            text = f"{text[:OPENING]} {text[-ENDING:]}"
        met = features(text)
        places = np.searchsorted(self.keys, met)
        places[places == len(self.keys)] = 0
        known = places[self.keys[places] == met]
        size = math.sqrt(float(np.square(self.sizes[known], dtype=np.float64).sum())) or 1.0
        score = self.bias + float(self.weights[known].sum(dtype=np.float64)) / size
        return 1 / (1 + math.exp(-self.slope * score))


@cache
def reader(name: str) -> Reader:
    """The reader of a name: ``refusal`` or ``toxicity``."""
    file = _FOLDER / f"{name}.npz"
    with np.load(file, allow_pickle=False) as held:
        bias, slope, threshold = (float(held[part]) for part in ("bias", "slope", "threshold"))
        seen = file.read_bytes() + Path(_features.__file__).read_bytes() + Path(__file__).read_bytes()
        return Reader(
            np.cumsum(held["gaps"], dtype=np.uint32),
            held["weights"],
            held["sizes"],
            bias,
            slope,
            threshold,
            hashlib.sha256(seen).hexdigest()[:12],
        )
