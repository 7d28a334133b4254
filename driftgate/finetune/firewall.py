"""The firewall between training and evaluation: an item that repeats a benchmark's question is refused.

Matching by runs of thirteen words (Brown et al., Language Models are Few-Shot Learners, 2020, appendix C) misses
multiple-choice items, which are often shorter than that. Here question and choices are compared as sets of jamo
n-grams: how much of the benchmark item stands in the training item, the n-grams that few benchmark items have weighing
more (containment, Broder 1997, with inverse document frequencies). It is computed exactly, with an inverted index in a
sparse matrix, so there is no sampling error as MinHash has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from driftgate.benchmarks.datasets import Sample
from driftgate.finetune._jamo import BITS, hashed_ngrams, jamo, plain
from driftgate.finetune._markup import without_markup

LENGTH = 6
"""Letters of an n-gram; measured against 5, which refuses more that is new, and 9, which loses reworded items."""
WHOLE = 0.6
"""Refused when this share of question and choices stands in the item."""
QUESTION = 0.8
"""Refused when this share of the question alone does, and the question is long enough to be no one else's."""
CHOICES, PART = 0.7, 0.2
"""Refused when this share of the choices stands in the item, and this share of the question: half of a question is one
that was measured, with the same choices. Of 1,000 halves of KMMLU questions 93 to 95% are refused, where without this
it was 59 to 74%; of 4,900 other questions none is refused for it."""
SAME_QUESTION, FEW_CHOICES = 0.95, 0.2
"""An item with choices of its own, so few of which are the benchmark item's, has to have so much of the question: a
form of words, such as "of which is the following no true statement", makes no question."""
WHOLE_LETTERS, QUESTION_LETTERS = 6.0, 12.0
"""Rare n-grams that a benchmark item, or its question alone, must have to be known by a part of them."""
CHOICES_LETTERS, PART_LETTERS = 1.0, 2.0
"""Rare n-grams that the choices of a benchmark item must have, and that the part of its question must, to be known by
them together."""
_COMMON, _COMMON_ITEMS = 0.02, 50  # n-grams of more items of a dataset, share and number, say next to nothing
_BATCH = 512
_LISTED = re.compile(r"\n|[①-⑳]|(?<!\S)\(?[A-Ja-j1-9]\s?[.)]\s?|(?<=\S)\s+(?=[①-⑳]|\(?[A-Ja-j1-9]\s?[.)])")

Item = Mapping[str, Any] | str
"""A training item: a text, or data such as a sample's or a training item's, or a chat with ``messages``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One training item that repeats a benchmark item. Its texts are not kept: a hold-out stays sealed."""

    item: int
    """Place among the items that were offered."""
    sample: str
    """Key of the benchmark item."""
    rule: str
    """``exact``, ``whole``, ``question`` or ``choices``."""
    share: float
    """How much of the benchmark item, of its question or of its choices stands in the training item: 0 to 1."""


@dataclass(frozen=True)
class Refused:
    """What the firewall says of a list of items."""

    asked: int
    refusals: tuple[Refusal, ...]
    """One for each refused item, in order."""

    @property
    def places(self) -> frozenset[int]:
        """Places of the refused items."""
        return frozenset(refusal.item for refusal in self.refusals)

    @property
    def by_rule(self) -> Mapping[str, int]:
        """How many items each rule refused."""
        return Counter(refusal.rule for refusal in self.refusals)

    def __bool__(self) -> bool:
        """Whether anything was refused."""
        return bool(self.refusals)


