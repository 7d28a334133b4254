"""Read a choice from the first token's log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping

from driftgate.flows.errors import DriftgateError

LETTERS = "ABCDEFGHIJ"
LEAST_MASS = 0.1
"""Probability that the letters need together, so that the likeliest of them counts as an answer."""


def letter_logprobs(first_token: Mapping[str, float], count: int) -> dict[str, float]:
    """Log-probability of each of the first ``count`` letters, white space before it summed in.

    A letter that is not among the tokens given is absent.

    Examples
    --------
    >>> {k: round(v, 2) for k, v in letter_logprobs({" A": -1.0, "A": -2.0, "B": -1.5, " x": -0.1}, 4).items()}
    {'A': -0.69, 'B': -1.5}
    """
    mass: dict[str, float] = {}
    for token, logprob in first_token.items():
        letter = token.strip()
        if letter in LETTERS[:count] and len(letter) == 1:
            mass[letter] = mass.get(letter, 0.0) + math.exp(logprob)
    return {letter: math.log(value) for letter, value in sorted(mass.items()) if value > 0}


def likeliest_letter(first_token: Mapping[str, float] | None, count: int, *, least: float = LEAST_MASS) -> str | None:
    """The letter with the highest log-probability; None where the letters together have too little of it.

    Parameters
    ----------
    first_token : Mapping or None
        Log-probabilities of the likeliest first tokens.
    count : int
        Number of letters.
    least : float
        Probability that the letters need together. A model that was about to say something else answered nothing, and
        the letter that is least unlikely is not what it says.

    Raises
    ------
    DriftgateError
        There are no log-probabilities.

    References
    ----------
    The log-likelihood convention of EleutherAI's lm-evaluation-harness for letter-answer tasks; it has no minimum.

    Examples
    --------
    >>> likeliest_letter({" A": -1.0, "A": -2.0, "B": -0.5}, 4)
    'B'
    >>> said = {"\\n": -0.0001, "B": -9.2, "A": -9.4}
    >>> likeliest_letter(said, 4) is None, likeliest_letter(said, 4, least=0.0)
    (True, 'B')
    """
    if first_token is None:
        raise DriftgateError(
            "the model's reply holds no log-probabilities, by which its letter is to be read",
            "set scoring: text for the model, or ask a service that gives them",
        )
    known = letter_logprobs(first_token, count)
    if not known or sum(math.exp(value) for value in known.values()) < least:
        return None
    return max(known, key=lambda letter: known[letter])
