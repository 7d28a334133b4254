"""What a perturbation is."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.flows.registry import Registry

Example = Mapping[str, Any]
"""A few-shot example's data: question, choices, answer."""


@dataclass(frozen=True)
class Prompt:
    """What is asked: a sample's data, as it stands or perturbed, and the few-shot examples before it."""

    data: Mapping[str, Any]
    """``question``, and where there are any ``choices``, ``passage`` and the right ``answer``, a letter."""
    examples: Sequence[Example] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    """The letter a choice had in the sample, by the letter it has here; empty where they are the same."""

    def read_back(self, answer: str) -> str:
        """The answer in the sample's own letters.

        Examples
        --------
        >>> Prompt({"question": "1+1?"}, letters={"A": "B", "B": "A"}).read_back("A")
        'B'
        """
        return self.letters.get(answer, answer)


@dataclass(frozen=True)
class Perturbation:
    """A seeded change of a prompt that leaves the right answer what it is."""

    name: str
    """Its name in the registry."""
    title: str
    """What is changed, in a table."""
    change: Callable[[Prompt, Sequence[Example], random.Random], Prompt | None]
    """Given the prompt, the examples there are to choose from, and random numbers: the changed prompt, or None if
    the change does not apply to it."""

    def apply(self, prompt: Prompt, pool: Sequence[Example] = (), *, key: str = "", seed: int = 0) -> Prompt | None:
        """The changed prompt, the same for the same key and seed; None where there is nothing to change.

        Examples
        --------
        >>> prompt = Prompt({"question": "수도는?", "choices": ["부산", "서울", "대구"], "answer": "B"})
        >>> changed = PERTURBATIONS.get("option_order").apply(prompt, seed=1)
        >>> changed.data["choices"], changed.data["answer"], changed.read_back(changed.data["answer"])
        (['대구', '부산', '서울'], 'C', 'B')
        """
        return self.change(prompt, pool, random.Random(f"{seed}\n{self.name}\n{key}"))


PERTURBATIONS: Registry[Perturbation] = Registry("perturbation", "driftgate.monitor.perturbations", "PERTURBATION")
