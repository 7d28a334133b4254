"""Node evaluators: callables with azure-ai-evaluation's protocol, named inputs in, a dict of metrics out.

A built-in evaluator is a module of this package that exposes ``make``, which takes the binding's settings and returns
the callable.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.evaluators._anchors import (
        Anchor,
        Attack,
        anchor_lengths,
        anchors_id,
        attacks_for,
        attacks_on,
        known_grades,
        load_attacks,
        trial_text,
    )
    from driftgate.flows.evaluators._asking import capabilities_of
    from driftgate.flows.evaluators._binding import (
        EVALUATORS,
        Binding,
        EvaluatedLine,
        Evaluators,
        load_evaluators,
    )
    from driftgate.flows.evaluators._context import EvaluatorContext
    from driftgate.flows.evaluators._criteria import language_of
    from driftgate.flows.evaluators._evaluation import Evaluation
    from driftgate.flows.evaluators._judge import find_judge
    from driftgate.flows.evaluators._judged import COST, READ, REASKED, JudgedEvaluator, NoGrade
    from driftgate.flows.evaluators._pairwise import PairJudge
    from driftgate.flows.evaluators._production import PRODUCTION, TOLD_OF_CALLS, bind_to_calls
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "COST",
    "EVALUATORS",
    "PRODUCTION",
    "READ",
    "REASKED",
    "TOLD_OF_CALLS",
    "Anchor",
    "Attack",
    "Binding",
    "EvaluatedLine",
    "Evaluation",
    "EvaluatorContext",
    "Evaluators",
    "JudgedEvaluator",
    "NoGrade",
    "PairJudge",
    "anchor_lengths",
    "anchors_id",
    "attacks_for",
    "attacks_on",
    "bind_to_calls",
    "capabilities_of",
    "find_judge",
    "known_grades",
    "language_of",
    "load_attacks",
    "load_evaluators",
    "trial_text",
]
