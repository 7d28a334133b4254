"""From the content of a call to its features, so that the content itself need not be kept."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict

import numpy as np

log = logging.getLogger(__name__)

BUCKETS = 256
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Which times are believed: an application whose clock is far off would spread its calls over years.

    Examples
    --------
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> clock = Clock(now=lambda: noon)
    >>> [clock.allows(noon + timedelta(days=days)) for days in (-300, -500, 2)]
    [True, False, False]
    """

    past: timedelta = timedelta(days=400)
    """How long ago a call may be: history that is sent again is taken."""
    ahead: timedelta = timedelta(days=1)
    """How far in the future it may be."""
    now: Callable[[], datetime] = _now

    def allows(self, moment: datetime) -> bool:
        """Whether a time is believed."""
        now = self.now()
        return now - self.past <= moment <= now + self.ahead


@dataclass(frozen=True)
class Intake:
    """What happens to content on its way in.

    Parameters
    ----------
    refused : callable, optional
        Says whether an answer is a refusal; without it nothing is said about refusals.
    addressed : callable, optional
        Says whether an answer talks to whoever grades it; without it nothing is said about that.
    redact : callable, optional
        Takes personal data out of a text. Content is kept only if this is given, and only what it returns.
    pseudonym : callable, optional
        Makes of a user's id another one that tells users apart and nobody's name; without it no user is kept.
    clock : Clock, optional
        Which times are believed; without it every time is.
    """

    refused: Callable[[str], bool] | None = None
    addressed: Callable[[str], bool] | None = None
    redact: Callable[[str], str] | None = None
    pseudonym: Callable[[str], str] | None = None
    clock: Clock | None = None


class Features(TypedDict):
    """The fields of a model call that come from its content."""

    output_chars: int | None
    refused: bool | None
    addressed: bool | None
    input_ngrams: tuple[int, ...] | None
    input_text: str | None
    output_text: str | None


def input_ngrams(text: str) -> tuple[int, ...]:
    """Count the hashed character 3-grams of a text.

    The text is brought to NFKC, so that full-width and composed forms of a character fall together. The hash is
    fixed: multiply-add over the code points, a xor-shift multiply, the upper 8 bits [1]_. Counts of different days,
    machines and versions can be compared.

    Parameters
    ----------
    text : str
        The input of a call.

    Returns
    -------
    tuple of int
        Counts, 256 of them; they add up to the number of 3-grams.

    References
    ----------
    .. [1] K. Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.

    Examples
    --------
    >>> counts = input_ngrams("서울의 수도는?")
    >>> len(counts), sum(counts)
    (256, 6)
    >>> [bucket for bucket, count in enumerate(counts) if count]
    [18, 43, 67, 120, 227, 244]
    """
    points = np.frombuffer(unicodedata.normalize("NFKC", text).encode("utf-32-le", "replace"), dtype="<u4")
    codes = points.astype(np.uint64)
    if codes.size < 3:
        return (0,) * BUCKETS
    hashed = codes[:-2] * _MULTIPLIERS[0] + codes[1:-1] * _MULTIPLIERS[1] + codes[2:] * _MULTIPLIERS[2]
    hashed = (hashed ^ (hashed >> np.uint64(30))) * _MIX
    counts: list[int] = np.bincount((hashed >> np.uint64(56)).astype(np.int64), minlength=BUCKETS).tolist()
    return tuple(counts)


def features(input_text: str | None, output_text: str | None, intake: Intake) -> Features:
    """Compute what is kept of a call's content.

    Parameters
    ----------
    input_text, output_text : str or None
        What was sent and what came back; ``None``: the application does not tell.
    intake : Intake
        The rules.

    Examples
    --------
    >>> kept = features("Is 17 prime?", "I cannot help.", Intake(refused=lambda text: "cannot" in text))
    >>> kept["output_chars"], kept["refused"], kept["input_text"]
    (14, True, None)
    """
    return Features(
        output_chars=None if output_text is None else len(output_text),
        refused=_told(intake.refused, output_text),
        addressed=_told(intake.addressed, output_text),
        input_ngrams=None if input_text is None else input_ngrams(input_text),
        input_text=_redacted(input_text, intake),
        output_text=_redacted(output_text, intake),
    )


def _told(says: Callable[[str], bool] | None, text: str | None) -> bool | None:
    return None if text is None or says is None else bool(says(text))


def clean(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _redacted(text: str | None, intake: Intake) -> str | None:
    if text is None or intake.redact is None:
        return None
    try:
        return clean(intake.redact(text))
    except Exception as problem:
        # One text the redactor chokes on must cost neither the call nor its neighbours, and must not be kept as it is.
        log.warning("content not kept: the redactor failed with %s", type(problem).__name__)
        return None
