"""Train what tells the names of people from ordinary words anew: ``python -m benchmarks.perf.name_training``.

Run from the project's root, with scikit-learn and the shared data beside it. Names are put together from surnames and
given names (``name_training.yaml``, without those of the held-out set of ``pii_templates.yaml``), and from the
syllables of these. Ordinary words are those that begin like a surname in KMMLU's questions and choices
(``HAERAE-HUB/KMMLU``) and in ``speech_hands.csv``. The same data give the same bytes. ``--halves`` writes nothing: each
half of KMMLU's subjects is told by what the other half taught, and the share of its texts that is touched is printed.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import yaml

from driftgate.finetune import privacy
from driftgate.finetune.privacy import _names
from driftgate.finetune.privacy._names import (
    SHORT_GIVEN,
    SHORT_THRESHOLD,
    SURNAMES,
    TAILS,
    THRESHOLD,
    Candidate,
    candidates,
    features,
)

WEIGHTS = Path(privacy.__file__).with_name("names.npz")
KMMLU = Path("../shared/data/kmmlu/data")
SEED = 20261127
NAMES, SHORT_NAMES = 40_000, 4_000
STRENGTH = 1.0
"""Inverse of the regularisation."""
LEAST = 0.03
"""Weights nearer to zero are left out of the file."""
_COMMON = dict(
    zip(
        "김이박최정강조윤장임한오서신권황안송전홍",
        (215, 147, 84, 47, 43, 23, 21, 20, 20, 16, 15, 15, 15, 18, 14, 14, 13, 14, 11, 11),
        strict=True,
    )
)
"""Bearers of the most frequent surnames in thousands of a million (Statistics Korea, census of 2015, rounded)."""
_USUAL = {"": 40, "이": 9, "가": 9, "은": 8, "는": 8, "의": 6, "을": 5, "를": 5, "와": 4, "과": 4, "도": 3, "에게": 3}
"""How often a name has a particle, relative to the others."""


def ordinary(half: int | None = None) -> Iterator[str]:
    """Questions and choices of KMMLU, of every subject or of one half of them."""
    for file in sorted(KMMLU.glob("*-test.csv")):
        if half is None or hashlib.sha256(file.name.encode()).digest()[0] % 2 == half:
            with file.open(encoding="utf-8-sig") as held:
                for row in csv.DictReader(held):
                    texts = (row[column] for column in ("question", "A", "B", "C", "D"))
                    yield from (text for text in texts if re.search("[가-힣]", text))


def spoken() -> Iterator[str]:
    """What people and models say to each other: the labelled texts of ``speech_hands.csv``."""
    with Path(__file__).with_name("speech_hands.csv").open(encoding="utf-8", newline="") as held:
        yield from (row["text"] for row in csv.DictReader(held))


def made_names(rng: random.Random) -> Iterator[Candidate]:
    """Names with the particles they may have."""
    given = _parts()["given_names"]
    firsts, seconds = Counter(name[0] for name in given), Counter(name[1] for name in given)
    syllables = sorted({*"".join(given), *_parts()["syllables"]})
    weights = [_COMMON.get(surname, 3) ** 0.4 for surname in sorted(SURNAMES)]
    for place in range(NAMES + SHORT_NAMES):
        kind = rng.random()
        if place >= NAMES:
            own = rng.choice(sorted(SHORT_GIVEN))
        elif kind < 0.45:
            own = rng.choice(given)
        elif kind < 0.85:
            own = _drawn(firsts, rng, 0.3) + _drawn(seconds, rng, 0.3)
        else:  # as rare ones are: any two syllables that names have
            own = rng.choice(syllables) + rng.choice(syllables)
        yield Candidate(0, rng.choices(sorted(SURNAMES), weights)[0] + own, _tail(own[-1], rng))


def fit(texts: Iterable[str]) -> Mapping[str, float]:
    """Weights by feature, the bias under the empty one."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    words = Counter((c.word, c.tail) for text in texts for c in candidates(text) if len(c.word) < 4)
    rows = [features(Candidate(0, word, tail)) for word, tail in words]
    known = {key for row in rows for key in row}
    # A whole name is no feature: what was made up would be learnt by heart.
    names = [
        tuple(key for key in features(c) if not key.startswith(("123", "s12")) or key in known)
        for c in made_names(random.Random(SEED))
    ]
    vectors = DictVectorizer(dtype=np.float32)
    matrix = vectors.fit_transform([dict.fromkeys(row, 1) for row in [*rows, *names]])
    counts = np.concatenate([np.minimum(list(words.values()), 20) ** 0.7, np.ones(len(names))])
    model = LogisticRegression(C=STRENGTH, max_iter=400).fit(
        matrix, [0] * len(rows) + [1] * len(names), sample_weight=counts
    )
    return {"": float(model.intercept_[0])} | dict(
        zip(vectors.get_feature_names_out(), model.coef_[0].tolist(), strict=True)
    )


