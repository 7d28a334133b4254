"""Put an answer among its alternatives."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from driftgate.finetune.synthesis._config import Form
from driftgate.flows.letters import LETTERS


def shuffled(right: str, wrong: Sequence[str], source: random.Random) -> tuple[tuple[str, ...], str]:
    """The choices in random order and the letter of the right one.

    Examples
    --------
    >>> shuffled("물류팀", ["정산팀", "기술팀"], random.Random(3))
    (('정산팀', '기술팀', '물류팀'), 'C')
    """
    choices = [right, *wrong]
    source.shuffle(choices)
    return tuple(choices), LETTERS[choices.index(right)]


def posed(form: Form, right: str, wrong: Sequence[str], source: random.Random) -> tuple[tuple[str, ...], str]:
    """Choices and answer of an item of a form: shuffled choices and a letter, or no choices and the answer itself.

    Examples
    --------
    >>> posed("text", "물류팀", ["정산팀", "기술팀"], random.Random(3))
    ((), '물류팀')
    """
    return shuffled(right, wrong, source) if form == "choices" else ((), right)


def take_turns(groups: Sequence[Sequence[int]], count: int) -> list[int]:
    """One from each group in turn until there are ``count`` or none is left.

    Examples
    --------
    >>> take_turns([[1, 2, 3], [10], [20, 21]], 5)
    [1, 10, 20, 2, 21]
    """
    taken: list[int] = []
    for turn in range(max(map(len, groups), default=0)):
        taken += [group[turn] for group in groups if turn < len(group)]
        if len(taken) >= count:
            break
    return taken[:count]


def quotas(shares: Mapping[str, float], count: int) -> dict[str, int]:
    """Divide a count by shares, the largest remainders rounded up, so that the parts sum to it.

    Examples
    --------
    >>> quotas({"c1": 0.5, "c2": 0.25, "c3": 0.25}, 7)
    {'c1': 3, 'c2': 2, 'c3': 2}
    """
    total = sum(shares.values())
    exact = {name: count * share / total for name, share in shares.items()}
    parts = {name: int(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in rest[: count - sum(parts.values())]:
        parts[name] += 1
    return parts
