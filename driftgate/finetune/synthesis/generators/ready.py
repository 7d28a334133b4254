"""Ready questions, slices in turn, as they stand."""

from __future__ import annotations

import random

from driftgate.finetune.synthesis._choices import take_turns
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Request
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS

VERSION = "1"


def generate(request: Request) -> Generated:
    """Questions in random order within their slice; choices keep their order."""
    if request.source.kind != "questions":
        raise DriftgateError(f"the generator 'ready' cannot use {request.source.kind}", "give it questions")
    chance = random.Random(request.seed)
    slices: dict[str, list[int]] = {}
    for place, material in enumerate(request.materials):
        slices.setdefault(material.slice, []).append(place)
    for own in slices.values():
        chance.shuffle(own)
    chosen = take_turns([slices[name] for name in sorted(slices)], request.count)
    return Generated(
        tuple(
            Candidate(
                material.text,
                material.choices,
                LETTERS[material.choices.index(material.label)] if material.choices else material.label,
                material.slice,
                material.label,
                "as_written",
                material.text,
                material.id,
                material.content_hash,
                "ready",
                VERSION,
                request.seed,
                material.passage,
                material.turns,
            )
            for material in (request.materials[place] for place in chosen)
        )
    )


GENERATOR = Generator(VERSION, generate)
