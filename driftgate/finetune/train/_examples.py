"""Training items as tokens, in the form in which the model is served, and their loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
) -> Example:
    """Turn an item into tokens.

    Raises
    ------
    DriftgateError
        It has more than ``longest`` tokens: a prompt that is cut is another prompt.
    """
    chat = prompt_format == "chat"  # the template writes the special tokens itself
    text = served_text(item.prompt, prompt_format, tokenizer)
    prompt = tokenizer(text, add_special_tokens=not chat).input_ids
    whole = tokenizer(text + ("" if chat else " ") + item.target, add_special_tokens=not chat).input_ids
    if whole[: len(prompt)] != prompt:
        # The tokenizer merged the seam, which cannot happen when the prompt arrives alone.
        whole = prompt + tokenizer(item.target, add_special_tokens=False).input_ids
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


def answer_logits(model: Any, examples: Sequence[Example]) -> tuple[Any, Any, Any]:
    """Logits at the positions that predict answer tokens.

    What all prompts of the batch begin with goes through the model once and is shared through its key-value cache:
    gradients are the same, and a policy or instruction before every question costs next to nothing. Only hidden
    states that predict an answer token reach the output head, as one 2-D matrix: a 3-D product in bfloat16 copies
    the whole head.

    Parameters
    ----------
    model : transformers model for causal language modelling
        With a ``model`` that gives hidden states and an ``lm_head``.
    examples : sequence of Example
        At least one.

    Returns
    -------
    logits : tensor, shape (answer tokens, vocabulary), float32
    targets : tensor, shape (answer tokens,), int64
    rows : tensor, shape (answer tokens,), int64
        Which example each belongs to.
    """
    import torch

    device = model.lm_head.weight.device
    shared = min(_common_start([example.prompt for example in examples]), *(len(e.prompt) - 1 for e in examples))
    past = None
    if shared > 0 and len(examples) > 1:
        start = torch.tensor([examples[0].prompt[:shared]], device=device)
        past = model.model(input_ids=start, use_cache=True).past_key_values
        past.batch_repeat_interleave(len(examples))
    else:
        shared = 0
    rest = [[*example.prompt[shared:], *example.answer[:-1]] for example in examples]
    width = max(map(len, rest))
    # Padding stands after the text, where causal attention keeps it from being seen.
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rest], device=device)
    hidden = model.model(input_ids=tokens, past_key_values=past, use_cache=past is not None).last_hidden_state
    places = [
        (row, len(example.prompt) - shared - 1 + offset, token)
        for row, example in enumerate(examples)
        for offset, token in enumerate(example.answer)
    ]
    rows, columns, targets = (torch.tensor(part, device=device) for part in zip(*places, strict=True))
    return model.lm_head(hidden[rows, columns]).float(), targets, rows


def answer_loss(model: Any, examples: Sequence[Example]) -> Any:
    """Mean cross-entropy of the answer tokens in nats, weighted by the items' weights."""
    import torch

    logits, targets, rows = answer_logits(model, examples)
    weights = torch.tensor([example.weight for example in examples], device=logits.device)[rows]
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weights).sum() / weights.sum()


def measure(model: Any, examples: Sequence[Example], batch: int) -> tuple[float, float]:
    """Loss, and the share of examples whose every answer token is the likeliest.

    Returns
    -------
    tuple of float
        Mean cross-entropy in nats a token, and accuracy from 0 to 1.
    """
    import torch

    total, tokens, right = 0.0, 0, 0
    with torch.no_grad():
        for some in _chunks(examples, batch):
            logits, targets, rows = answer_logits(model, some)
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            tokens += len(targets)
            wrong = {int(row) for row in rows[logits.argmax(-1) != targets]}
            right += len(some) - len(wrong)
    return total / tokens, right / len(examples)


def _common_start(rows: Sequence[Sequence[int]]) -> int:
    """How many leading elements all rows have in common.

    Examples
    --------
    >>> _common_start([(1, 2, 3), (1, 2, 4, 5)])
    2
    """
    return next((n for n, column in enumerate(zip(*rows, strict=False)) if len(set(column)) > 1), min(map(len, rows)))


def _chunks(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]
