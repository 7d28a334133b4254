"""White space that means nothing: some spaces doubled, a line break at the end."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from driftgate.monitor.perturbations._perturbation import Example, Perturbation, Prompt

_DOUBLED = 0.3
"""The share of single spaces that become two."""


def _change(prompt: Prompt, pool: Sequence[Example], rng: random.Random) -> Prompt | None:
    question = re.sub(
        r"(?<=\S) (?=\S)", lambda _: "  " if rng.random() < _DOUBLED else " ", str(prompt.data["question"])
    )
    return replace(prompt, data={**prompt.data, "question": f"{question} \n"})


PERTURBATION = Perturbation("whitespace", "white space", _change)
