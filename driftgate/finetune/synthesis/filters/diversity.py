"""Is there enough of its source already?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from driftgate.finetune.synthesis._values import Candidate, Filter, Setting


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Keep the first ``per_source`` candidates of each document, example or phrasing."""
    most = setting.config.per_source
    seen: Counter[str] = Counter()
    reasons = []
    for candidate in candidates:
        seen[candidate.source] += 1
        reasons.append(f"'{candidate.source}' has {most} items already" if seen[candidate.source] > most else "")
    return reasons


FILTER = Filter("1", check)
