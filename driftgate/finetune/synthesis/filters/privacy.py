"""Is there personal data in it, or in what it is filed under?

Material is redacted when it is read; this catches what a model or a slot adds. A source's own passage is the
workspace's rule, shown as it is evaluated, and not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftgate.finetune.privacy import Finding, redact
from driftgate.finetune.synthesis._labels import name_of
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Name the kinds of personal data in each candidate."""
    reasons: dict[str, str] = {}  # passages and choices repeat, and a text takes about a millisecond
    rules = [source.passage for source in setting.config.sources if source.passage]
    find = (lambda text: redact(text).findings) if setting.stand_ins is None else setting.stand_ins.foreign
    return ["; ".join(filter(None, (_found(text, reasons, find) for text in _texts(c, rules)))) for c in candidates]


def _texts(candidate: Candidate, rules: Sequence[str]) -> tuple[str, ...]:
    passage = candidate.passage
    for rule in rules:
        passage = passage.replace(rule, "")
    answer = () if candidate.choices else (candidate.answer, candidate.wrong)
    turns = (part for turn in candidate.turns for part in turn)
    labels = (candidate.slice, candidate.label, candidate.phrasing, name_of(candidate.source))
    return (candidate.question, *candidate.choices, *answer, *turns, passage, *labels)


def _found(text: str, known: dict[str, str], find: Callable[[str], tuple[Finding, ...]]) -> str:
    if text not in known:
        known[text] = ", ".join(sorted({finding.kind for finding in find(text)}))
    return known[text]


FILTER = Filter("3", check)
