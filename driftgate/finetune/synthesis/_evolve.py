"""Evolve prompts: a model makes harder, narrower or neighbouring ones of seeds (Evol-Instruct, arXiv:2304.12244)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from driftgate.finetune._jamo import jamo, plain
from driftgate.finetune.firewall import Firewall
from driftgate.finetune.privacy import redact
from driftgate.finetune.synthesis._asking import Asker, Reject, refuses
from driftgate.finetune.synthesis._sending import all_of
from driftgate.finetune.synthesis._values import Material
from driftgate.flows.models import Message, Model

OPERATORS = MappingProxyType(
    {
        "constrain": "조건이나 제약을 하나 더하여 더 까다롭게",
        "deepen": "더 깊이 따져 묻게",
        "concrete": "넓은 말을 구체적인 상황으로 바꾸어",
        "reason": "여러 단계를 거쳐야 답할 수 있게",
        "neighbour": "같은 분야의 다른 주제를 묻는 새로운 질문으로",
    }
)
"""Ways to evolve a prompt; the last is in breadth, the others in depth."""
_SAME, _LONGEST = 0.85, 4_000


@dataclass(frozen=True, slots=True)
class Evolved:
    """A prompt that was made of another one."""

    prompt: str
    slice: str
    parent: str
    """Id of the seed that it descends from."""
    operator: str
    """What was done last; see :data:`OPERATORS`."""
    round: int
    """How often, from 1."""


async def evolve(
    seeds: Sequence[Material], model: Model, asker: Asker, firewall: Firewall, *, rounds: int, seed: int
) -> tuple[list[Evolved], list[Reject]]:
    """Evolve each seed round by round; what is rejected, its parent stands for in the next round.

    Raises
    ------
    ModelError
        The model is misconfigured or unavailable.
    """
    chance = random.Random(seed)
    now = [(material, material.text) for material in seeds]
    known = {_form(text): _grams(text) for _, text in now}
    made: list[Evolved] = []
    rejects: list[Reject] = []
    for number in range(1, rounds + 1):
        operators = [chance.choice(list(OPERATORS)) for _ in now]
        asked = [_ask(text, operator) for (_, text), operator in zip(now, operators, strict=True)]
        replies = await all_of(asker.ask(model, messages) for messages in asked)
        refused = firewall.refuse([reply if isinstance(reply, str) else "" for reply in replies]).places
        for place, (reply, operator) in enumerate(zip(replies, operators, strict=True)):
            material = now[place][0]
            fault = reply if isinstance(reply, Reject) else _fault(reply.strip(), place in refused, known)
            if isinstance(fault, Reject):
                rejects.append(replace(fault, source=material.id))
                continue
            text = str(reply).strip()
            known[_form(text)] = _grams(text)
            made.append(Evolved(text, material.slice, material.id, operator, number))
            now[place] = (material, text)
    return made, rejects


def _fault(text: str, measured: bool, known: dict[str, frozenset[str]]) -> Reject | None:
    if measured:
        return Reject("firewall", "firewall", "it repeats what is measured with")
    if redact(text).findings:
        return Reject("privacy", "privacy", "there is personal data in it")
    if refuses(text) and not text.endswith("?"):
        return Reject("reply", "refusal", "the model declines", text)
    if len(text) > _LONGEST:
        return Reject("reply", "off_task", f"it has more than {_LONGEST} characters", text)
    grams = _grams(text)
    if _form(text) in known or any(_jaccard(grams, other) >= _SAME for other in known.values()):
        return Reject("near_duplicate", "near_duplicate", "it is a seed, or an evolved prompt, again", text)
    return None


def _form(text: str) -> str:
    return plain(text) or text.strip()


def _grams(text: str) -> frozenset[str]:
    letters = jamo(text)
    return frozenset(letters[n : n + 3] for n in range(max(len(letters) - 2, 1)))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _ask(text: str, operator: str) -> list[Message]:
    task = f"다음 질문을 {OPERATORS[operator]} 다시 쓰시오. 질문만 쓰고, 답이나 설명은 쓰지 마시오."
    return [Message("system", task), Message("user", text)]
