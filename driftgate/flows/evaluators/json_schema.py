"""Is a reply JSON of the form that was asked for?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from driftgate.flows.evaluators._replies import is_silent

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL | re.IGNORECASE)


def make(schema: Mapping[str, Any] | None = None, fences: bool = True) -> Callable[..., Any]:
    """Make the evaluator, which takes ``text``: a reply, or a value that a node has already parsed; None is no
    reply.

    Parameters
    ----------
    schema : mapping, optional
        JSON Schema (2020-12 unless ``$schema`` says otherwise); without one any JSON is valid. References to other
        documents are not followed.
    fences : bool
        A Markdown code fence around the JSON is tolerated.

    Notes
    -----
    Returns ``parses``, ``valid`` and ``errors`` (how many places break the schema), and ``reason``, the first of them.
    Source: JSON Schema 2020-12, by the package jsonschema; RFC 8259, so NaN is no JSON.

    Examples
    --------
    >>> check = make({"type": "object", "required": ["team"], "properties": {"team": {"enum": ["billing", "it"]}}})
    >>> check(text='{"team": "it"}')
    {'parses': 1.0, 'valid': 1.0, 'errors': 0.0, 'reason': ''}
    >>> check(text='{"team": "hr"}')["reason"]
    "team: 'hr' is not one of ['billing', 'it']"
    >>> check(text="team: it")["parses"]
    0.0
    """
    from jsonschema.validators import validator_for
    from referencing import Registry

    wanted = dict(schema or {})
    kind = validator_for(wanted)
    kind.check_schema(wanted)
    validator = kind(wanted, registry=Registry())

    def json_schema(*, text: Any) -> dict[str, float | str]:
        try:
            value = _parsed(text, fences)
        except ValueError as problem:
            return {"parses": 0.0, "valid": 0.0, "errors": 1.0, "reason": f"no JSON: {problem}"[:300]}
        found = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path])
        reason = _words(found[0]) if found else ""
        return {"parses": 1.0, "valid": float(not found), "errors": float(len(found)), "reason": reason}

    return json_schema


def _parsed(text: Any, fences: bool) -> Any:
    if text is None or (isinstance(text, str) and is_silent(text)):
        raise ValueError("the reply is empty")
    if not isinstance(text, str):
        return text
    match = _FENCED.match(text) if fences else None
    try:
        return json.loads(match.group(1) if match else text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _words(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message}"[:300] if where else str(error.message)[:300]
