"""Were the right tools called, with the right arguments, in order, and as the tools allow?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from driftgate.flows import tool_calls as package
from driftgate.flows.errors import DriftgateError
from driftgate.flows.tool_calls import KINDS, Judgement, judge_calls, read_calls, read_expectation, read_tools
from driftgate.flows.tool_calls._expected import Order
from driftgate.flows.wording import rules_id

_MOST_SAID = 1900


@dataclass(frozen=True)
class ToolCalls:
    """The evaluator; see :func:`make`."""

    order: Order = "exact"
    extra: bool = False
    repeatable: tuple[str, ...] = ()

    @cached_property
    def list_id(self) -> str:
        """Hash of the rules by which calls are read and compared."""
        files = sorted(Path(package.__file__ or "").parent.glob("*.py"))
        return hashlib.sha256(b"\n".join([rules_id().encode(), *(f.read_bytes() for f in files)])).hexdigest()[:12]

    def __call__(self, *, calls: Any, expected: Any = ..., tools: Any = None) -> dict[str, float | str]:
        """Judge the calls of one sample."""
        from driftgate.flows.tool_calls._spans import definitions_in

        known = read_tools(tools if tools is not None else definitions_in(calls))
        if expected is ... and known is None:
            raise DriftgateError("tool_calls is given neither expected nor tools", "give one of them under inputs")
        wanted = None if expected is ... else read_expectation(expected, self.order, self.extra)
        return _metrics(judge_calls(read_calls(calls), wanted, known, self.repeatable))

    def unfit(self, name: str, value: Any) -> str:
        """Why a sample's expected calls or tools cannot be used; empty where they can."""
        try:
            if name == "expected":
                read_expectation(value, self.order, self.extra)
            elif name == "tools":
                read_tools(value)
        except DriftgateError as problem:
            return problem.message
        return ""


def make(order: Order = "exact", extra: bool = False, repeatable: Sequence[str] = ()) -> ToolCalls:
    """Make the evaluator, which takes ``calls`` and ``expected``, ``tools`` or both.

    Parameters
    ----------
    order : {"exact", "any"}
        Whether the wanted calls must come in their order; a sample's ``expected`` may say otherwise.
    extra : bool
        Whether calls that nobody wanted may be made; a sample's ``expected`` may say otherwise.
    repeatable : sequence of str
        Tools that may be called again alike, as one that asks whether something is ready.

    Notes
    -----
    ``calls`` are those of ``${line.tool_calls}``, a node's output, or a trace in the dataset; see
    :func:`driftgate.flows.tool_calls.read_calls` for their forms, :func:`~driftgate.flows.tool_calls.read_expectation`
    for ``expected`` and :func:`~driftgate.flows.tool_calls.fits` for the matchers of arguments. Returns ``correct``
    (nothing is wrong), ``calls``, ``findings``, and as far as they are defined ``name``, ``arguments``, ``order`` and
    ``adherence``, each a share; ``kinds`` and ``found`` say what is wrong.

    Examples
    --------
    >>> check = make()
    >>> made = [{"function": {"name": "refund", "arguments": '{"order": "A-17", "amount": "25,000원"}'}}]
    >>> wanted = [{"name": "refund", "arguments": {"order": "A-17", "amount": "2만 5천 원"}}]
    >>> check(calls=made, expected=wanted)["correct"]
    1.0
    >>> check(calls=[*made, *made], expected=wanted)["kinds"]
    'repeated_call'
    """
    if order not in ("exact", "any"):
        raise ValueError(f"order is '{order}', expected exact or any")
    return ToolCalls(order, extra, tuple(repeatable))


def _metrics(judged: Judgement) -> dict[str, float | str]:
    shares: Mapping[str, float | None] = {
        "name": judged.name,
        "arguments": judged.arguments,
        "order": judged.order,
        "adherence": judged.adherence,
    }
    return {
        "correct": float(judged.correct),
        "calls": float(judged.calls),
        "findings": float(len(judged.findings)),
        **{name: value for name, value in shares.items() if value is not None},
        "kinds": ", ".join(kind for kind in KINDS if any(one.kind == kind for one in judged.findings)),
        "found": "; ".join(map(str, judged.findings))[:_MOST_SAID],
    }
