"""Does it repeat a question that is measured with? See :mod:`driftgate.finetune.firewall`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftgate.finetune.synthesis._values import Candidate, Filter, Setting


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Name the benchmark item each candidate repeats by its key."""
    refused = setting.firewall.refuse(map(_read, candidates))
    reasons = [""] * len(candidates)
    for refusal in refused.refusals:
        reasons[refusal.item] = f"{refusal.rule} {refusal.share:.2f} of {refusal.sample}"
    return reasons


def _read(candidate: Candidate) -> dict[str, Any]:
    """Everything a model would read or learn of an item: also answers in words, and the turns before the question."""
    before = "\n".join(part for turn in candidate.turns for part in turn)
    answer = "" if candidate.choices else candidate.answer
    return {**candidate.data, "target": answer, "completion": candidate.wrong, "text": before}


FILTER = Filter("4", check)
