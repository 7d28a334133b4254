"""Texts with the same spaces, as these are often a matter of taste in Korean."""

from __future__ import annotations

import re

from driftgate.flows.wording._plain import plain

_HANGUL_RUN = re.compile(r"[가-힣]+(?: [가-힣]+)*")
_BESIDE = 2
"""Syllables on either side of a space by which it is found again in the other text."""


def alike(*several: str) -> list[str]:
    """The texts in one spelling (:func:`driftgate.flows.wording.plain`) and with the same spaces between Hangul.

    A space that one of them has between the same syllables (two on either side) stands in all of them: in Korean it is
    often a matter of taste. Texts that differ in such spaces alone become equal.

    Examples
    --------
    >>> alike("할수있습니다", "할 수 있습니다"), alike("지하철기본요금은", "기본 요금")
    (['할 수 있습니다', '할 수 있습니다'], ['지하철기본 요금은', '기본 요금'])
    """
    spelt = [plain(text) for text in several]
    spaces = {space for text in spelt for run in _HANGUL_RUN.findall(text) for space in _spaces(run)}
    return [_HANGUL_RUN.sub(lambda run: _spaced(run[0], spaces), text) for text in spelt]


_Space = tuple[str, str]


def _spaces(run: str) -> list[_Space]:
    joined, place, found = run.replace(" ", ""), 0, []
    for syllable in run:
        if syllable == " ":
            found.append(_beside(joined, place))
        else:
            place += 1
    return found


def _spaced(run: str, spaces: set[_Space]) -> str:
    joined = run.replace(" ", "")
    parts = (" " + s if i and _beside(joined, i) in spaces else s for i, s in enumerate(joined))
    return "".join(parts)


def _beside(joined: str, place: int) -> _Space:
    return joined[max(0, place - _BESIDE) : place], joined[place : place + _BESIDE]
