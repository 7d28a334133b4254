"""The output of a flow that is judged: the one that is named, else the one that is called so, else all there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from driftgate.flows import mapping
from driftgate.flows.errors import DriftgateError

ANSWER_OUTPUT = "answer"
"""The output that is judged where none is named."""
_ROOT = "outputs"


def parse_answer(named: str) -> mapping.Reference:
    """Read the name of an output, ``${outputs.NAME}`` or a part of it.

    Raises
    ------
    DriftgateError
        It names none.

    Examples
    --------
    >>> parse_answer("${outputs.result.label}")
    Reference(root='outputs', path=('result', 'label'))
    """
    found = mapping.parse(named, frozenset({_ROOT}))
    if not isinstance(found, mapping.Reference) or not found.path:
        raise DriftgateError(f"the answer '{named}' names no output of the flow", "write it as ${outputs.NAME}")
    return found


def answer_of(outputs: Mapping[str, Any], named: mapping.Reference | None = None) -> str | None:
    """What a line answers, as text; None where the output that is judged is empty.

    A line that completed has answered: where no output is named or called ``answer`` its only output is the answer,
    or all its outputs are.

    Examples
    --------
    >>> answer_of({"answer": "B", "why": "..."}), answer_of({"category": "App"}), answer_of({"answer": None, "why": ""})
    ('B', 'App', None)
    >>> answer_of({"category": "App", "evidence": "Both"}), answer_of({})
    ('{"category": "App", "evidence": "Both"}', '')
    """
    if named is not None:
        value = named.resolve({_ROOT: outputs})
        value = None if value is mapping.MISSING else value
    elif ANSWER_OUTPUT in outputs:
        value = outputs[ANSWER_OUTPUT]
    elif len(outputs) == 1:
        (value,) = outputs.values()
    else:
        return _text(dict(outputs)) if not outputs or any(map(_said, outputs.values())) else None
    return _text(value) if _said(value) else None


def _said(value: Any) -> bool:
    return value is not None and bool(str(value).strip())


def _text(value: Any) -> str:
    if value == {}:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
