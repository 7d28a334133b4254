"""Training items in the forms that services and trainers take, split so that what is alike stays on one side."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from driftgate.finetune._jamo import plain
from driftgate.finetune.synthesis._values import Candidate
from driftgate.finetune.train import TrainingItem
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import parse_chat

FEWEST = 10
"""Lines that OpenAI's and Azure's services take at the least."""
Rendered = tuple[Candidate, TrainingItem]


def messages_of(item: TrainingItem) -> list[dict[str, str]]:
    """The turns of a training item's prompt, as OpenAI writes them.

    >>> messages_of(TrainingItem("# system:\\nBe short.\\n# user:\\n1+1?", "2"))
    [{'role': 'system', 'content': 'Be short.'}, {'role': 'user', 'content': '1+1?'}]
    """
    return [{"role": message.role, "content": message.content} for message in parse_chat(item.prompt)]


def _chat(candidate: Candidate, item: TrainingItem) -> dict[str, Any]:
    return {"messages": [*messages_of(item), {"role": "assistant", "content": item.target}]}


def _preference(candidate: Candidate, item: TrainingItem) -> dict[str, Any]:
    """Direct preference optimisation as OpenAI and Azure OpenAI take it; see :func:`worse_of`."""
    return {
        "input": {"messages": messages_of(item)},
        "preferred_output": [{"role": "assistant", "content": item.target}],
        "non_preferred_output": [{"role": "assistant", "content": worse_of(candidate, item)}],
    }


def _pairs(candidate: Candidate, item: TrainingItem) -> dict[str, Any]:
    """Conversational preference pairs as trl's DPO trainer takes them."""
    return {
        "prompt": messages_of(item),
        "chosen": [{"role": "assistant", "content": item.target}],
        "rejected": [{"role": "assistant", "content": worse_of(candidate, item)}],
    }


FORMATS: Mapping[str, Callable[[Candidate, TrainingItem], dict[str, Any]]] = MappingProxyType(
    {"openai": _chat, "azure_ml": _chat, "preference": _preference, "pairs": _pairs}
)
"""``openai``: chat JSON Lines of OpenAI, Azure OpenAI and Foundry; ``azure_ml``: chat completion of Azure ML's model
catalogue, the same without a byte order mark; ``preference``: DPO of OpenAI; ``pairs``: DPO of trl."""
_MARKED = frozenset({"openai", "preference"})  # Azure OpenAI asks for a byte order mark


def worse_of(candidate: Candidate, item: TrainingItem) -> str:
    """A reply that is worse than the target: the letter or words of a wrong choice, or the wrong answer of a text.

    Empty where none is known.
    """
    if not candidate.choices:
        return candidate.wrong if plain(candidate.wrong) != plain(item.target) else ""
    place = next(n for n, choice in enumerate(candidate.choices) if choice != candidate.right_choice)
    return "ABCDEFGHIJ"[place] if item.target == candidate.answer else candidate.choices[place]


def lines_of(rendered: Sequence[Rendered], form: str) -> bytes:
    """Items as JSON Lines of a form.

    Raises
    ------
    DriftgateError
        There is no such form, or an item has no worse answer and the form needs one.
    """
    write = FORMATS[form]
    if write is not _chat:
        lacking = [candidate for candidate, item in rendered if not worse_of(candidate, item)]
        if lacking:
            raise DriftgateError(
                f"{len(lacking)} of {len(rendered)} items have no worse answer to be preferred to",
                "use the form openai, or sources whose items have wrong answers",
            )
    text = "".join(json.dumps(write(*one), ensure_ascii=False) + "\n" for one in rendered)
    return text.encode("utf-8-sig" if form in _MARKED else "utf-8", "replace")


def split(rendered: Sequence[Rendered], share: float, seed: int) -> tuple[list[Rendered], list[Rendered]]:
    """Training and validation items: whole sources, so that what is alike is never on both sides.

    Items of one document belong together. Documents are drawn at random until the share is reached; where the first is
    larger than that, the smallest is held out. With a single document there is no validation. The order is kept.
    """
    groups: dict[str, list[int]] = {}
    for place, (candidate, _) in enumerate(rendered):
        groups.setdefault(candidate.source.partition("#")[0], []).append(place)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    wanted, held = round(share * len(rendered)), set[int]()
    for name in names:
        if len(held) + len(groups[name]) <= wanted:
            held |= set(groups[name])
    if wanted and not held and len(groups) > 1:
        held = set(groups[min(groups, key=lambda name: len(groups[name]))])
    train = [one for place, one in enumerate(rendered) if place not in held]
    return train, [one for place, one in enumerate(rendered) if place in held]
