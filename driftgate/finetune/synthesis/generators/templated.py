"""Phrasings of the task with their slots filled, as different people would write them."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from driftgate.finetune.synthesis._choices import posed
from driftgate.finetune.synthesis._config import Persona, TemplatesSource
from driftgate.finetune.synthesis._materials import label_names
from driftgate.finetune.synthesis._values import Candidate, Generated, Generator, Material, Request
from driftgate.flows.errors import DriftgateError, nearest

VERSION = "1"
_SLOT = re.compile(r"\{(\w+)\}")
_TRIES = 20


def generate(request: Request) -> Generated:
    """Labels and personas in turn; each time a phrasing, its slots and the persona's words are drawn.

    Raises
    ------
    DriftgateError
        A phrasing names a slot that has no values.
    """
    source = request.source
    if not isinstance(source, TemplatesSource):
        raise DriftgateError(f"the generator 'templated' cannot use {source.kind}", "give it templates")
    labels = label_names(source, list(request.materials))
    by_label: dict[str, list[Material]] = {}
    for material in request.materials:
        by_label.setdefault(material.label, []).append(material)
    chance = random.Random(request.seed)
    queues = {
        (label, persona.name): _Queue(by_label[label], chance) for label in by_label for persona in request.personas
    }
    seen: set[str] = set()
    candidates: list[Candidate] = []
    misses = 0
    while len(candidates) < request.count and misses < _TRIES:
        before = len(candidates)
        for label in by_label:
            for persona in request.personas:
                material = queues[label, persona.name].next()
                text = _say(material.text, source.slots, persona, chance)
                if text in seen or len(candidates) == request.count:
                    continue
                seen.add(text)
                wrong = [other for other in labels if other != label]
                choices, answer = posed(request.form, label, wrong, chance)
                candidates.append(
                    Candidate(
                        source.question.replace("{text}", text),
                        choices,
                        answer,
                        material.slice,
                        label,
                        persona.name,
                        text,
                        material.id,
                        material.content_hash,
                        "templated",
                        VERSION,
                        request.seed,
                        source.passage,
                        wrong=wrong[0] if wrong and request.form == "text" else "",
                    )
                )
        misses = misses + 1 if len(candidates) == before else 0
    return Generated(tuple(candidates))


class _Queue:
    """Phrasings in random order, each once before any comes again."""

    def __init__(self, materials: Sequence[Material], chance: random.Random) -> None:
        self._materials, self._chance = materials, chance
        self._left: list[Material] = []

    def next(self) -> Material:
        if not self._left:
            self._left = self._chance.sample(self._materials, len(self._materials))
        return self._left.pop()


def _say(phrasing: str, slots: Mapping[str, Sequence[str]], persona: Persona, chance: random.Random) -> str:
    def value(slot: re.Match[str]) -> str:
        name = slot.group(1)
        if not slots.get(name):
            raise DriftgateError(f"the phrasing '{phrasing}' has a slot '{name}' without values", nearest(name, slots))
        return chance.choice(slots[name])

    return chance.choice(persona.openings) + _SLOT.sub(value, phrasing) + chance.choice(persona.closings)


GENERATOR = Generator(VERSION, generate)
