"""Labelled examples as they were written: which label is right?"""

from __future__ import annotations

import random

from driftgate.finetune.synthesis._choices import posed, take_turns
from driftgate.finetune.synthesis._config import ExamplesSource
from driftgate.finetune.synthesis._materials import label_names
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Request
from driftgate.flows.errors import DriftgateError

VERSION = "1"


def generate(request: Request) -> Generated:
    """One item for each example, slices and labels in turn, the examples of each in random order."""
    source = request.source
    if not isinstance(source, ExamplesSource):
        raise DriftgateError(f"the generator 'labelled' cannot use {source.kind}", "give it examples")
    labels = label_names(source, list(request.materials))
    chance = random.Random(request.seed)
    cells: dict[tuple[str, str], list[int]] = {}
    for place, material in enumerate(request.materials):
        cells.setdefault((material.slice, material.label), []).append(place)
    for cell in cells.values():
        chance.shuffle(cell)
    candidates = []
    for place in take_turns([cells[key] for key in sorted(cells)], request.count):
        material = request.materials[place]
        wrong = [label for label in labels if label != material.label]
        choices, answer = posed(request.form, material.label, wrong, chance)
        candidates.append(
            Candidate(
                source.question.replace("{text}", material.text),
                choices,
                answer,
                material.slice,
                material.label,
                "as_written",
                material.text,
                material.id,
                material.content_hash,
                "labelled",
                VERSION,
                request.seed,
                source.passage,
                wrong=wrong[0] if wrong and request.form == "text" else "",
            )
        )
    return Generated(tuple(candidates))


GENERATOR = Generator(VERSION, generate)
