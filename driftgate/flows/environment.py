"""References to the environment, ``${env:NAME}``, in what a person writes."""

from __future__ import annotations

import os
import re

from driftgate.flows.errors import DriftgateError

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve(value: str, where: str) -> str:
    """Replace every ``${env:NAME}`` in ``value`` by the environment's value.

    Raises
    ------
    DriftgateError
        A variable is not set; ``where`` says which setting needs it.

    Examples
    --------
    >>> os.environ["DOC_HOST"] = "127.0.0.1"
    >>> resolve("http://${env:DOC_HOST}:8123/v1", "models.demo.endpoint")
    'http://127.0.0.1:8123/v1'
    """

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DriftgateError(f"{where} needs the environment variable {name}, which is not set", f"export {name}=…")
        return os.environ[name]

    return REFERENCE.sub(look_up, value)
