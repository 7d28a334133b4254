"""What a redaction rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """How one kind of personal data is recognised.

    Patterns are regular expressions of the third-party ``regex`` module under its ASCII flag: Hangul is no word
    character, so a particle that is attached to a value does not hide it.
    """

    kind: str
    """Its name in findings and placeholders, for example ``EMAIL_ADDRESS``."""
    sure: tuple[str, ...] = ()
    """Patterns that suffice by themselves, unless ``against`` speaks."""
    in_context: tuple[str, ...] = ()
    """Patterns that count only beside ``context``."""
    context: str = ""
    """Pattern of words around the value (24 characters before, 12 after) that make it likely."""
    against: str = ""
    """Pattern of words right before the value (14 characters) that say it is something else."""
    check: Callable[[str], bool | None] | None = None
    """What the digits or the form say: False refuses the value, True accepts it, None leaves it to the pattern."""
    finder: Callable[[str], Iterable[tuple[int, int, float]]] | None = None
    """Finds what no pattern tells: start, end and score (0 to 1) of each value of a text."""
    proves: bool = False
    """Whether a True from ``check`` (a check digit) accepts the value whatever stands around it."""
