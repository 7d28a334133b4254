"""Is a text what was wanted, its form aside: Unicode, case, spaces between Hangul, punctuation, particles, endings?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.evaluators._text import texts
from driftgate.flows.wording import holds, same


def normalised_match(
    *, response: str | None, ground_truth: str | Sequence[str], particles: bool = False, spaces: bool = False
) -> dict[str, float]:
    """Compare the words and quantities of two texts; of several accepted texts one must be met.

    Two writings of one quantity are the same, two quantities never are. An empty response meets nothing.

    Parameters
    ----------
    response, ground_truth : str
        What was said and what was wanted (or a list of what is accepted).
    particles : bool
        Korean particles, the copula and polite endings count.
    spaces : bool
        Spaces between words of Hangul count; in Korean they are often a matter of taste (할수있다, 할 수 있다).

    Returns
    -------
    dict
        ``match``: all is equal; ``contained``: the response says the wanted text in whole words, and does not deny it.

    Examples
    --------
    >>> normalised_match(response="서울특별시입니다.", ground_truth="서울 특별시")
    {'match': 1.0, 'contained': 1.0}
    >>> normalised_match(response="대회는 ＳＥＯＵＬ에서 열렸다", ground_truth=["서울", "Seoul"])
    {'match': 0.0, 'contained': 1.0}
    >>> normalised_match(response="불가능합니다.", ground_truth="가능")
    {'match': 0.0, 'contained': 0.0}
    >>> normalised_match(response="2만 5천 원", ground_truth=["1만 5천 원", "25,000원"])
    {'match': 1.0, 'contained': 1.0}
    """
    said, wanted = bounded(response), texts(ground_truth)
    met = any(same(said, text, particles=particles, spaces=spaces) for text in wanted)
    return {"match": float(met), "contained": float(met or any(holds(said, text) for text in wanted))}


@dataclass(frozen=True)
class NormalisedMatch:
    """:func:`normalised_match` with its settings."""

    particles: bool = False
    spaces: bool = False

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id("normalised_match")

    def __call__(self, *, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
        """Compare the words and quantities of two texts; see :func:`normalised_match`."""
        return normalised_match(
            response=response, ground_truth=ground_truth, particles=self.particles, spaces=self.spaces
        )


def make(particles: bool = False, spaces: bool = False) -> NormalisedMatch:
    """Make the evaluator.

    Parameters
    ----------
    particles : bool
        Korean particles, the copula and polite endings count.
    spaces : bool
        Spaces between words of Hangul count.
    """
    return NormalisedMatch(particles, spaces)