@dataclass(frozen=True)
class Firewall:
    """Knows every item that is measured with: benchmarks, canaries, the sealed hold-out.

    Parameters
    ----------
    samples : iterable of Sample
        All of them; the index over the 35,030 items of KMMLU is built at the first question and kept.

    Examples
    --------
    >>> from driftgate.benchmarks.datasets import make_sample
    >>> data = {"question": "훈민정음을 창제한 조선의 왕은 누구인가?", "choices": ["태조", "세종", "영조", "정조"]}
    >>> firewall = Firewall([make_sample("demo", "test", 0, data)])
    >>> planted = {"question": "훈민정음을  창제한 조선의 왕이 누구인가", "choices": ["정조", "영조", "세종", "태조"]}
    >>> new = {"question": "조선의 도읍은 어디인가?", "choices": ["한양", "개경", "경주", "평양"]}
    >>> firewall.refuse([new, planted]).refusals
    (Refusal(item=1, sample='demo/test//e5a5cb2cbdf6c0e0', rule='whole', share=0.841),)
    """

    samples: Sequence[Sample]

    def __init__(self, samples: Iterable[Sample]) -> None:
        object.__setattr__(self, "samples", tuple(samples))

    def refuse(self, items: Iterable[Item]) -> Refused:
        """Say which items repeat a benchmark item, and which one each."""
        offered = list(items)
        refusals: list[Refusal] = []
        for start in range(0, len(offered), _BATCH):
            refusals += self._refuse_batch(start, offered[start : start + _BATCH])
        return Refused(len(offered), tuple(refusals))

    def _refuse_batch(self, start: int, items: Sequence[Item]) -> Iterator[Refusal]:
        index, texts = self._index, [text_of(item) for item in items]
        question, choices = index.overlaps(texts)
        whole = (question + choices) @ index.whole_scale
        held = _scaled(choices, index.choices_scale)
        both = _kept(held, held.data >= CHOICES).multiply(_part(question, index.part_scale)).tocsr()
        question = question @ index.question_scale
        for place, (item, text) in enumerate(zip(items, texts, strict=True)):
            exact = index.exact.get(plain(without_markup(text)))
            best_whole, whole_share = _best(whole, place)
            best_question, question_share = _best(question, place)
            best_both, choices_share = _best(both, place)
            if exact is not None:
                yield Refusal(start + place, self.samples[exact].key, "exact", 1.0)
            elif whole_share >= WHOLE:
                yield Refusal(start + place, self.samples[best_whole].key, "whole", round(whole_share, 3))
            elif question_share >= QUESTION and question_share >= _needed(item, held, place, best_question, index):
                yield Refusal(start + place, self.samples[best_question].key, "question", round(question_share, 3))
            elif choices_share >= CHOICES:
                yield Refusal(start + place, self.samples[best_both].key, "choices", round(choices_share, 3))

    @cached_property
    def _index(self) -> _Index:
        return _Index.of(self.samples)


def text_of(item: Item) -> str:
    """Everything a model would read or learn of an item.

    Examples
    --------
    >>> text_of({"question": "1+1?", "choices": ["1", "2"], "answer": "B"}).split()
    ['1+1?', '1', '2']
    >>> text_of({"messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]}).split()
    ['1+1?', '2']
    """
    if isinstance(item, str):
        return item
    parts = [item.get(key) for key in ("passage", "question", "prompt", "target", "completion", "text")]
    parts += list(item.get("choices") or ())
    parts += [message.get("content") for message in item.get("messages") or ()]
    return "\n".join(str(part) for part in parts if part)


