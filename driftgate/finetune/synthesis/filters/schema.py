"""Is it a question with different choices, one of them the answer, and nothing left unfilled?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftgate.finetune._jamo import plain
from driftgate.finetune.synthesis._values import Candidate, Filter, Setting

_PLACEHOLDER = re.compile(r"<[A-Z_]+>")
_SLOT = re.compile(r"\{\w+\}")
_LONGEST = 4000


def check(candidates: Sequence[Candidate], setting: Setting) -> list[str]:
    """Say what is wrong with each candidate's form."""
    return [_wrong(candidate) for candidate in candidates]


def _wrong(candidate: Candidate) -> str:
    forms = [plain(choice) or choice.strip() for choice in candidate.choices]
    if not candidate.text.strip() or not candidate.question.strip():
        return "the question is empty"
    if len(candidate.question) > _LONGEST:
        return f"the question has more than {_LONGEST} characters"
    if not candidate.choices:
        return _text_wrong(candidate)
    if not 2 <= len(forms) <= 10 or not all(forms):
        return f"it has {sum(map(bool, forms))} choices with text, 2 to 10 are needed"
    if len(set(forms)) < len(forms):
        return "two choices are the same"
    if not candidate.right_choice:
        return f"the answer '{candidate.answer}' is none of the choices"
    if any(not plain(_PLACEHOLDER.sub("", choice)) for choice in candidate.choices if _PLACEHOLDER.search(choice)):
        return "a choice is a redacted value"
    if _SLOT.search(candidate.question):
        return "a slot is not filled"
    return ""


def _text_wrong(candidate: Candidate) -> str:
    if not candidate.answer.strip():
        return "the answer is empty"
    if len(candidate.answer) > _LONGEST:
        return f"the answer has more than {_LONGEST} characters"
    if plain(candidate.answer) == plain(candidate.question):
        return "the answer repeats the question"
    if not plain(_PLACEHOLDER.sub("", candidate.answer)):
        return "the answer is a redacted value"
    return "a slot is not filled" if _SLOT.search(candidate.question) else ""


FILTER = Filter("2", check)
