"""What of a model's configuration can be sent: parameters that JSON can say, and addresses of a service."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from driftgate.flows.environment import REFERENCE, resolve, without_literal
from driftgate.flows.errors import DriftgateError

_OURS = frozenset(
    {"background", "conversation", "input", "messages", "model", "previous_response_id", "prompt", "stream"}
)
"""Names in a request that say who is asked what, and how the reply is delivered."""


def sayable(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters as they are, if a request can hold them and they leave it what it asks.

    Raises
    ------
    ValueError
        JSON cannot say one of them, or one would take the place of the model, of the question or of the one reply.
    """
    if ours := sorted(_OURS & set(parameters)):
        raise ValueError(f"parameters give '{ours[0]}', which driftgate sets itself: take it out")
    if parameters.get("n", 1) != 1:
        raise ValueError("parameters ask for several replies (n), of which one would be read: use the suite's repeats")
    for place, fault in _unsayable(parameters, "parameters"):
        raise ValueError(f"{place} is {fault}, which JSON cannot say: write a text or a number")
    return parameters


def _unsayable(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"{place}, key {key!r},", "no text"
            yield from _unsayable(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unsayable(inner, f"{place}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, f"no finite number ({value})"
    elif not (value is None or isinstance(value, (str, int, float))):
        yield place, f"a {type(value).__name__} ({value})"


def _fault(address: str) -> str:
    """What keeps a text from being the address of a service; empty where nothing does."""
    shown = address.rpartition("@")[2]
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        return f"'{shown}' is not an address ({problem})"
    if parts.scheme not in ("http", "https"):
        return f"the address '{shown}' does not begin with http:// or https://"
    return "" if host else f"the address '{shown}' names no host"


def _is_address(value: str) -> str:
    if not REFERENCE.search(value) and (fault := _fault(value)):
        raise ValueError(fault)
    return without_literal(value)


Address = Annotated[str, AfterValidator(_is_address)]
"""Where a service is reached; of one with ``${env:NAME}`` in it :func:`address_of` sees whether it is one."""


def address_of(value: str, where: str) -> str:
    """The address with the environment's values in it.

    Raises
    ------
    DriftgateError
        A variable is not set, or what comes out is no address; ``where`` says which setting it is.

    Examples
    --------
    >>> address_of("http://127.0.0.1:8123/v1/", "models.demo.endpoint")
    'http://127.0.0.1:8123/v1'
    """
    address = resolve(value, where).rstrip("/")
    if fault := _fault(address):
        raise DriftgateError(f"{where}: {fault}", "correct it, or the variable of the environment in it")
    return address
