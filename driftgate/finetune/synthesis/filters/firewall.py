"""Does it repeat a question that is measured with? See :mod:`driftgate.finetune.firewall`."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.finetune.synthesis._values import Candidate, Filter, Setting


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Name the benchmark item each candidate repeats by its key."""
    refused = setting.firewall.refuse([candidate.data for candidate in candidates])
    reasons = [""] * len(candidates)
    for refusal in refused.refusals:
        reasons[refusal.item] = f"{refusal.rule} {refusal.share:.2f} of {refusal.sample}"
    return reasons


FILTER = Filter("1", check)
