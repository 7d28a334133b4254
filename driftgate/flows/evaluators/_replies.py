"""A reply as evaluators that read texts by rules take it: no longer than they can read, and not silent where that pays.

No evidence is never good news: a model that falls silent swears at nobody, contradicts nothing and keeps every budget.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.thinking import without_thinking

LONGEST = 50_000
"""Characters of a text that is read by rules: some 30,000 tokens of Korean, more than models answer at once."""


def bounded(text: str | None, name: str = "the reply") -> str:
    """A text that is short enough to be read by rules, without its thoughts where they make it too long; of None "".

    Raises
    ------
    DriftgateError
        It has more than :data:`LONGEST` characters.
    """
    if text is None or len(text) <= LONGEST:
        return text or ""
    shown = without_thinking(text) or ""
    if len(shown) > LONGEST:
        raise DriftgateError(
            f"{name} has {len(shown):,} characters, expected at most {LONGEST:,}",
            "limit what the model may write, or bind the part that is to be read",
        )
    return shown


def is_silent(text: str | None) -> bool:
    """Whether a reply shows its reader nothing: no text, white space, invisible characters, or thoughts alone.

    Examples
    --------
    >>> [is_silent(text) for text in (None, " \\n", "\\u200b", "<think>15일?</think>", "🙂", ".")]
    [True, True, True, True, False, False]
    """
    shown = without_thinking(text or "") or ""
    return not any(not one.isspace() and unicodedata.category(one) not in ("Cc", "Cf") for one in shown)


def nothing_to_grade(inputs: Mapping[str, Any]) -> bool:
    """Whether what a judge or a service is given holds no reply where one belongs.

    Whatever it said of nothing, that there are no faults in it above all, would be no word about the model.

    Examples
    --------
    >>> [nothing_to_grade(one) for one in ({"response": " "}, {"response": []}, {"response": "네"}, {"query": ""})]
    [True, True, False, False]
    """
    if "response" not in inputs:
        return False
    response = inputs["response"]
    return is_silent(response) if response is None or isinstance(response, str) else response in ([], {}, ())


def empty_reply() -> DriftgateError:
    """What a reply that is not there is to an evaluator to which it would be a good one."""
    return DriftgateError("the reply is empty", "see why the model said nothing; an empty reply is no good one")


def spoken(text: str | None) -> str:
    """A reply that is there and short enough; for evaluators to which a reply that is not there would be a good one.

    Raises
    ------
    DriftgateError
        It is silent, or too long.
    """
    said = bounded(text)
    if is_silent(said):
        raise empty_reply()
    return said
