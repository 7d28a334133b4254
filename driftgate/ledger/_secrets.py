"""No secret enters the ledger: every value of every statement is scrubbed, whatever table it is for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from driftgate.flows.scrubbing import SHORTEST, holds_secret, scrub, scrub_value


def without_secrets(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    """The statement, and its parameters with every registered secret blanked; SQLAlchemy calls it before each one.

    SQLite gets JSON as text. Nearly always there is nothing to blank, so all texts are looked at as one first.
    """
    texts = "\0".join(_texts(parameters))
    return statement, _scrubbed(parameters) if texts and holds_secret(texts) else parameters


def _texts(parameters: Any) -> Iterator[str]:
    for value in chain(parameters, parameters.values()) if isinstance(parameters, dict) else parameters:
        if isinstance(value, str):
            if len(value) >= SHORTEST:
                yield value
        elif isinstance(value, (dict, list, tuple)):
            yield from _texts(value)
        elif _is_json(value):
            yield from _texts([value.obj])


def _is_json(value: Any) -> bool:
    """Whether it is the wrapper by which psycopg takes JSON; it makes a text of it later."""
    return type(value).__name__ in ("Json", "Jsonb") and hasattr(value, "obj")


def _scrubbed(parameters: Any) -> Any:
    if isinstance(parameters, str):
        return scrub(parameters)
    if isinstance(parameters, dict):
        return {_scrubbed(name): _scrubbed(value) for name, value in parameters.items()}
    if _is_json(parameters):
        return type(parameters)(scrub_value(parameters.obj), parameters.dumps)
    if isinstance(parameters, (list, tuple)):
        return type(parameters)(_scrubbed(value) for value in parameters)
    return parameters
