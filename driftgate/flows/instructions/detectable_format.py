"""The form of a reply: lists, sections, a title, JSON, one of some answers."""

from __future__ import annotations

import json
import re

from driftgate.flows.instructions._parameters import Count, Text, Texts
from driftgate.flows.text import composed

OPTIONS = (
    *("제 답변은 예입니다.", "제 답변은 아니요입니다.", "제 답변은 아마도입니다."),
    *("My answer is yes.", "My answer is no.", "My answer is maybe."),
)
"""The answers of ``constrained_response``, of which a prompt lists those of its language."""
_BULLET = re.compile(r"^\s*(?:\*[^*\n]|-(?!-)).*$", re.MULTILINE)  # a rule ``---`` is no item
_HIGHLIGHT = re.compile(r"\*\*[^\n*]*[^\s*][^\n*]*\*\*|\*[^\n*]*[^\s*][^\n*]*\*")
_TITLE = re.compile(r"<<[^\n]+>>")
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL | re.IGNORECASE)


def number_bullet_lists(reply: str, *, num_bullets: Count) -> bool:
    """Exactly so many items that begin with ``*`` or ``-``."""
    return len(_BULLET.findall(reply)) == num_bullets


def number_highlighted_sections(reply: str, *, num_highlights: Count) -> bool:
    """At least so many parts between asterisks; upstream counts one between two on either side twice."""
    return len(_HIGHLIGHT.findall(reply)) >= num_highlights


def multiple_sections(reply: str, *, section_spliter: Text, num_sections: Count) -> bool:
    """At least so many sections, each begun by a word and a number, such as ``섹션 1``."""
    return len(re.findall(re.escape(composed(section_spliter).strip()) + r"\s?\d+", composed(reply))) >= num_sections


def title(reply: str) -> bool:
    """A title between doubled angle brackets, with something in it."""
    return any(found.strip("<> \t") for found in _TITLE.findall(reply))


def json_format(reply: str) -> bool:
    """The whole reply is JSON, a fence around it aside."""
    text = reply.strip()
    fenced = _FENCE.match(text)
    try:
        json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return False
    return True


def constrained_response(reply: str, *, options: Texts = list(OPTIONS)) -> bool:  # noqa: B006 (pydantic copies it)
    """Exactly one of the answers stands in it; upstream lets a reply that gives several pass."""
    return sum(composed(option) in composed(reply) for option in options) == 1


CHECKS = {
    "number_bullet_lists": number_bullet_lists,
    "number_highlighted_sections": number_highlighted_sections,
    "multiple_sections": multiple_sections,
    "title": title,
    "json_format": json_format,
    "constrained_response": constrained_response,
}
