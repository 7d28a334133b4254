"""Node evaluators: callables with azure-ai-evaluation's protocol, named inputs in, a dict of metrics out.

A built-in evaluator is a module of this package that exposes ``make``, which takes the binding's settings and returns
the callable.
"""

from flows.evaluators._binding import EVALUATORS, Binding, Evaluation, Evaluators, load_evaluators

__all__ = ["EVALUATORS", "Binding", "Evaluation", "Evaluators", "load_evaluators"]
