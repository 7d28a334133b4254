"""Does an assistant contradict in a conversation what it, or the user, said before?"""

from __future__ import annotations

from typing import Any

from driftgate.flows.evaluators._contradictions import Contradiction, contradictions_in
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._turns import NOT_GIVEN, read_turns

_MOST_SAID = 1900


class _Contradiction:
    """The evaluator; see :func:`make`."""

    @property
    def list_id(self) -> str:
        """Hash of the rules by which claims are read and compared."""
        return reading_id("contradiction", "_contradictions", "_claims", "_turns", "_text", "_speech_levels")

    def __call__(self, *, turns: Any, response: Any = NOT_GIVEN) -> dict[str, float | str]:
        """Look for contradictions; with ``response`` only those that are in it count."""
        said = read_turns(turns, response)
        found = [one for one in contradictions_in(said) if response is NOT_GIVEN or one.turn is said[-1]]
        return {
            "consistent": float(not found),
            "memory": float(not _against(found, "user")),
            "itself": float(not _against(found, "assistant")),
            "contradictions": float(len(found)),
            "turn": float(found[0].turn.number) if found else 0.0,
            "kinds": ", ".join(dict.fromkeys(one.kind for one in found)),
            "found": "; ".join(f"turn {one.turn.number}: {one.said}" for one in found)[:_MOST_SAID],
        }


def _against(found: list[Contradiction], role: str) -> list[Contradiction]:
    return [one for one in found if one.earlier.role == role]


def make() -> _Contradiction:
    """Make the evaluator, which takes ``turns`` and optionally ``response``, the assistant's last turn.

    Notes
    -----
    Returns ``consistent`` (no turn of the assistant contradicts one before it), ``memory`` (none contradicts what the
    user said), ``itself`` (none contradicts what the assistant said), ``contradictions``, and ``turn``, the first that
    does, 0 where none does; ``kinds`` and ``found`` say what. It sees quantities, dates, weekdays, names and yes or no,
    said of one thing in like words. What follows only from the meaning of words is for a judge.

    Examples
    --------
    >>> said = ("환불되나요?", "환불은 가능합니다.", "언제까지요?", "환불은 불가능합니다.")
    >>> turns = [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(said)]
    >>> found = make()(turns=turns)
    >>> found["consistent"], found["turn"], found["kinds"]
    (0.0, 4.0, 'negation')
    """
    return _Contradiction()
