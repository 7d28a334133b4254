"""Put an answer among its alternatives."""

from __future__ import annotations

import random
from collections.abc import Sequence

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
