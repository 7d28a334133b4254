"""Personas from a schema: combinations of declared values that cover as many pairs of values as they can.

Most faults of a combination show in two of its values (Kuhn et al. 2004, Software fault interactions), so pairs and not
whole combinations are what a few personas are to cover; chosen greedily, as AETG does (Cohen et al. 1997).
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftgate.finetune._jamo import jamo
from driftgate.finetune.synthesis._asking import Asker, Reject
from driftgate.finetune.synthesis._config import Persona, PersonaSchema
from driftgate.finetune.synthesis._sending import all_of
from driftgate.flows.models import Message, Model

_WHOLE, _TRIED = 2_000, 60
_SAME = 0.8
"""Likeness of two descriptions from which one of them is dropped: Jaccard over jamo 3-grams."""


class WrittenPersona(BaseModel):
    """What a model answers with that writes a persona out."""

    model_config = ConfigDict(extra="ignore")

    describe: str = Field(min_length=1)
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True, slots=True)
class PersonaFigures:
    """How different personas are."""

    personas: int
    dropped: int
    """Made and like another one."""
    pairs: float
    """Part of all pairs of values that stand in one of them, from 0 to 1; 1 without a second dimension."""
    likeness: float
    """Mean likeness of a description to the nearest other one, from 0 to 1."""


def personas_of(schema: PersonaSchema, seed: int) -> list[Persona]:
    """Personas of a schema, the same for the same seed.

    Examples
    --------
    >>> schema = PersonaSchema(dimensions={"age": ["20s", "60s"], "tone": ["polite", "urgent"]}, count=3)
    >>> [persona.name for persona in personas_of(schema, 0)]
    ['60s/polite', '20s/polite', '20s/urgent']
    """
    names, values = list(schema.dimensions), list(schema.dimensions.values())
    chance = random.Random(seed)
    few = math.prod(map(len, values)) <= _WHOLE
    open_ones = list(product(*values)) if few else []
    chance.shuffle(open_ones)
    wanted = min(schema.count, math.prod(map(len, values)))
    taken: list[tuple[str, ...]] = []
    covered: set[tuple[int, str, int, str]] = set()
    while len(taken) < wanted:
        offered = open_ones if few else [tuple(chance.choice(own) for own in values) for _ in range(_TRIED)]
        fresh = [one for one in offered if one not in taken]
        if fresh:
            best = max(fresh, key=lambda one: len(_pairs(one) - covered))  # the first of equals
            taken.append(best)
            covered |= _pairs(best)
    return [
        Persona(
            name="/".join(one), describe="; ".join(f"{name}: {value}" for name, value in zip(names, one, strict=True))
        )
        for one in taken
    ]


async def written_out(personas: Sequence[Persona], model: Model, asker: Asker) -> tuple[list[Persona], list[Reject]]:
    """Personas as a model writes them out: who it is in a sentence or two, and how it begins and ends a message.

    One that is like an earlier one, or no JSON, is left out and told.
    """
    replies = await all_of(asker.ask(model, _ask(persona)) for persona in personas)
    kept: list[Persona] = []
    rejects: list[Reject] = []
    for persona, reply in zip(personas, replies, strict=True):
        if isinstance(reply, Reject):
            rejects.append(reply)
            continue
        try:
            value, _ = json.JSONDecoder().raw_decode(reply[max(reply.find("{"), 0) :])
            written = WrittenPersona.model_validate(value)
        except (ValidationError, ValueError, RecursionError):
            rejects.append(Reject("reply", "broken_json", f"persona '{persona.name}': the reply is no JSON", reply))
            continue
        if any(_like(written.describe, other.describe) >= _SAME for other in kept):
            rejects.append(
                Reject("near_duplicate", "near_duplicate", f"persona '{persona.name}' is like another", reply)
            )
            continue
        openings, closings = (written.opening and f"{written.opening} ",), (written.closing and f" {written.closing}",)
        kept.append(Persona(name=persona.name, describe=written.describe, openings=openings, closings=closings))
    return kept, rejects


def persona_figures(personas: Sequence[Persona], schema: PersonaSchema | None, dropped: int = 0) -> PersonaFigures:
    """Figures of personas; those of a schema are known by their names."""
    texts = [persona.describe or persona.name for persona in personas]
    nearest = [
        max((_like(one, other) for m, other in enumerate(texts) if m != n), default=0.0) for n, one in enumerate(texts)
    ]
    part = 1.0
    if schema is not None and len(schema.dimensions) > 1:
        whole = sum(len(one) * len(other) for one, other in combinations(schema.dimensions.values(), 2))
        made = {tuple(persona.name.split("/")) for persona in personas}
        part = len(set().union(*map(_pairs, made))) / whole if made else 0.0
    return PersonaFigures(len(personas), dropped, round(part, 4), round(sum(nearest) / max(len(nearest), 1), 4))


def _pairs(one: Iterable[str]) -> set[tuple[int, str, int, str]]:
    placed = list(enumerate(one))
    return {(*first, *second) for first, second in combinations(placed, 2)}


def _like(one: str, other: str) -> float:
    ours, theirs = ({text[n : n + 3] for n in range(max(len(text) - 2, 1))} for text in (jamo(one), jamo(other)))
    return len(ours & theirs) / len(ours | theirs)


def _ask(persona: Persona) -> list[Message]:
    shape = '{"describe": "...", "opening": "...", "closing": "..."}'
    task = (
        "다음 특징을 지닌 고객이 어떻게 글을 쓰는지 한두 문장으로 describe에 쓰시오. opening에는 그가 문의를 여는 말, "
        f"closing에는 맺는 말을 쓰시오. 실제 사람의 이름은 쓰지 마시오. JSON으로만 답하시오: {shape}"
    )
    return [Message("system", task), Message("user", persona.describe or persona.name)]
