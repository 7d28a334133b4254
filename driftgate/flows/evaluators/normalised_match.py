"""Is a text what was wanted, Unicode form, case, white space, punctuation and particles aside?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from driftgate.flows.evaluators._text import Unit, texts, tokens


def normalised_match(
    *, response: str | None, ground_truth: str | Sequence[str], particles: bool = False, spaces: bool = False
) -> dict[str, float]:
    """Compare the words of two texts; of several accepted texts one must be met.

    Parameters
    ----------
    response, ground_truth : str
        What was said and what was wanted (or a list of what is accepted).
    particles : bool
        Korean particles and the copula count.
    spaces : bool
        Word boundaries count; in Korean they are often a matter of taste (할수있다, 할 수 있다).

    Returns
    -------
    dict
        ``match``: all is equal; ``contained``: the wanted text stands in the response.

    Examples
    --------
    >>> normalised_match(response="서울특별시입니다.", ground_truth="서울 특별시")
    {'match': 1.0, 'contained': 1.0}
    >>> normalised_match(response="그 도시는 ＳＥＯＵＬ이다", ground_truth=["서울", "Seoul"])
    {'match': 0.0, 'contained': 1.0}
    """
    unit: Unit = "word" if particles else "stem"
    joint = " " if spaces else ""
    said = joint.join(tokens(response or "", unit))
    wanted = [joint.join(tokens(text, unit)) for text in texts(ground_truth)]
    found = any(text in said for text in wanted if text)
    return {"match": float(said in wanted), "contained": float(said in wanted or found)}


def make(particles: bool = False, spaces: bool = False) -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    particles : bool
        Korean particles and the copula count.
    spaces : bool
        Word boundaries count.
    """
    return partial(normalised_match, particles=particles, spaces=spaces)
