"""Evaluators bound to calls of production: to what was asked and what was answered, and not to the nodes of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driftgate.flows import mapping
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators._anchors import anchors_file, load_anchors
from driftgate.flows.evaluators._arguments import check_arguments
from driftgate.flows.evaluators._binding import Binding, Evaluators, _make, _own_hash
from driftgate.flows.evaluators._config import BindingConfig
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.own_code import own_code

PRODUCTION = "production"
"""In the place of a node."""
TOLD_OF_CALLS = ("query", "response", "slice", "request_model", "response_model", "finish_reason")
"""What an evaluator may take of a call, as ``${data.query}``."""


def bind_to_calls(by_name: Mapping[str, BindingConfig], context: EvaluatorContext, where: str) -> Evaluators:
    """Make evaluators of calls.

    Parameters
    ----------
    where : str
        Where they stand, for messages.

    Raises
    ------
    DriftgateError
        An evaluator cannot be made, or takes what no call tells.
    """
    code = own_code(context.folder)
    bindings = []
    for name, bound in by_name.items():
        place = f"{where}: {name}"
        inputs = {key: _parsed(value, place) for key, value in bound.inputs.items()}
        call = _make(bound, place, context, code)
        check_arguments(call, bound.evaluator, inputs, place)
        bindings.append(Binding(PRODUCTION, name, call, inputs, _own_hash(bound, code)))
    made = Evaluators("", tuple(bindings))
    return replace(made, anchors=load_anchors(anchors_file(context.folder, None))) if made.judged else made


def _parsed(value: Any, where: str) -> Any:
    try:
        parsed = mapping.parse(value, frozenset({"data"}))
    except DriftgateError as problem:
        raise DriftgateError(f"{where}: {problem.message}", problem.remedy) from problem
    if isinstance(parsed, mapping.Reference) and (not parsed.path or parsed.path[0] not in TOLD_OF_CALLS):
        raise DriftgateError(f"{where}: {value} is nothing that a call tells", nearest(str(value), TOLD_OF_CALLS))
    return parsed
