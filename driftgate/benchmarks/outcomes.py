"""Exactly one outcome for every sample asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from driftgate.flows.engines import LineResult
    from driftgate.flows.line import Call

Outcome = Literal["answered", "unparsed", "truncated", "filtered", "failed", "missing"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
ANSWER_OUTPUT = "answer"
"""The flow output that holds what was read from the reply."""
ONLY_OUTPUT = "output"
"""Prompt flow's name for what a flex flow or a prompty returns, where that is no mapping."""


def classify(line: LineResult, calls: Sequence[Call]) -> tuple[Outcome, str | None, str]:
    """Say what became of a sample from its line and the model calls made on it.

    A reply cut at the token limit is ``truncated`` only where no answer could be read from it: a model that is
    asked for one letter ends every reply at the limit. ``missing`` is never given here; it is what a sample
    without a record is.

    Returns
    -------
    tuple
        Outcome, answer (None unless ``answered``) and error (empty unless ``filtered`` or ``failed``).
    """
    if line.output is None:
        from driftgate.flows.models import ContentFiltered

        filtered = next((call.error for call in calls if isinstance(call.error, ContentFiltered)), None)
        if filtered is not None:
            return "filtered", None, filtered.message
        errors = [str(call.error) for call in calls if call.error is not None]
        return "failed", None, errors[-1] if errors else line.error
    answer = line.output.get(ONLY_OUTPUT if list(line.output) == [ONLY_OUTPUT] else ANSWER_OUTPUT)
    if answer is None or not str(answer).strip():
        cut = any(call.reply is not None and call.reply.finish_reason == "length" for call in calls)
        return ("truncated" if cut else "unparsed"), None, ""
    return "answered", str(answer), ""


def rule_of(nodes: Mapping[str, Any]) -> str:
    """The rule by which an answer was read: ``rule`` of the last node that gives one."""
    rules = [node.output["rule"] for node in nodes.values() if isinstance(node.output, dict) and "rule" in node.output]
    return str(rules[-1]) if rules else ""
