"""Replace personal data by placeholders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from driftgate.finetune.privacy._fold import fold
from driftgate.finetune.privacy._numbers import NUMBERS
from driftgate.finetune.privacy._rule import Rule
from driftgate.finetune.privacy._words import WORDS

RULES: tuple[Rule, ...] = (*NUMBERS, *WORDS)
"""The rules :func:`redact` applies unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where personal data stood in the original text; the value itself is not kept."""

    kind: str
    start: int
    end: int
    score: float
    """0.6 by its form, 0.8 by the words around it, 1.0 by its check digit."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what was found in it."""

    text: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values of each kind were replaced."""
        return Counter(finding.kind for finding in self.findings)


def redact(text: str, rules: tuple[Rule, ...] = RULES) -> Redacted:
    """Replace personal data by its kind in angle brackets.

    Patterns find what has a form: numbers, addresses, keys. Names in running text are weighed by their syllables and
    by titles and roles beside them. The text around a finding stays exactly as it was, however it was encoded.

    Parameters
    ----------
    text : str
        A text in any Unicode form.
    rules : tuple of Rule
        What to look for; add rules of your own to :data:`RULES`. The analyzer of a set of rules is built once, at its
        first use, which takes some seconds of imports.

    Examples
    --------
    >>> redacted = redact("메일은 minsu12@naver.com로, 전화는 ０１０-1234-5678입니다.")
    >>> redacted.text
    '메일은 <EMAIL_ADDRESS>로, 전화는 <PHONE_MOBILE>입니다.'
    >>> redacted.findings[0]
    Finding(kind='EMAIL_ADDRESS', start=4, end=21, score=0.6)
    """
    if not rules:
        return Redacted(text, ())
    from driftgate.finetune.privacy._engine import find

    folded = fold(text)
    findings: list[Finding] = []
    for result in find(folded.text, rules) if folded.text.strip() else ():
        start, end = folded.origin(result.start, result.end)
        if not findings or start >= findings[-1].end:
            findings.append(Finding(result.entity_type, start, end, result.score))
    parts, place = [], 0
    for finding in findings:
        parts += [text[place : finding.start], f"<{finding.kind}>"]
        place = finding.end
    return Redacted("".join([*parts, text[place:]]), tuple(findings))
