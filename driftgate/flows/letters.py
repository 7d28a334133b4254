"""Read a choice from the first token's log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping

LETTERS = "ABCDEFGHIJ"


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


def likeliest_letter(first_token: Mapping[str, float] | None, count: int) -> str | None:
    """The letter with the highest log-probability; None where no letter is among the tokens.

    Source: the log-likelihood convention of EleutherAI's lm-evaluation-harness for letter-answer tasks.

    Examples
    --------
    >>> likeliest_letter({" A": -1.0, "A": -2.0, "B": -0.5}, 4)
    'B'
    >>> likeliest_letter({" the": -0.2}, 4) is None
    True
    """
    if first_token is None:
        return None
    known = letter_logprobs(first_token, count)
    return max(known, key=lambda letter: known[letter]) if known else None
