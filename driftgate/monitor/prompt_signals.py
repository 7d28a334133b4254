"""The signals of a look at prompts, and what each compares of two sides of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from driftgate.monitor._exchange import Term, alike, less_agreement, more_entropy, more_flips, rarefied
from driftgate.monitor.otherwise import PARAPHRASE
from driftgate.monitor.perturbations import PERTURBATIONS
from driftgate.monitor.signals import Signal


@dataclass(frozen=True)
class Measure:
    """What is compared of two sides, and how."""

    signal: Signal
    term: Term
    before: Term
    """The reference's level."""
    fewest: int
    """Current answers that a question needs."""
    alone: bool = False
    """Whether the current side is judged by itself, and not across the sides."""


def _signal(name: str, title: str, bad: Literal["lower", "higher"], floor: float) -> Signal:
    """A signal of answers to the same questions, which are paired as canaries are."""
    return Signal(name, title, "share", bad, "paired_binary", floor, ("key", "answer"), lambda frame: frame["correct"])


def _differs(a: int, b: int, n: int, m: int) -> float:
    return a / n - alike(a, n)


AGREEMENT = Measure(
    _signal("repeat_agreement", "agreement of answers to the same prompt", "lower", 0.05),
    less_agreement,
    lambda a, b, n, m: alike(a, n),
    2,
    alone=True,
)
ENTROPY = Measure(
    _signal("semantic_entropy", "entropy over meanings of answers to the same prompt", "higher", 0.05),
    more_entropy,
    lambda a, b, n, m: rarefied(a, n, m),
    2,
    alone=True,
)
CHURN = Measure(
    _signal("answer_churn", "share of answers that differ from the reference's", "higher", 0.1), more_flips, _differs, 1
)
ACCURACY = _signal("prompt_accuracy", "accuracy of answers to the same prompts", "lower", 0.05)
TEMPLATE_CHURN = Measure(
    # A new version of a prompt is to change answers; only that they got worse is an alert.
    _signal("template_churn", "share of answers that differ from those to the prompt before", "higher", 1.0),
    more_flips,
    _differs,
    1,
)
TEMPLATE_ACCURACY = _signal("template_accuracy", "accuracy in this version of the prompt", "lower", 0.05)


def sensitivity(form: str) -> Measure:
    """The measure of what a form of the questions does to the answers.

    Examples
    --------
    >>> sensitivity("option_order").signal.title
    'share of answers that change with order of the choices'
    """
    what = "the words of the question" if form == PARAPHRASE else PERTURBATIONS.get(form).title
    signal = _signal(f"sensitivity_{form}", f"share of answers that change with {what}", "higher", 0.1)
    return Measure(signal, more_flips, _differs, 1)


def prompt_signals() -> dict[str, Signal]:
    """Every signal of a look at prompts, by name."""
    of_time = [AGREEMENT.signal, ENTROPY.signal, CHURN.signal, ACCURACY]
    of_forms = [sensitivity(form).signal for form in (*PERTURBATIONS.names(), PARAPHRASE)]
    return {one.name: one for one in (*of_time, TEMPLATE_CHURN.signal, TEMPLATE_ACCURACY, *of_forms)}
