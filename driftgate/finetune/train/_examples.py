"""Training items as tokens, in the form in which the model is served, and their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from driftgate.finetune.train._items import TrainingItem
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import parse_chat
from driftgate.flows.models.local import as_document


@dataclass(frozen=True, slots=True)
class Example:
    """A training item as token ids."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    weight: float


def served_text(prompt: str, prompt_format: Literal["document", "chat"], tokenizer: Any) -> str:
    """The text a served model continues: what the ``local`` provider sends for this prompt."""
    messages = parse_chat(prompt)
    if prompt_format == "document":
        return as_document(messages)
    turns = [{"role": message.role, "content": message.content} for message in messages]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def as_example(
    item: TrainingItem,
    tokenizer: Any,
    prompt_format: Literal["document", "chat"],
    longest: int,
    end_of_text: bool = False,
    answer: str | None = None,
) -> Example:
    """Turn an item into tokens, with its target or, where that is given, another answer.

    Raises
    ------
    DriftgateError
        It has more than ``longest`` tokens: a prompt that is cut is another prompt.
    """
    chat = prompt_format == "chat"  # the template writes the special tokens itself
    text = served_text(item.prompt, prompt_format, tokenizer)
    said = item.target if answer is None else answer
    prompt = tokenizer(text, add_special_tokens=not chat).input_ids
    whole = tokenizer(text + ("" if chat else " ") + said, add_special_tokens=not chat).input_ids
    if whole[: len(prompt)] != prompt:
        # The tokenizer merged the seam, which cannot happen when the prompt arrives alone.
        whole = prompt + tokenizer(said, add_special_tokens=False).input_ids
    if end_of_text:
        whole = [*whole, tokenizer.eos_token_id]
    if len(whole) > longest:
        raise DriftgateError(
            f"training item '{item.id or item.prompt[:40]}' has {len(whole)} tokens, the recipe allows {longest}",
            "raise 'longest' in the recipe, or leave the item out",
        )
    return Example(tuple(prompt), tuple(whole[len(prompt) :]), item.weight)


def batch_at(step: int, batch: int, count: int, seed: int) -> list[int]:
    """Positions of the items of a step, counted from 0: one shuffled pass after the other.

    They follow from the step and the seed alone, so that a run that is taken up again sees what it would have seen.

    Examples
    --------
    >>> sorted(batch_at(0, 3, 6, seed=7) + batch_at(1, 3, 6, seed=7))
    [0, 1, 2, 3, 4, 5]
    """
    import numpy as np

    chosen = []
    for place in range(step * batch, (step + 1) * batch):
        order = np.random.default_rng([seed, place // count]).permutation(count)
        chosen.append(int(order[place % count]))
    return chosen
