"""What a reply says under a condition or only thought of: "정렬되어 있다면 B", "B로 할까 했습니다만"."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.flows.extraction._rule_set import CompiledRules

UNSEEN = "\ue00b"
"""Stands for a letter, circled digit or number that is not said of the question as it is asked."""

MOST = 64
"""Conditions that are looked at: a bound on the time that a degenerate reply can take."""


def without_suppositions(reply: str, rules: CompiledRules) -> str:
    """The reply with each choice that it names under a condition made unseen, in place.

    A condition ("-라면", "-다면") reaches to the end of its sentence or to the clause that turns to what is so
    ("-지만"). Any other clause in front of a letter ("크면 A", "정렬된 경우 B") may be a step of the reasoning; where
    clauses of this kind name two letters, they are cases.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> def seen(reply):
    ...     return without_suppositions(reply, compiled("ko-v3")).replace(UNSEEN, "_")
    >>> seen("물이라면 A입니다만, 얼음이므로 B입니다."), seen("1보다 크면 A, 작으면 B입니다.")
    ('물이라면 _입니다만, 얼음이므로 B입니다.', '1보다 크면 _, 작으면 _입니다.')
    >>> seen("계산하면 B입니다."), seen("굳이 고른다면 B입니다."), seen("B로 할까 했지만 A로 하겠습니다.")
    ('계산하면 B입니다.', '굳이 고른다면 B입니다.', '_로 할까 했지만 A로 하겠습니다.')
    """
    spans = [*_under_a_condition(reply, rules), *_cases(reply, rules), *_thought_of(reply, rules)]
    said = list(reply)
    for begin, end in spans:
        said[begin:end] = UNSEEN * (end - begin)
    return "".join(said) if spans else reply


def under_condition(before: str, rules: CompiledRules) -> bool:
    """Whether what stands behind this text is said under a condition that it ends with.

    >>> from driftgate.flows.extraction.rules import compiled
    >>> [under_condition(text, compiled("ko-v3")) for text in ("항구라면 답은 ", "분지라면 대구지만 답은 ")]
    [True, False]
    """
    if "라면" not in before and "다면" not in before:
        return False
    ends = [condition.end() for condition in rules.words["CONDITION"].finditer(before)]
    return bool(ends) and rules.words["CONDITION_ENDS"].search(before, ends[-1]) is None


def _under_a_condition(reply: str, rules: CompiledRules) -> Iterator[tuple[int, int]]:
    if "라면" not in reply and "다면" not in reply:
        return
    reached = 0
    for count, condition in enumerate(rules.words["CONDITION"].finditer(reply)):
        if count == MOST:
            return
        end = rules.words["CONDITION_ENDS"].search(reply, condition.end())
        to = end.start() if end else len(reply)
        for cell in rules.words["CELL"].finditer(reply, max(reached, condition.end()), to):
            yield cell.span()
        reached = max(reached, to)


def _cases(reply: str, rules: CompiledRules) -> list[tuple[int, int]]:
    if "면" not in reply and "경우" not in reply and "때" not in reply and "if" not in reply.lower():
        return []
    found = []
    for count, case in enumerate(rules.words["CASE"].finditer(reply)):
        if count == MOST:
            break
        group = "said" if case["said"] else "said_en"
        found.append((case.span(group), case[group]))
    return [span for span, _ in found] if len({said for _, said in found}) > 1 else []


def _thought_of(reply: str, rules: CompiledRules) -> Iterator[tuple[int, int]]:
    for match in rules.words["THOUGHT_OF"].finditer(reply):
        yield from (match.span(name) for name, said in match.groupdict().items() if said is not None)
