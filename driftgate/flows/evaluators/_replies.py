"""A reply as evaluators that read texts by rules take it: no longer than they can read, and not silent where that pays.

No evidence is never good news: a model that falls silent swears at nobody, contradicts nothing and keeps every budget.
"""

from __future__ import annotations

import unicodedata

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


def spoken(text: str | None) -> str:
    """A reply that is there and short enough; for evaluators to which a reply that is not there would be a good one.

    Raises
    ------
    DriftgateError
        It is silent, or too long.
    """
    said = bounded(text)
    if is_silent(said):
        raise DriftgateError("the reply is empty", "see why the model said nothing; an empty reply is no good one")
    return said
