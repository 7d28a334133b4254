"""A first line that goes through the choices and answers nothing yet: "A 피아제는 ... 탈락", "A: 옳음"."""

from __future__ import annotations

import re

from driftgate.flows.extraction._read import LETTERS, Asked, Reading, match_form
from driftgate.flows.extraction._rule_set import CompiledRules

_TOPIC = re.compile(r"\s?(?:은|는|도)\s")


def goes_through(said: str, reply: str, found: Reading, asked: Asked, rules: CompiledRules) -> bool:
    """Whether the choice that a first line begins with is ruled out or judged there, as one of several.

    Parameters
    ----------
    said
        The line.
    found
        What was read in it.
    """
    match, _ = match_form(said, rules)
    if match is None:
        return False
    tail = said[match.end() :]
    if found.form.endswith("text") and found.position is not None and asked.choices:
        own = asked.choices[found.position]
        behind = tail.find(own)
        if not 0 <= behind <= 4:
            return False
        tail = tail[behind + len(own) :]
        others = set(rules.words["LONE_LETTER"].findall(tail)) - {LETTERS[found.position]}
        return bool(_TOPIC.match(tail) and (others or rules.words["RULED_OUT"].match(tail)))
    if found.position is not None or found.form not in ("mismatch", "several"):
        return False
    if rules.words["RULED_OUT"].match(tail):
        return True
    others = set(rules.words["LONE_LETTER"].findall(reply)) - set(rules.words["LONE_LETTER"].findall(match[0]))
    return bool(others and rules.words["JUDGED"].match(tail)) or rules.words["LISTING"].match(reply) is not None
