"""What a binding gives its evaluator, held against what the evaluator takes.

An evaluator that runs on its own default for every sample grades something else than what was meant.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators._flow import FlowEvaluator
from driftgate.flows.evaluators._judged import JudgedEvaluator

_CONVERSATION = "conversation"
_TEXTS = ("str", "str | None")
_REMEDY = "name each under inputs; a literal will do"


def check_arguments(call: Callable[..., Any], evaluator: str, given: Collection[str], where: str) -> None:
    """Refuse a binding that gives what its evaluator does not take, or leaves out what it takes.

    What the evaluators that ship, or come as plugins, can do without is documented with them. Of anyone's function and
    of an evaluation flow every input is to be named.

    Raises
    ------
    DriftgateError
        The names do not fit.
    """
    if isinstance(call, FlowEvaluator):
        defaults = call.flow.input_defaults
        _check(call.flow.inputs, call.flow.inputs, defaults, given, f"{where}: the evaluation flow '{call.flow.name}'")
        return
    if isinstance(call, JudgedEvaluator):
        taken = () if _CONVERSATION in given else call.kind.inputs  # which some take in place of all else
        _check(None, taken, {}, given, f"{where}: the evaluator '{evaluator}'")
        return
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # a callable in C says nothing of its parameters
        return
    named = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    own = ":" in evaluator
    needed = [name for name, default in named.items() if own or default is inspect.Parameter.empty]
    known = None if any(p.kind is p.VAR_KEYWORD for p in parameters) else named
    defaults = {name: default for name, default in named.items() if default is not inspect.Parameter.empty}
    _check(known, needed, defaults, given, f"{where}: the evaluator '{evaluator}'")


def text_inputs(call: Callable[..., Any]) -> frozenset[str]:
    """The inputs of an evaluator that ships that are texts, or None where there is none."""
    if not str(getattr(getattr(call, "func", call), "__module__", "")).startswith(__package__):
        return frozenset()
    parameters = inspect.signature(call).parameters.values()
    return frozenset(p.name for p in parameters if p.annotation in _TEXTS)


def check_texts(names: Collection[str], given: Mapping[str, Any]) -> None:
    """Refuse what is no text where one is read: an empty list would pass for an empty reply, and so for a good one.

    Raises
    ------
    TypeError
        One of ``names`` is given something else.
    """
    for name in names:
        value = given.get(name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} is of type {type(value).__name__}, expected a text; bind the part that is one")


def _check(
    known: Collection[str] | None,
    needed: Collection[str],
    defaults: Mapping[str, Any],
    given: Collection[str],
    who: str,
) -> None:
    unknown = [name for name in given if known is not None and name not in known]
    if unknown and known is not None:
        raise DriftgateError(f"{who} takes no '{unknown[0]}'", nearest(unknown[0], known))
    for name in needed:
        if name in given:
            continue
        would = f" and would run on its default {defaults[name]!r} for every sample" if name in defaults else ""
        raise DriftgateError(f"{who} takes '{name}', which its binding does not give{would}", _REMEDY)
