"""Is the choice that a reply settles on the right one?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.extraction import extract_choice


def correct(*, answer: object, gold: str, choices: Sequence[str] = ()) -> dict[str, float | str]:
    """Compare the choice of a reply with the key.

    A letter, or whatever stands in the key, is taken as it is. Anything else is a reply, whose choice is read by
    :func:`driftgate.flows.extraction.extract_choice`; where it settles on none the answer is empty.

    Parameters
    ----------
    choices : sequence of str
        Texts of the choices, by which a reply that says a text in place of a letter is understood.

    Examples
    --------
    >>> correct(answer="B", gold="B"), correct(answer="B: 부산입니다.", gold="B")
    ({'correct': 1.0, 'answer': 'B'}, {'correct': 1.0, 'answer': 'B'})
    >>> correct(answer="부산", gold="B", choices=["서울", "부산"])
    {'correct': 1.0, 'answer': 'B'}
    >>> correct(answer=None, gold="B"), correct(answer="모르겠습니다.", gold="B")
    ({'correct': 0.0, 'answer': ''}, {'correct': 0.0, 'answer': ''})
    """
    given, key = bounded(None if answer is None else str(answer)), gold.strip().upper()
    said = given.strip()
    as_it_is = said.upper() == key or (len(said) == 1 and said.isascii() and said.isalpha())
    letter = given if as_it_is else extract_choice(said, choices).answer or ""
    return {"correct": float(bool(said) and letter.strip().upper() == key), "answer": letter}


def make() -> Callable[..., dict[str, float | str]]:
    """Make the evaluator; it has no settings."""
    return correct
