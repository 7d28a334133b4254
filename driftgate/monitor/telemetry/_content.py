"""From the content of a call to its features, so that the content itself need not be kept."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from driftgate.monitor.ngrams import ngrams

log = logging.getLogger(__name__)

_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
_HANGUL = re.compile(r"[가-힣\u1100-\u11ff\u3130-\u318f]+")
JSON = "json"
"""Part of the name of every format that is JSON."""
_READ = 500
"""Characters of a text by which its language is told."""


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
    keeps : callable, optional
        Says of a call, by its trace and span, whether its content is kept; without it that of every call is.
    """

    refused: Callable[[str], bool] | None = None
    addressed: Callable[[str], bool] | None = None
    redact: Callable[[str], str] | None = None
    pseudonym: Callable[[str], str] | None = None
    clock: Clock | None = None
    keeps: Callable[[str, str], bool] | None = None

    def of(self, trace_id: str, span_id: str) -> Intake:
        """The rules for one call: those without a redactor where its content is not kept."""
        if self.redact is None or self.keeps is None or self.keeps(trace_id, span_id):
            return self
        return replace(self, redact=None)


class Told(TypedDict, total=False):
    """The fields of a model call that come from its content, n-grams apart; what is not told is not there."""

    output_chars: int | None
    refused: bool | None
    addressed: bool | None
    malformed: bool | None
    input_korean: bool | None
    output_korean: bool | None
    input_text: str | None
    output_text: str | None


class Features(Told):
    """The fields of a model call that come from its content."""

    input_ngrams: tuple[int, ...] | None
    output_ngrams: tuple[int, ...] | None


def features(input_text: str | None, output_text: str | None, intake: Intake, asked_for: str = "") -> Features:
    """Compute what is kept of a call's content.

    Parameters
    ----------
    input_text, output_text : str or None
        What was sent and what came back; ``None``: the application does not tell.
    intake : Intake
        The rules.
    asked_for : str
        The format that the call asked for, in the words of its service; only JSON can be told.

    Examples
    --------
    >>> kept = features("Is 17 prime?", "I cannot help.", Intake(refused=lambda text: "cannot" in text))
    >>> kept["output_chars"], kept["refused"], "input_text" in kept
    (14, True, False)
    """
    return Features(
        **told_of(input_text, output_text, intake, asked_for),
        input_ngrams=None if input_text is None else ngrams(input_text),
        output_ngrams=None if output_text is None else ngrams(output_text),
    )


def told_of(input_text: str | None, output_text: str | None, intake: Intake, asked_for: str = "") -> Told:
    """As :func:`features`, without the n-grams, which are counted for many calls at once."""
    told = Told()
    if input_text is not None:
        told["input_korean"] = is_korean(input_text)
        if intake.redact is not None:
            told["input_text"] = _redacted(input_text, intake.redact)
    if output_text is not None:
        told["output_chars"] = len(output_text)
        told["output_korean"] = is_korean(output_text)
        if intake.refused is not None:
            told["refused"] = bool(intake.refused(output_text))
        if intake.addressed is not None:
            told["addressed"] = bool(intake.addressed(output_text))
        if asked_for:
            told["malformed"] = _malformed(output_text, asked_for)
        if intake.redact is not None:
            told["output_text"] = _redacted(output_text, intake.redact)
    return told


def is_korean(text: str) -> bool | None:
    """Whether most letters of a text are Hangul, by its first 500 characters; None where these have no letters.

    Examples
    --------
    >>> is_korean("서울의 수도는 OK?"), is_korean("Yes, 예."), is_korean("42")
    (True, False, None)
    """
    if text.isascii():
        return False if _LATIN.search(text, 0, _READ) else None
    letters = sum(map(len, _LETTERS.findall(text, 0, _READ)))
    return 2 * sum(map(len, _HANGUL.findall(text, 0, _READ))) > letters if letters else None


def _malformed(text: str, asked_for: str) -> bool | None:
    if not text or JSON not in asked_for.lower():
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def clean(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _redacted(text: str, redact: Callable[[str], str]) -> str | None:
    try:
        return clean(redact(text))
    except Exception as problem:
        # One text the redactor chokes on must cost neither the call nor its neighbours, and must not be kept as it is.
        log.warning("content not kept: the redactor failed with %s", type(problem).__name__)
        return None
