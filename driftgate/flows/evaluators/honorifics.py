"""Does an assistant keep to one Korean speech level over its turns?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._speech_levels import CASUAL, FORMAL, PLAIN, POLITE, commonest, levels_in
from driftgate.flows.evaluators._turns import NOT_GIVEN, Turn, read_turns

Level = Literal["합니다체", "해요체", "반말", "한다체", "존댓말"]
_POLITE = (FORMAL, POLITE)
_ASKS = re.compile(
    r"반말|존댓말|존대|높임말|경어|해요체|합니다체|격식|친구처럼"
    r"|말\s*(?:을\s*)?(?:좀\s*)?(?:놓|편하게)|편하게\s*말"
)
"""What a user says who asks for another level."""


def honorifics(
    *, turns: Any, response: Any = NOT_GIVEN, wanted: Level | None = None, either: bool = False
) -> dict[str, float | str]:
    """Look at the speech level of every turn of the assistant.

    Parameters
    ----------
    turns, response
        See :func:`driftgate.flows.evaluators._turns.read_turns`.
    wanted : str, optional
        The level that all turns are to have; ``존댓말`` is 합니다체 or 해요체.
    either : bool
        합니다체 and 해요체 may follow one another from turn to turn.

    Returns
    -------
    dict
        ``consistent``: no turn breaks the level that those before it have, and none mixes 반말 or 한다체 with a polite
        level. ``share``: sentences on the commonest level. With ``wanted``, ``as_wanted``: share of the sentences on
        it. ``breaks``: turns that break it, ``turn``: the first of them, 0 where there is none; ``level`` and ``found``
        say which level and which sentence.

    Examples
    --------
    >>> said = ["배송은 이틀 걸립니다.", "오늘 주문하시면 내일 옵니다.", "그건 나도 몰라."]
    >>> found = honorifics(turns=[{"role": "assistant", "content": text} for text in said])
    >>> found["consistent"], found["turn"], found["found"]
    (0.0, 3.0, '반말 after 합니다체: 그건 나도 몰라.')
    """
    said = read_turns(turns, response)
    kept: str | None = None
    every: list[str] = []
    breaks: list[tuple[Turn, str]] = []
    for turn in said:
        if turn.role == "user":
            kept = None if _ASKS.search(turn.text) else kept
            continue
        found = levels_in(turn.text)
        if not found:
            continue
        levels = [level for _, level in found]
        every += levels
        main = commonest(levels)
        odd = next(((s, level) for s, level in found if _clash(level, main)), None)
        if odd is not None:
            breaks.append((turn, f"{odd[1]} beside {main}: {odd[0]}"))
        elif kept is not None and _breaks(main, kept, either):
            sentence = next(s for s, level in found if level == main)
            breaks.append((turn, f"{main} after {kept}: {sentence}"))
        kept = kept or main
    if not every:
        raise ValueError("no sentence of the assistant has a Korean speech level")
    level = commonest(every)
    found_share = {"share": every.count(level) / len(every)}
    if wanted is not None:
        fits = _POLITE if wanted == "존댓말" else (wanted,)
        found_share["as_wanted"] = sum(one in fits for one in every) / len(every)
    return {
        "consistent": float(not breaks),
        **found_share,
        "breaks": float(len(breaks)),
        "turn": float(breaks[0][0].number) if breaks else 0.0,
        "level": level,
        "found": breaks[0][1] if breaks else "",
    }


def _clash(one: str, other: str) -> bool:
    """Whether two levels do not stand in one turn: a polite one and one that is not."""
    return (one in _POLITE) != (other in _POLITE)


def _breaks(main: str, kept: str, either: bool) -> bool:
    if main == kept or {main, kept} == {CASUAL, PLAIN}:  # who speaks 반말 also writes 한다체
        return False
    return not (either and main in _POLITE and kept in _POLITE)


@dataclass(frozen=True)
class Honorifics:
    """:func:`honorifics` with its settings."""

    wanted: Level | None = None
    either: bool = False

    @property
    def list_id(self) -> str:
        """Hash of the rules by which levels are told."""
        return reading_id("honorifics", "_speech_levels", "_turns", "_text")

    def __call__(self, *, turns: Any, response: Any = NOT_GIVEN) -> dict[str, float | str]:
        """Look at every turn; see :func:`honorifics`."""
        return honorifics(turns=turns, response=response, wanted=self.wanted, either=self.either)


def make(wanted: Level | None = None, either: bool = False) -> Honorifics:
    """Make the evaluator, which takes ``turns`` and optionally ``response``, the assistant's last turn.

    Parameters
    ----------
    wanted : {"합니다체", "해요체", "반말", "한다체", "존댓말"}, optional
        The level that all turns are to have.
    either : bool
        합니다체 and 해요체 may follow one another.
    """
    if wanted is not None and wanted not in get_args(Level):
        raise ValueError(f"wanted is '{wanted}', expected one of {', '.join(get_args(Level))}")
    return Honorifics(wanted, either)