def write(weights: Mapping[str, float]) -> int:
    """Write the weights that matter; how many those are."""
    kept = {
        0 if not key else zlib.crc32(key.encode()): value
        for key, value in weights.items()
        if not key or abs(value) >= LEAST
    }
    keys = np.array(sorted(kept), np.uint32)
    np.savez_compressed(WEIGHTS, keys=keys, weights=np.array([kept[int(key)] for key in keys], np.float16))
    return len(keys)


def use(weights: Mapping[str, float]) -> None:
    """Tell by these weights from now on, in this process."""
    held = {0 if not key else zlib.crc32(key.encode()): value for key, value in weights.items()}
    _names._weights = lambda: held  # type: ignore[assignment]


def touched(texts: Sequence[str]) -> tuple[float, Counter[str]]:
    """Share of the texts in which a name is found, and the words that are."""
    words: Counter[str] = Counter()
    hit = 0
    for text in texts:
        found = _names.find_names(text)
        hit += bool(found)
        words.update(text[name.start : name.end] for name in found)
    return hit / len(texts), words


def main() -> None:
    """Write what both halves of KMMLU taught; with ``--halves``, say how well each half tells the other."""
    if "--halves" not in sys.argv[1:]:
        print(f"{write(fit(chain(ordinary(), spoken()))):,} weights, {WEIGHTS.stat().st_size:,} bytes")
        return
    for half in (0, 1):
        use(fit(chain(ordinary(1 - half), spoken())))
        texts = list(ordinary(half))
        share, words = touched(texts)
        print(f"half {half}: {share:.3%} of {len(texts):,} texts touched; {words.most_common(40)}")
        weighed = [(len(name.word), _names.weigh(name)) for name in made_names(random.Random(SEED + 1))]
        for length, least in ((3, THRESHOLD), (2, SHORT_THRESHOLD)):
            own = [weight for size, weight in weighed if size == length]
            print(f"  names of {length} syllables found by themselves: {np.mean(np.array(own) >= least):.3f}")


@cache
def _parts() -> Mapping[str, Sequence[str]]:
    text = Path(__file__).with_name("name_training.yaml").read_text(encoding="utf-8")
    return {name: words.split() for name, words in yaml.safe_load(text).items()}


def _drawn(counts: Counter[str], rng: random.Random, more: float) -> str:
    letters = sorted(counts)
    return str(rng.choices(letters, [counts[letter] + more for letter in letters])[0])


def _tail(last: str, rng: random.Random) -> str:
    wrong = _parts()["after_vowel"] if (ord(last) - 0xAC00) % 28 else _parts()["after_consonant"]
    fitting = ["", *(tail for tail in TAILS if tail not in wrong)]
    return str(rng.choices(fitting, [_USUAL.get(tail, 0.7) for tail in fitting])[0])


if __name__ == "__main__":
    main()
