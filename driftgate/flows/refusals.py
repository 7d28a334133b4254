"""Does a reply refuse? Decided by a list of phrases, Korean and English, that is data."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from driftgate.flows.phrases import read_phrases

FILE = Path(__file__).parent / "refusal_phrases.yaml"


def is_refusal(reply: str) -> bool:
    """Whether a reply declines to answer.

    Only the opening is read, as far as the rules say: a long answer that ends with what it cannot know is an answer.

    Parameters
    ----------
    reply : str
        The model's whole reply.

    Examples
    --------
    >>> is_refusal("I'm sorry, but I can't assist with that.")
    True
    >>> is_refusal("죄송하지만 해당 요청은 도와드릴 수 없습니다.")
    True
    >>> is_refusal("죄송합니다, 앞의 답을 고칩니다. 정답은 B입니다.")
    False
    """
    listed = read_phrases(FILE)
    opening = int(listed.rules["opening"])
    plain = unicodedata.normalize("NFKC", reply[: 4 * opening]).replace("’", "'")
    return listed.pattern.search(" ".join(plain.split())[:opening]) is not None


def refusal_rules_id() -> str:
    """Hash of the rules, to be kept beside what they decided: 12 hexadecimal digits."""
    return read_phrases(FILE).id
