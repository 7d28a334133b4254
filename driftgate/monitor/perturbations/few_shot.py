"""Other few-shot examples, as many as before; the same ones in another order where there are no others.

References
----------
Lu et al. (2022). Fantastically ordered prompts and where to find them: overcoming few-shot prompt order sensitivity.
ACL.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from driftgate.monitor.perturbations._perturbation import Example, Perturbation, Prompt


def _change(prompt: Prompt, pool: Sequence[Example], rng: random.Random) -> Prompt | None:
    used = list(prompt.examples)
    others = [example for example in pool if example not in used and example != prompt.data]
    if used and len(others) >= len(used):
        return replace(prompt, examples=rng.sample(others, len(used)))
    if len(used) < 2 or all(example == used[0] for example in used):
        return None
    shuffled = list(used)
    while shuffled == used:
        rng.shuffle(shuffled)
    return replace(prompt, examples=shuffled)


PERTURBATION = Perturbation("few_shot", "few-shot examples", _change)
