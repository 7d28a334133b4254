"""Does the source say so? An answer about a document stands in it; an example's answer is its label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from driftgate.finetune._jamo import hashed_ngrams, plain
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting

_ABSENT = "its answer does not stand in the source"
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_LETTERS, _SUPPORTED = 4, 0.5
"""Of jamo n-grams, and the share of the answer's that its source must have: an ending costs two or three of them."""


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Compare each candidate with the material it was made from."""
    return [_wrong(candidate, setting) for candidate in candidates]


def _wrong(candidate: Candidate, setting: Setting) -> str:
    material = setting.materials.get(candidate.source)
    if material is None or material.content_hash != candidate.source_hash:
        return f"its source '{candidate.source}' is not among the material"
    if material.kind == "prompts":
        return ""  # a teacher's answer has no source but the teacher; a judge may look at it
    if material.kind != "documents":
        return "" if candidate.right_choice == material.label else f"its source is labelled '{material.label}'"
    if plain(candidate.right_choice) not in plain(material.text):
        return _unsupported(candidate.answer, material.text) if not candidate.choices else _ABSENT
    if candidate.phrasing == "statement":
        wrong = [c for c in candidate.choices if c != candidate.right_choice and plain(c) in plain(material.text)]
        return "a wrong statement stands in the source as well" if wrong else ""
    return ""


def _unsupported(answer: str, source: str) -> str:
    """Why a source does not bear an answer in other words: a number it does not hold, or too little of its wording."""
    numbers = [found for found in _NUMBER.findall(answer) if found not in source]
    if numbers:
        return f"'{numbers[0]}' of its answer does not stand in the source"
    _, hashes = hashed_ngrams([source], _LETTERS)
    _, own = hashed_ngrams([answer], _LETTERS)
    share = float(np.isin(own, hashes).mean()) if len(own) else 0.0
    return "" if share >= _SUPPORTED else f"{share:.2f} of its answer's wording stands in the source"


FILTER = Filter("2", check)
