"""Which calls of production are graded: drawn by their identity and a seed, so many an hour, each slice in its turn."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Candidate:
    """A call that was drawn."""

    trace_id: str
    span_id: str
    slice: str
    hour: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Its identity."""
        return self.trace_id, self.span_id


def place_of(trace_id: str, span_id: str, seed: int) -> float:
    """Where a call stands in the order of a seed: a number from 0 to 1, uniform over calls."""
    digest = hashlib.sha256(f"{seed}:{trace_id}:{span_id}".encode()).digest()
    return float(int.from_bytes(digest[:8], "big") / 2**64)


def is_drawn(trace_id: str, span_id: str, rate: float, seed: int) -> bool:
    """Whether a call is drawn; whoever asks, and whenever, is told the same.

    Examples
    --------
    >>> spans = [f"{n:016x}" for n in range(10_000)]
    >>> sum(is_drawn("5b" * 16, span, 0.05, seed=0) for span in spans)
    514
    """
    return place_of(trace_id, span_id, seed) < rate


def in_turn(
    waiting: Collection[Candidate], graded: Mapping[datetime, Mapping[str, int]], per_hour: int, seed: int
) -> Iterator[Candidate]:
    """The calls to grade, the newest hour first, within an hour's budget the slice with the fewest grades next.

    Parameters
    ----------
    graded : mapping
        By hour and slice, how many have been graded.
    """
    hours: dict[datetime, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(waiting, key=lambda one: place_of(one.trace_id, one.span_id, seed), reverse=True):
        hours[one.hour][one.slice].append(one)
    for hour in sorted(hours, reverse=True):
        counts = defaultdict(int, graded.get(hour, {}))
        left = per_hour - sum(counts.values())
        slices = hours[hour]
        while left > 0 and slices:
            name = min(slices, key=lambda name: (counts[name], name))
            yield slices[name].pop()
            counts[name] += 1
            left -= 1
            if not slices[name]:
                del slices[name]
