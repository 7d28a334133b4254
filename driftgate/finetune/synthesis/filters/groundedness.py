"""Does the source say so? An answer about a document stands in it; an example's answer is its label."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.finetune._jamo import plain
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Compare each candidate with the material it was made from."""
    return [_wrong(candidate, setting) for candidate in candidates]


def _wrong(candidate: Candidate, setting: Setting) -> str:
    material = setting.materials.get(candidate.source)
    if material is None or material.content_hash != candidate.source_hash:
        return f"its source '{candidate.source}' is not among the material"
    if material.kind != "documents":
        return "" if candidate.right_choice == material.label else f"its source is labelled '{material.label}'"
    if plain(candidate.right_choice) not in plain(material.text):
        return "its answer does not stand in the source"
    if candidate.phrasing == "statement":
        wrong = [c for c in candidate.choices if c != candidate.right_choice and plain(c) in plain(material.text)]
        return "a wrong statement stands in the source as well" if wrong else ""
    return ""


FILTER = Filter("1", check)