@dataclass(frozen=True)
class _Index:
    """Which n-grams each benchmark item has."""

    vocabulary: npt.NDArray[np.int64]
    """Hashes of all n-grams of the items, sorted; the columns of the matrices."""
    weights: npt.NDArray[np.float32]
    """Of every n-gram: 1 for one that a single item has, towards 0 for common ones."""
    question: Any
    choices: Any
    """Sparse matrices, n-grams by items: what stands in the question, and in the choices."""
    question_scale: Any
    whole_scale: Any
    """Diagonal matrices that turn an overlap into a share; 0 for items that are too short to be known by a part."""
    choices_scale: npt.NDArray[np.float32]
    part_scale: npt.NDArray[np.float32]
    """By item, what turns an overlap of the choices, or of the question, into a share; 0 for what says too little."""
    exact: Mapping[str, int]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> _Index:
        from scipy import sparse

        questions = [without_markup(str(sample.data.get("question", ""))) for sample in samples]
        options = [[without_markup(str(choice)) for choice in sample.data.get("choices") or ()] for sample in samples]
        rows, hashes = hashed_ngrams(questions, LENGTH)
        option_rows, option_hashes = hashed_ngrams([choice for each in options for choice in each], LENGTH)
        owners = np.repeat(np.arange(len(samples)), [len(choices) for choices in options])
        present = np.zeros(2**BITS, bool)
        present[hashes] = present[option_hashes] = True
        vocabulary = np.flatnonzero(present)
        question = _matrix(rows, hashes, len(samples), vocabulary)
        choices = _matrix(owners[option_rows], option_hashes, len(samples), vocabulary)
        weights = _weights(question + choices, [sample.dataset for sample in samples])
        question_mass = question @ weights
        # An n-gram that stands in the question and in a choice counts twice, in the overlap as well.
        choices_mass = choices @ weights
        whole_mass = question_mass + choices_mass
        exact: dict[str, int] = {}
        for place, (asked, each) in enumerate(zip(questions, options, strict=True)):
            exact.setdefault(plain("\n".join([asked, *each])), place)
        exact.pop("", None)
        return cls(
            vocabulary,
            weights,
            question.T.tocsr(),
            choices.T.tocsr(),
            sparse.diags_array(_inverse(question_mass, QUESTION_LETTERS)),
            sparse.diags_array(_inverse(whole_mass, WHOLE_LETTERS)),
            _inverse(choices_mass, CHOICES_LETTERS),
            _inverse(question_mass, PART_LETTERS),
            exact,
        )

    def overlaps(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """Weight that texts and items have in common: two sparse matrices, texts by items."""
        # As it stands and as it is read: ordinary text may look like markup, and markup may stand between letters.
        forms = [dict.fromkeys((text, without_markup(text))) for text in texts]
        pieces = [[piece for form in own for piece in (form, *_short_lines(form))] for own in forms]
        owners = np.repeat(np.arange(len(texts)), [len(own) for own in pieces])
        rows, hashes = hashed_ngrams([piece for own in pieces for piece in own], LENGTH)
        found = _matrix(owners[rows], hashes, len(texts), self.vocabulary)
        found.data = self.weights[found.indices]
        return found @ self.question, found @ self.choices


def _short_lines(text: str) -> list[str]:
    """Lines and listed choices shorter than an n-gram, which the text as a whole does not show as such.

    Examples
    --------
    >>> _short_lines("A. 발해\\nB. 고구려 ① 옥저 2) 가야")
    ['발해', '옥저', '가야']
    """
    return [line.strip() for line in _LISTED.split(text) if 0 < len(jamo(line[: 2 * LENGTH])) < LENGTH]


def _matrix(
    rows: npt.NDArray[np.int64], hashes: npt.NDArray[np.int32], size: int, vocabulary: npt.NDArray[np.int64]
) -> Any:
    """Sparse matrix of ones, ``size`` rows by the vocabulary; n-grams outside of it are left out."""
    from scipy import sparse

    columns = np.full(2**BITS, -1, np.int32)
    columns[vocabulary] = np.arange(len(vocabulary))
    found = columns[hashes]
    rows, found = rows[found >= 0], found[found >= 0]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
    matrix = sparse.csr_array((np.ones(len(found), np.float32), found, starts), shape=(size, len(vocabulary)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _weights(matrix: Any, datasets: Sequence[str]) -> npt.NDArray[np.float32]:
    """Squared inverse document frequency, as in a tf-idf product, scaled to 1 for an n-gram of a single item.

    It is the least that any of the datasets gives it, and 0 for what all of a dataset's items share: a product's name
    or a fixed set of choices stands in every item of a small dataset and, rightly, in the training items for it,
    though it is rare beside a large benchmark.
    """
    names = np.asarray(datasets)
    weights = np.ones(matrix.shape[1], np.float32)
    for name in np.unique(names):
        size = int((names == name).sum())
        frequency = np.bincount(matrix[names == name].indices, minlength=len(weights))
        rarity = 1 - np.log(np.maximum(frequency, 1)) / np.log(size + 1)
        rarity[frequency > max(_COMMON_ITEMS, _COMMON * size)] = 0
        weights = np.minimum(weights, rarity.astype(np.float32) ** 2)
    return weights


def _scaled(overlap: Any, scale: npt.NDArray[np.float32]) -> Any:
    """Overlaps as shares: each column times its own scale."""
    found = overlap.copy()
    found.data = found.data * scale[found.indices]
    return found


def _kept(shares: Any, wanted: npt.NDArray[np.bool_]) -> Any:
    """What is wanted of a sparse matrix, and nothing else."""
    found = shares.copy()
    found.data = np.where(wanted, found.data, 0).astype(np.float32)
    found.eliminate_zeros()
    return found


def _part(question: Any, scale: npt.NDArray[np.float32]) -> Any:
    """Ones where enough of a question stands in a text for a part of it."""
    found = _scaled(question, scale)
    found = _kept(found, (found.data >= PART) & (question.data >= PART_LETTERS))
    found.data[:] = 1
    return found


def _needed(item: Item, held: Any, place: int, best: int, index: _Index) -> float:
    """The share of a question that an item must have to be it."""
    if isinstance(item, str) or not item.get("choices") or best < 0 or not index.choices_scale[best]:
        return QUESTION
    return SAME_QUESTION if held[place, best] < FEW_CHOICES else QUESTION


def _inverse(mass: npt.NDArray[np.float32], least: float) -> npt.NDArray[np.float32]:
    scale: npt.NDArray[np.float32] = np.where(mass >= least, 1 / np.maximum(mass, 1e-9), 0).astype(np.float32)
    return scale


def _best(shares: Any, place: int) -> tuple[int, float]:
    """The benchmark item most of which stands in a text, and how much."""
    begin, end = shares.indptr[place], shares.indptr[place + 1]
    if begin == end:
        return -1, 0.0
    best = begin + int(shares.data[begin:end].argmax())
    return int(shares.indices[best]), float(shares.data[best])
