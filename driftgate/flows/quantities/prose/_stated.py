"""What a text states at one place: a number with its unit, a range, a date, a time of day, or a name with digits."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Kind = Literal["number", "range", "date", "time", "ratio", "name"]
Key = tuple[object, ...]


HALF_DAY = "half day"
"""What a time that is said to be in the morning or in the evening has for its unit."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement; two of them are equal where they say the same, wherever they stand.

    Examples
    --------
    >>> from driftgate.flows.quantities.prose import stated_in
    >>> stated_in("2만 5천 원")[0] == stated_in("요금은 25,000원")[0]
    True
    """

    kind: Kind
    key: Key
    """What is stated, comparable: measure and value in the base unit of a number, year, month and day of a date."""
    begin: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    number: Fraction | None = field(default=None, compare=False)
    """The number as written, in the unit that stands beside it; None where it is not one number."""
    measure: str = field(default="", compare=False)
    """What its unit measures, :data:`HALF_DAY` of a time that says morning or evening; empty without."""
    scale: int = field(default=1, compare=False)
    """The Korean unit of ten thousands that its writing ends in, which a range lends to its beginning (3~5만)."""

    def answers(self, wanted: Stated) -> bool:
        """Whether it says what is wanted, perhaps more exactly.

        ``15일`` says ``15``, a whole date says its day, and ``저녁 8시`` says ``8시``.

        Examples
        --------
        >>> from driftgate.flows.quantities.prose import stated_in
        >>> def says(text, wanted):
        ...     return stated_in(text)[0].answers(stated_in(wanted)[0])
        >>> says("15일", "15"), says("2024년 3월 1일", "3월 1일"), says("15", "15일"), says("3~5일", "5일")
        (True, True, False, False)
        >>> says("저녁 8시 30분", "8시 30분"), says("8시 30분", "저녁 8시 30분"), says("오후 8시", "오전 8시")
        (True, False, False)
        """
        if self == wanted:
            return True
        if self.kind == wanted.kind == "date":
            return all(theirs is None or ours == theirs for ours, theirs in zip(self.key, wanted.key, strict=True))
        if self.kind == wanted.kind == "time" and self.measure == HALF_DAY and not wanted.measure:
            (hour, minute), (wanted_hour, wanted_minute) = self.key, wanted.key
            return minute == wanted_minute and wanted_hour in (hour, _on_the_dial(hour))
        if wanted.kind != "number" or wanted.measure or wanted.number is None:
            return False
        if self.kind == "date":
            return wanted.number >= 1000 and self.key[0] == wanted.number
        return self.kind == "number" and self.number == wanted.number


def _on_the_dial(hour: object) -> int | None:
    """What a clock's dial shows of an hour of the day, 12 at midnight."""
    return (hour % 12 or 12) if isinstance(hour, int) else None
