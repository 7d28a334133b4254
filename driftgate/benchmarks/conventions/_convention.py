"""What a scoring convention is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from driftgate.benchmarks.outcomes import Outcome
from driftgate.flows.extraction import DEFAULT, rule_set_id
from driftgate.flows.letters import LEAST_MASS
from driftgate.flows.registry import Registry

Reading = Literal["rules", "run", "logprobs"]
"""Where an answer comes from: read from the reply by a rule set (where the model is scored by text), as the run itself
read it, or the likeliest letter of the first token."""


@dataclass(frozen=True)
class Convention:
    """A named way to make a number of outcomes.

    What it cannot choose, the examples in the prompt and the prompt itself, stands in a score's signature beside it.
    """

    name: str
    describe: str
    """One line for a person."""
    reading: Reading = "rules"
    rule_set: str = DEFAULT
    """Of ``reading="rules"``: see :data:`driftgate.flows.extraction.rules.RULE_SETS`."""
    dropped: tuple[Outcome, ...] = ()
    """Outcomes that are not counted. All others are in the denominator, and right only if answered right."""
    averaging: Literal["micro", "macro"] = "micro"
    """Over samples, or over the categories' accuracies."""
    prompt_end: str = ""
    """How a prompt should end for the number to be what its name says; a run whose prompt ends otherwise is noted."""
    key: Literal["dataset", "recorded"] = "dataset"
    """Whose right answers judge: the dataset's, or those that stood in a recorded file, where the two differ."""

    @property
    def denominator(self) -> str:
        """What is divided by, for the signature: everything asked for, less what is dropped.

        Examples
        --------
        >>> Convention("mine", "", dropped=("failed", "missing")).denominator
        'asked-failed-missing'
        """
        return "-".join(["asked", *self.dropped])

    def extract(self, scoring: str, reads: str = "choice") -> str:
        """How a run of that scoring mode is read, for the signature; empty where it is as the run read it."""
        if self.reading == "rules" and reads == "none":
            return reads
        if self.reading == "rules" and reads == "quantity":
            from driftgate.flows.quantities import reader_id  # 40 ms, for flows that read quantities alone

            return reader_id()
        if self.reading == "logprobs":
            return "letter-logprobs"
        if self.reading == "rules" and scoring == "logprobs":
            return f"letter-logprobs-{LEAST_MASS:g}"
        return rule_set_id(self.rule_set) if self.reading == "rules" else ""

    def signature_parts(self, scoring: str, reads: str = "choice") -> dict[str, str]:
        """The parts of a score's signature that the convention decides.

        Parameters
        ----------
        scoring : str
            Of the model: ``text`` or ``logprobs``.
        reads : {"choice", "quantity", "none"}
            What is read from a reply.
        """
        read = self.extract(scoring, reads)
        return {
            **({"scoring": "logprobs"} if self.reading == "logprobs" else {}),
            **({"extract": read} if read else {}),
            "denominator": self.denominator,
            "averaging": self.averaging,
        }


CONVENTIONS: Registry[Convention] = Registry("scoring convention", "driftgate.benchmarks.conventions", "CONVENTION")


def find_convention(name: str) -> Convention:
    """A convention by name, hyphens and underscores alike.

    Raises
    ------
    DriftgateError
        There is none.

    Examples
    --------
    >>> find_convention("published-ko").dropped
    ('failed', 'missing')
    """
    return CONVENTIONS.get(name.replace("-", "_"))


def convention_names() -> list[str]:
    """Names of all conventions, as a person writes them.

    Examples
    --------
    >>> convention_names()
    ['asked', 'asked-ko-v1', 'asked-ko-v2', 'lm-eval', 'macro', 'published-ko']
    """
    return [CONVENTIONS.get(name).name for name in CONVENTIONS.names()]
