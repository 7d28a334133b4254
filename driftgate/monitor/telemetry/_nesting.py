"""A call that two instrumentations tell of is one call.

Either one's span lies within the other's, or both name the same answer of the service at the same time.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import OF_CONTENT, OF_CONTEXT, STEPS, ModelCall

Key = tuple[str, str]
"""Trace and span."""

PASSED: Final = frozenset({Reason.ORDINARY, Reason.UNKNOWN, Reason.STEP, Reason.TOLD_TWICE})
"""Spans that may stand between the two: an HTTP request, a step of a chain. What an agent or a tool does within a call
is another call."""
PREFIX: Final = r"^.*/"
DATE: Final = r"-[0-9]{4}-?[0-9]{2}-?[0-9]{2}$"
_STEPS = 64
APART = 2.0
"""Seconds by which the clocks of two processes that tell of one call may differ."""


def model_key(name: str) -> str:
    """A model's name without the service in front of it and the date behind it.

    Examples
    --------
    >>> model_key("openai/gpt-4o"), model_key("gpt-4o-2024-08-06"), model_key("claude-x-20260101")
    ('gpt-4o', 'gpt-4o', 'claude-x')
    """
    return re.sub(DATE, "", re.sub(PREFIX, "", name.lower()))


def once_each(calls: Sequence[ModelCall], around: Mapping[Key, tuple[str, Reason]]) -> tuple[list[ModelCall], int]:
    """Leave out the calls around another call of the same model, and give what they tell to that one.

    Parameters
    ----------
    calls : sequence of ModelCall
        Received together.
    around : mapping
        Of the other spans received with them, the span around each and what it is.

    Returns
    -------
    tuple
        The calls that are one each, and how many were left out. ``parent_id`` names the agent or tool around a call,
        or a span that was not received with them.
    """
    twins = _twins(calls)
    if not twins and not any(call.parent_id for call in calls):
        return list(calls), 0
    by_key = {(call.trace_id, call.span_id): call for call in calls}
    above = {key: _above(call, by_key, around) for key, call in by_key.items()}
    above |= {key: (outer, above[key][1]) for key, outer in twins.items() if above[key][0] is None}
    inner: dict[Key, list[Key]] = defaultdict(list)
    for key, (outer, _) in above.items():
        if outer is not None and _same_model(by_key[key], by_key[outer]):
            inner[outer].append(key)
    kept = []
    for call in calls:
        key = (call.trace_id, call.span_id)
        if key not in inner:
            kept.append(_filled(call, key, by_key, above, inner))
    return kept, len(calls) - len(kept)


def _above(
    call: ModelCall, by_key: Mapping[Key, ModelCall], around: Mapping[Key, tuple[str, Reason]]
) -> tuple[Key | None, str]:
    """The call around a call; else the agent or tool around it, or the span that was not received with it."""
    parent = call.parent_id
    for _ in range(_STEPS):
        key = (call.trace_id, parent)
        if not parent or parent == call.span_id:
            return None, ""
        if key in by_key:
            return key, ""
        if key not in around:
            return None, parent
        outside, reason = around[key]
        if reason not in PASSED:
            return None, parent if reason.value in STEPS else ""
        parent = outside
    return None, ""


def _twins(calls: Sequence[ModelCall]) -> dict[Key, Key]:
    """The calls of which another dialect tells too, in a span that took longer, with that one."""
    if len({call.dialect for call in calls}) < 2:
        return {}
    answers: dict[str, list[ModelCall]] = defaultdict(list)
    for call in calls:
        if call.response_hash and call.latency is not None:
            answers[call.response_hash].append(call)
    found = {}
    for told in answers.values():
        if len(told) == len({call.dialect for call in told}) > 1:  # each in a dialect of its own
            told.sort(key=lambda call: (call.latency, call.dialect), reverse=True)
            for outer, inner in itertools.pairwise(told):
                if _at_once(outer, inner):
                    found[inner.trace_id, inner.span_id] = outer.trace_id, outer.span_id
    return found


def _at_once(outer: ModelCall, inner: ModelCall) -> bool:
    began = (inner.time - outer.time).total_seconds()
    tokens = {outer.output_tokens, inner.output_tokens} - {None}
    return -APART <= began <= (outer.latency or 0.0) + APART and len(tokens) < 2


def _filled(
    call: ModelCall,
    key: Key,
    by_key: Mapping[Key, ModelCall],
    above: Mapping[Key, tuple[Key | None, str]],
    inner: Mapping[Key, Sequence[Key]],
) -> ModelCall:
    """A call with what the calls around it tell and it does not; one that failed on its way out has failed."""
    changed: dict[str, Any] = {"parent_id": ""}
    place, only = key, True
    for _ in range(_STEPS):
        outer, outside = above[place]
        changed["parent_id"] = outside
        if outer is None or place not in inner.get(outer, ()):
            break
        only = only and len(inner[outer]) == 1
        _give(changed, call, by_key[outer], (*OF_CONTEXT, *OF_CONTENT, "error") if only else OF_CONTEXT)
        place = outer
    return replace(call, **changed) if changed != {"parent_id": call.parent_id} else call


def _give(changed: dict[str, Any], call: ModelCall, outer: ModelCall, columns: Iterable[str]) -> None:
    for name in columns:
        told = getattr(outer, name)
        if name not in changed and getattr(call, name) in (None, "") and told not in (None, ""):
            changed[name] = told
    if outer.evaluations:
        changed["evaluations"] = (*(changed.get("evaluations", call.evaluations) or ()), *outer.evaluations)


def _same_model(one: ModelCall, other: ModelCall) -> bool:
    first, second = _models(one), _models(other)
    return not first or not second or not first.isdisjoint(second)


def _models(call: ModelCall) -> set[str]:
    return {model_key(name) for name in (call.request_model, call.response_model) if name}
