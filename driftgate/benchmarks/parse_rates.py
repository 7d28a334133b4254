"""How many of a judge's replies could be read: at once, when it was asked again, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from driftgate.flows.evaluators import READ, REASKED
from driftgate.ledger import ScoreRow


@dataclass(frozen=True)
class ParseRate:
    """What became of the grades that one evaluator asked a judge for."""

    at_once: float
    again: float
    """Read when the judge was asked again."""
    unread: float
    silent: int
    """No reply came, or none by the deadline."""

    @property
    def asked(self) -> float:
        """Grades that were asked for; where samples are repeated, one a sample."""
        return self.at_once + self.again + self.unread + self.silent

    @property
    def words(self) -> str:
        """In one line.

        >>> ParseRate(231.0, 6.0, 2.0, 1).words
        'of 240 grades asked, 231 read at once, 6 when asked again, 2 not read, 1 without a reply (98.8% read)'
        """
        share = (self.at_once + self.again) / self.asked
        silent = f", {self.silent:,} without a reply" if self.silent else ""
        read = f"{_count(self.at_once)} read at once, {_count(self.again)} when asked again"
        return (
            f"of {_count(self.asked)} grades asked, {read}, {_count(self.unread)} not read{silent} ({share:.1%} read)"
        )


def parse_rates(judges: Iterable[str], rows: Iterable[ScoreRow], errors: Mapping[str, int]) -> dict[str, ParseRate]:
    """The parse rate of each judged evaluator that says what it read.

    Parameters
    ----------
    judges : iterable of str
        ``node.evaluator``.
    errors : mapping
        How many of its evaluations ended without a grade, by evaluator.
    """
    scores = {row.metric: row for row in rows if row.slice_kind == "all"}
    found = {}
    for key in judges:
        read, again = scores.get(f"{key}.{READ}"), scores.get(f"{key}.{REASKED}")
        replies = read.n if read is not None else 0
        readable = (read.value or 0.0) * replies if read is not None else 0.0
        after = (again.value or 0.0) * again.n if again is not None else 0.0
        silent = max(0, round(errors.get(key, 0) - (replies - readable)))
        if replies or silent:
            found[key] = ParseRate(readable - after, after, replies - readable, silent)
    return found


def _count(number: float) -> str:
    """A count, which has decimals where samples are repeated and a reply in some of them could not be read."""
    return f"{number:,.0f}" if abs(number - round(number)) < 1e-6 else f"{number:,.1f}"
