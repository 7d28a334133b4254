"""What one sample of a dataset is, and when two samples are the same.

Two samples are the same where the same is asked: a run is paired with another one over the samples whose keys they
share. What is asked is the content of the columns :data:`ASKED`, so the key outlives a row that is moved or taken out,
a column that is added, an id that is given later, a file that is renamed or saved in another format. The right answer
is not asked: a corrected answer leaves the sample what it was. An id names a sample: where a question was reworded, it
says which one.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import as_name

ASKED = ("question", "choices", "passage", "article", "chat_history")
"""Columns that the flows which ship ask about."""
OWN = "own"
"""The kind of a team's own data: the name of its file is no part of what its samples are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question."""

    dataset: str
    """Name of the dataset kind, for example ``kmmlu``; :data:`OWN` for a team's own files of every format."""
    split: str
    subset: str
    """The upstream file or configuration the sample stands in, for example ``Accounting``; may be empty."""
    position: int
    """Place within the subset, from 0, in upstream order."""
    id: str
    """Upstream's id, or ``subset:position`` where upstream gives none; for a person, and may stand twice."""
    category: str
    super_category: str
    data: Mapping[str, Any]
    """What flows and evaluators may map from: ``question``, ``choices``, ``answer`` and so on."""
    asked: str
    """Hash of what is asked; see :func:`asked_hash`."""
    content: str
    """Hash of everything that is kept of the sample, its position aside."""
    cluster: str = ""
    """Samples that share a passage share a cluster; empty where a sample stands alone."""
    nth: int = 1
    """Its number among those of its subset that ask the same."""
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What its row says in columns that :attr:`data` holds in another form, by the file's own names."""
    named: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Columns that :attr:`data` holds as they are under another name: by the file's own name the one in ``data``."""

    @property
    def row(self) -> Mapping[str, Any]:
        """What a mapping may name: :attr:`data`, and every column by its own name too."""
        if not (self.columns or self.named):
            return self.data
        named = {own: self.data[name] for own, name in self.named.items() if name in self.data}
        return {**self.columns, **named, **self.data}

    @property
    def key(self) -> str:
        """What it is known by: ``dataset/split/subset/asked``, stable across runs, machines and editions of a file."""
        return sample_key(self.dataset, self.split, self.subset, self.asked, self.nth)

    @property
    def edition(self) -> str:
        """Its key and the hash of its content: it changes with everything that is kept of it."""
        return f"{self.key}/{self.content}"


def sample_key(dataset: str, split: str, subset: str, asked: str, nth: int = 1) -> str:
    """The key of a sample, from what a ledger keeps of it.

    Examples
    --------
    >>> sample_key("kmmlu", "test", "Law", "9f2709f99f22"), sample_key("own", "test", "faq", "9f2709f99f22", 2)
    ('kmmlu/test/Law/9f2709f99f22', 'own/test/9f2709f99f22#2')
    """
    place = (dataset, split) if dataset == OWN else (dataset, split, subset)
    return "/".join([*place, asked]) + (f"#{nth}" if nth > 1 else "")


def asked_hash(data: Mapping[str, Any], position: int, further: Iterable[str] = ()) -> str:
    """Hash of what is asked, 16 hexadecimal digits.

    Unicode form, line breaks and white space around a text do not matter, nor does a column that is blank. Where data
    has none of the columns, all that it has but the answer is taken for asked; where it has only an answer, as records
    without their questions do, it is ``@position``.

    Parameters
    ----------
    further : iterable of str
        Columns that are asked about beside :data:`ASKED`.

    Examples
    --------
    >>> asked_hash({"question": "1+1?", "choices": ["1", "2"], "answer": "B"}, 0)
    '0289b52aa0f2dd33'
    >>> asked_hash({"question": " 1+1?", "choices": ["1", "2"], "passage": "", "row": 7}, 6)
    '0289b52aa0f2dd33'
    >>> asked_hash({"answer": "B"}, 6)
    '@6'
    """
    named = {*ASKED, *further}
    asked = _filled(data, named & data.keys()) or _filled(data, data.keys() - {"answer"})
    return _digest(unicodedata.normalize("NFC", _encode(asked)), 16) if asked else f"@{position}"


def make_sample(
    dataset: str,
    split: str,
    position: int,
    data: Mapping[str, Any],
    *,
    subset: str = "",
    id: str = "",
    category: str = "",
    super_category: str = "",
    cluster: str = "",
    asked: Iterable[str] = (),
    columns: Mapping[str, Any] = MappingProxyType({}),
    named: Mapping[str, str] = MappingProxyType({}),
) -> Sample:
    """Make a sample.

    Parameters
    ----------
    asked : iterable of str
        Columns of ``data`` that are asked about beside :data:`ASKED`.
    columns, named : Mapping
        See :class:`Sample`; they are no part of what makes a sample the one it is.

    Examples
    --------
    >>> s = make_sample("demo", "test", 0, {"question": "1+1?", "choices": ["1", "2"], "answer": "B"})
    >>> s.key, s.edition
    ('demo/test//0289b52aa0f2dd33', 'demo/test//0289b52aa0f2dd33/c6feb570766e')
    """
    subset, id, category, super_category = map(as_name, (subset, id, category, super_category))
    own_id = id or f"{subset}:{position}"
    kept = [dataset, split, subset, own_id, category, super_category, cluster, data]
    return Sample(
        dataset,
        split,
        subset,
        position,
        own_id,
        category,
        super_category,
        dict(data),
        asked_hash(data, position, asked),
        _digest(_encode(kept), 12),
        cluster,
        columns=columns,
        named=named,
    )


def need_answers(samples: Iterable[Sample], what: str) -> None:
    """Refuse samples without a right answer, for what cannot do without.

    Raises
    ------
    DriftgateError
        There is one.
    """
    lacking = next((sample for sample in samples if "answer" not in sample.data), None)
    if lacking is not None:
        raise DriftgateError(
            f"{what} needs right answers, and sample '{lacking.id}' has no column 'answer'",
            "name the column in the dataset: columns: {answer: COLUMN}",
        )


def told_apart(samples: Iterable[Sample]) -> list[Sample]:
    """The samples, with those that ask the same numbered in their order: position only tells equals apart.

    Examples
    --------
    >>> twice = [make_sample("demo", "test", n, {"question": "1+1?"}) for n in range(2)]
    >>> [sample.key.partition("#")[2] for sample in told_apart(told_apart(twice))]
    ['', '2']
    """
    last: dict[str, int] = {}
    found = []
    for sample in samples:
        same = sample_key(sample.dataset, sample.split, sample.subset, sample.asked)
        nth = last[same] = max(last.get(same, 0) + 1, sample.nth)
        found.append(sample if nth == sample.nth else replace(sample, nth=nth))
    return found


def _filled(data: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    plain = {column: _plain(data[column]) for column in columns}
    return {column: value for column, value in plain.items() if value not in ("", None, [], {})}


def _plain(value: Any) -> Any:
    """A value without what does not make two questions different."""
    if isinstance(value, str):
        text = value.strip()
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:digits]


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str).encode
