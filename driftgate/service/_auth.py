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
    """Of what a browser sends by itself: of what the tokens of its forms are made."""
    key_id: str = ""
    """Of a key."""


Access = Callable[[Scope], Callable[..., Any]]
"""By scope, a FastAPI dependency that gives the :class:`Identity`, and refuses a request of anybody without that
scope."""


def person(who: Identity) -> str:
    """Who it is that agrees to something in their own name.

    Raises
    ------
    DriftgateError
        The operator's token is anybody's who has it.
    """
    if who.name == OPERATOR:
        raise DriftgateError(
            "nobody is named: whoever has the operator's token may have sent this",
            "sign in, or use a key of your own: driftgate keys create NAME --scope operate",
        )
    return who.name
