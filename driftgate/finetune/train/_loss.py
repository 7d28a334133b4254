"""What is made small: the loss of the answers' tokens, and the loss of preferences between answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.finetune.train._examples import Example


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt."""

    better: Example
    worse: Example


def answer_logits(model: Any, examples: Sequence[Example], row_length: int = 0) -> tuple[Any, Any, Any]:
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
    row_length : int
        Above 0: the examples are laid one behind the other into rows of at most so many tokens, and do not see one
        another, as their positions begin anew.

    Returns
    -------
    logits : tensor, shape (answer tokens, vocabulary), float32
    targets : tensor, shape (answer tokens,), int64
    rows : tensor, shape (answer tokens,), int64
        Which example each belongs to.
    """
    import torch

    device = model.lm_head.weight.device
    hidden, starts = _packed(model, examples, row_length) if row_length else _padded(model, examples)
    places = [
        (*starts[number], offset, number, token)
        for number, example in enumerate(examples)
        for offset, token in enumerate(example.answer)
    ]
    rows, firsts, offsets, numbers, targets = (torch.tensor(part, device=device) for part in zip(*places, strict=True))
    logits = model.lm_head(hidden[rows, firsts + offsets]).float()
    if cap := getattr(model.config, "final_logit_softcapping", None):  # as Gemma 2 does after its head
        logits = cap * torch.tanh(logits / cap)
    return logits, targets, numbers


def _padded(model: Any, examples: Sequence[Example]) -> tuple[Any, list[tuple[int, int]]]:
    """Hidden states, a row an example, and where in its row each answer is predicted from."""
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
    return hidden, [(number, len(example.prompt) - shared - 1) for number, example in enumerate(examples)]


def _packed(model: Any, examples: Sequence[Example], row_length: int) -> tuple[Any, list[tuple[int, int]]]:
    """The same with several examples a row, told apart by their positions."""
    import torch

    device = model.lm_head.weight.device
    rows: list[list[int]] = []
    positions: list[list[int]] = []
    starts = []
    for example in examples:
        text = [*example.prompt, *example.answer[:-1]]
        if not rows or len(rows[-1]) + len(text) > row_length:
            rows.append([])
            positions.append([])
        starts.append((len(rows) - 1, len(rows[-1]) + len(example.prompt) - 1))
        rows[-1] += text
        positions[-1] += range(len(text))
    width = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    # Padding is one more text of its own: its positions begin at 0 too.
    places = torch.tensor([row + list(range(width - len(row))) for row in positions], device=device)
    return model.model(input_ids=tokens, position_ids=places, use_cache=False).last_hidden_state, starts


def answer_loss(model: Any, examples: Sequence[Example], row_length: int = 0) -> tuple[Any, Any]:
    """Summed cross-entropy of the answer tokens in nats, weighted by the items' weights, and the sum of the weights.

    A step's loss is the one over the other, summed over its batches: the same however the step is cut into them.
    """
    import torch

    logits, targets, rows = answer_logits(model, examples, row_length)
    weights = torch.tensor([example.weight for example in examples], device=logits.device)[rows]
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weights).sum(), weights.sum()


def answer_logprobs(model: Any, examples: Sequence[Example]) -> Any:
    """Log-probability of each example's whole answer, in nats."""
    import torch

    logits, targets, rows = answer_logits(model, examples)
    each = -torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return torch.zeros(len(examples), device=each.device).index_add(0, rows, each)


def preference_loss(model: Any, pairs: Sequence[Pair], reference: Any, beta: float) -> tuple[Any, Any]:
    """Summed loss of direct preference optimisation, weighted by the items' weights, and the sum of the weights.

    Source: Rafailov et al. 2023, arXiv:2305.18290, equation 7: -log sigmoid(beta (margin - reference margin)).

    Parameters
    ----------
    reference : tensor, shape (pairs,)
        By how much the model preferred the better answer when training began, in nats; see :func:`margins`.
    """
    import torch

    weights = torch.tensor([pair.better.weight for pair in pairs], device=reference.device)
    losses = -torch.nn.functional.logsigmoid(beta * (margins(model, pairs) - reference))
    return (losses * weights).sum(), weights.sum()


def margins(model: Any, pairs: Sequence[Pair]) -> Any:
    """By how much the model prefers the better answer of each pair: a difference of log-probabilities, in nats."""
    asked = [example for pair in pairs for example in (pair.better, pair.worse)]
    each = answer_logprobs(model, asked).reshape(-1, 2)
    return each[:, 0] - each[:, 1]


def measure(model: Any, examples: Sequence[Example], batch: int, row_length: int = 0) -> tuple[float, float]:
    """Loss, and the share of examples whose every answer token is the likeliest.

    Returns
    -------
    tuple of float
        Mean cross-entropy in nats a token, and accuracy from 0 to 1.
    """
    import torch

    total, tokens, right = 0.0, 0, 0
    with torch.no_grad():
        for some in chunks(examples, batch):
            logits, targets, rows = answer_logits(model, some, row_length)
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            tokens += len(targets)
            wrong = {int(row) for row in rows[logits.argmax(-1) != targets]}
            right += len(some) - len(wrong)
    return total / tokens, right / len(examples)


def measure_preferences(
    model: Any, pairs: Sequence[Pair], reference: Any, beta: float, batch: int
) -> tuple[float, float]:
    """Mean loss of the pairs, and the share whose better answer is preferred more than when training began."""
    import torch

    with torch.no_grad():
        now = torch.cat([margins(model, some) for some in chunks(pairs, batch)])
    gained = now - reference
    loss = -torch.nn.functional.logsigmoid(beta * gained)
    return float(loss.mean()), float((gained > 0).float().mean())


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Cut a sequence into parts of a size; the last may be shorter."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _common_start(rows: Sequence[Sequence[int]]) -> int:
    """How many leading elements all rows have in common.

    Examples
    --------
    >>> _common_start([(1, 2, 3), (1, 2, 4, 5)])
    2
    """
    return next((n for n, column in enumerate(zip(*rows, strict=False)) if len(set(column)) > 1), min(map(len, rows)))
