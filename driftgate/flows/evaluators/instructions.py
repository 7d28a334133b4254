"""Does a reply keep every instruction of its prompt?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from driftgate.flows.evaluators._replies import bounded, is_silent
from driftgate.flows.instructions import Instruction, readings


def instructions(*, text: str | None, instructions: Sequence[Mapping[str, Any]]) -> dict[str, float | str]:
    """Which instructions of a prompt a reply keeps, by IFEval's strict and loose measures.

    Parameters
    ----------
    text : str
        The reply.
    instructions : sequence of mapping
        Objects with ``id``, such as ``punctuation:no_comma``, and ``parameters``, as the dataset kind ``ifeval_ko`` has
        them.

    Returns
    -------
    dict
        ``followed``: all are kept; ``kept``: the share that is kept; ``followed_loosely`` and ``kept_loosely``: the
        same, where an instruction counts as kept if the reply without its first or last line or its asterisks keeps it;
        ``broken``: the ids of those that are not kept.

    Raises
    ------
    DriftgateError
        An instruction is not known, or its parameters are not its own.
    ValueError
        There is no instruction.

    Notes
    -----
    A reply that is not there keeps nothing, be it thoughts alone.

    Source: Zhou et al. 2023, arXiv:2311.07911, section 2.2. The paper's scores by instruction count each instruction
    once; the mean of ``kept`` counts each prompt once.

    Examples
    --------
    >>> asked = [{"id": "punctuation:no_comma", "parameters": {}},
    ...          {"id": "startend:end_checker", "parameters": {"end_phrase": "이상입니다."}}]
    >>> found = instructions(text="봄, 여름.\\n이상입니다.", instructions=asked)
    >>> found["followed"], found["kept"], found["kept_loosely"], found["broken"]
    (0.0, 0.5, 1.0, 'punctuation:no_comma')
    """
    asked = [Instruction.read(each["id"], each.get("parameters") or {}) for each in instructions]
    if not asked:
        raise ValueError("there is no instruction to check; map a column that holds a list of them")
    reply = bounded(text)
    said = not is_silent(reply)
    strict = [said and one.kept(reply) for one in asked]
    loose = [said and any(one.kept(reading) for reading in readings(reply)) for one in asked]
    return {
        "followed": float(all(strict)),
        "kept": sum(strict) / len(asked),
        "followed_loosely": float(all(loose)),
        "kept_loosely": sum(loose) / len(asked),
        "broken": " ".join(one.id for one, kept in zip(asked, strict, strict=True) if not kept),
    }


def make() -> Callable[..., dict[str, float | str]]:
    """Make the evaluator."""
    return instructions
