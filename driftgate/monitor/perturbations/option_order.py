"""The choices in another order, the answer's letter with them.

References
----------
Zheng et al. (2024). Large language models are not robust multiple choice selectors. ICLR.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from driftgate.flows.letters import LETTERS
from driftgate.monitor.perturbations._perturbation import Example, Perturbation, Prompt

_ABOUT_OTHERS = re.compile(
    r"모두 (?:맞|옳|틀|정답|해당|아니)|위의? (?:모두|보기|항목)|정답\s?없음|[①②③④⑤]|"
    r"\b(?:all|none|both|neither) of (?:the|these)\b|\b[A-E] (?:and|or) [A-E]\b|^[A-E](?:, ?[A-E])+$",
    re.IGNORECASE,
)
"""A choice that speaks of other choices by their place cannot be moved."""


def _change(prompt: Prompt, pool: Sequence[Example], rng: random.Random) -> Prompt | None:
    choices = list(prompt.data.get("choices") or ())
    if len(choices) < 2 or any(_ABOUT_OTHERS.search(str(choice)) for choice in choices):
        return None
    order = list(range(len(choices)))
    while order == sorted(order):
        rng.shuffle(order)
    letters = {LETTERS[new]: LETTERS[old] for new, old in enumerate(order)}
    moved = {old: new for new, old in letters.items()}
    data = {
        **prompt.data,
        "choices": [choices[old] for old in order],
        "answer": moved[prompt.data["answer"]],
    }
    return replace(prompt, data=data, letters={new: prompt.read_back(old) for new, old in letters.items()})


PERTURBATION = Perturbation("option_order", "order of the choices", _change)
