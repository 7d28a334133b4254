"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import SCOPES, Scope

__all__ = ["EVERYTHING", "OPERATOR", "Access", "Identity", "Scope", "person"]

EVERYTHING: frozenset[Scope] = frozenset(SCOPES)
OPERATOR = "operator token"
"""What the audit log calls whoever shows the token that all operators share."""


@dataclass(frozen=True)
class Identity:
    """Who asks, and what they may do."""

    name: str
    """What the audit log calls them."""
    scopes: frozenset[Scope]
    by: Literal["token", "key", "bearer", "session", "basic"] = "token"
    """What they showed."""
    session: str = ""
    """The session of who signed in with a browser."""
    key_id: str = ""
    """Of a key."""


Access = Callable[[Scope], Callable[..., Any]]
"""By scope, a FastAPI dependency that gives the :class:`Identity`, and refuses a request of anybody without that
scope."""


def person(who: Identity, stated: str = "") -> str:
    """Who it is that agrees to something in their own name.

    Parameters
    ----------
    stated : str
        The name that whoever shows the operator's token says they have; it is kept that they say so.

    Raises
    ------
    DriftgateError
        The operator's token is anybody's who has it, and they give no name.

    Examples
    --------
    >>> person(Identity("kim", EVERYTHING), "lee"), person(Identity(OPERATOR, EVERYTHING), " lee ")
    ('kim', 'lee (operator token)')
    """
    if who.name != OPERATOR:
        return who.name
    if not stated.strip():
        raise DriftgateError(
            "nobody is named: whoever has the operator's token may have sent this",
            "give your name, or use a key of your own: driftgate keys create NAME --scope operate",
        )
    return f"{stated.strip()[:100]} ({OPERATOR})"
