"""Exactly one outcome for every sample asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from driftgate.flows.answer import answer_of
from driftgate.flows.finish import LENGTH

if TYPE_CHECKING:
    from driftgate.flows import mapping
    from driftgate.flows.engines import LineResult
    from driftgate.flows.line import Call
    from driftgate.flows.models import Reply

Outcome = Literal["answered", "unparsed", "truncated", "filtered", "failed", "missing"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)


def classify(
    line: LineResult, calls: Sequence[Call], named: mapping.Reference | None = None
) -> tuple[Outcome, str | None, str]:
    """Say what became of a sample from its line and the model calls made on it.

    A reply cut at the token limit is ``truncated`` only where no answer could be read from it: a model that is
    asked for one letter ends every reply at the limit. ``missing`` is never given here; it is what a sample
    without a record is.

    Parameters
    ----------
    named : Reference, optional
        The output that is judged; see :func:`driftgate.flows.answer.answer_of` where there is none.

    Returns
    -------
    tuple
        Outcome, answer (None unless ``answered``) and error (empty where ``answered`` or ``unparsed``, and where
        a reply was cut while it spoke).
    """
    if line.output is None:
        from driftgate.flows.models import ContentFiltered

        filtered = next((call.error for call in calls if isinstance(call.error, ContentFiltered)), None)
        if filtered is not None:
            return "filtered", None, filtered.message
        errors = [str(call.error) for call in calls if call.error is not None]
        return "failed", None, errors[-1] if errors else line.error
    answer = answer_of(line.output, named)
    if answer is None:
        cut = next((call.reply for call in calls if call.reply and call.reply.finish_reason == LENGTH), None)
        return ("unparsed", None, "") if cut is None else ("truncated", None, _cut(cut))
    return "answered", answer, ""


def _cut(reply: Reply) -> str:
    """Why a reply was cut before it said anything; empty for one that was cut while it spoke."""
    if reply.text.strip():
        return ""
    thought, written = reply.usage.reasoning_tokens, reply.usage.output_tokens
    if not thought:
        return "the reply was cut at the limit on tokens before it said anything"
    return (
        f"reasoning used up the limit on tokens ({thought:,} of {written:,}) and nothing was said: raise the limit "
        "(max_tokens, max_completion_tokens) or lower reasoning_effort"
    )


def rule_of(nodes: Mapping[str, Any]) -> str:
    """The rule by which an answer was read: ``rule`` of the last node that gives one."""
    rules = [node.output["rule"] for node in nodes.values() if isinstance(node.output, dict) and "rule" in node.output]
    return str(rules[-1]) if rules else ""
