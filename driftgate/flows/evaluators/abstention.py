"""Is an answer right, where some questions have none in the documents and the right answer is to say so?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.abstentions import abstention_rules_id, is_abstention
from driftgate.flows.evaluators._passages import unanswerable
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded, is_silent
from driftgate.flows.evaluators.normalised_match import normalised_match


@dataclass(frozen=True)
class Abstention:
    """The evaluator."""

    particles: bool = False
    spaces: bool = False

    optional = frozenset({"relevant", "ground_truth"})
    """Columns that a dataset need not have: without ``relevant`` every question has an answer."""

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read, and of the phrases."""
        return f"{reading_id('abstention', 'normalised_match')}{abstention_rules_id()}"

    def __call__(
        self,
        *,
        response: str | None,
        ground_truth: str | Sequence[str] | None = None,
        relevant: Sequence[Any] | Mapping[str, float] | str | None = None,
    ) -> dict[str, float]:
        """Compare an answer with the one that is wanted, or with saying that the documents hold none.

        Parameters
        ----------
        response : str
            What was said.
        ground_truth : str or sequence of str, optional
            What was wanted; of a question without an answer it is not read.
        relevant : sequence, mapping or str, optional
            Documents that hold the answer; an empty list says that none does.

        Returns
        -------
        dict
            ``match`` and ``contained``: as ``normalised_match`` has it, or of a question without an answer, whether the
            response says so. ``abstained`` is this, of questions without an answer only, so that its mean is how
            many of them were seen; ``withheld`` is this of all others, where it is a mistake, and so is silence.

        Raises
        ------
        ValueError
            A question with an answer has no ``ground_truth``.

        Examples
        --------
        >>> make()(response="문서에 나와 있지 않습니다.", relevant=[])
        {'match': 1.0, 'contained': 1.0, 'abstained': 1.0}
        >>> make()(response="30만 원입니다.", relevant=[])
        {'match': 0.0, 'contained': 0.0, 'abstained': 0.0}
        >>> make()(response="문서에 나와 있지 않습니다.", ground_truth="17일", relevant=["leave"])
        {'match': 0.0, 'contained': 0.0, 'withheld': 1.0}
        """
        said = float(is_abstention(bounded(response)))
        if unanswerable(relevant):
            return {"match": said, "contained": said, "abstained": said}
        if ground_truth is None or ground_truth == "":
            raise ValueError("the question has an answer, and the sample does not say which")
        match = normalised_match(
            response=response, ground_truth=ground_truth, particles=self.particles, spaces=self.spaces
        )
        return {**match, "withheld": float(said or is_silent(response))}


def make(particles: bool = False, spaces: bool = False) -> Abstention:
    """Make the evaluator.

    Parameters
    ----------
    particles : bool
        Korean particles, the copula and polite endings count.
    spaces : bool
        Spaces between words of Hangul count.
    """
    return Abstention(particles, spaces)
