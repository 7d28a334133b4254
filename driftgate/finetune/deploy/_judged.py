"""What was found out about a deployment, and why it is no more or no less than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.gate import GRAVITY, Verdict


@dataclass(frozen=True)
class Judged:
    """A verdict on a deployment with its reason."""

    verdict: Verdict
    """Only ``pass`` goes on, ``fail`` goes back; with ``inconclusive`` (too little yet) and ``unmeasurable`` (could
    not be measured) the rollout stays where it is until it is advanced again."""
    reason: str


def gravest(found: Sequence[Judged]) -> Judged:
    """Of several verdicts the gravest with its reasons; of none at all ``unmeasurable``.

    Examples
    --------
    >>> gravest([Judged("pass", "12 of 12 agree"), Judged("inconclusive", "3 calls"), Judged("inconclusive", "soak")])
    Judged(verdict='inconclusive', reason='3 calls; soak')
    >>> gravest([])
    Judged(verdict='unmeasurable', reason='nothing looked at the deployment')
    """
    if not found:
        return Judged("unmeasurable", "nothing looked at the deployment")
    worst = max((one.verdict for one in found), key=GRAVITY.index)
    return Judged(worst, "; ".join(one.reason for one in found if one.verdict == worst))
