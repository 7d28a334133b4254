"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from driftgate.ledger import SCOPES, Scope

__all__ = ["EVERYTHING", "Access", "Identity", "Scope"]

EVERYTHING: frozenset[Scope] = frozenset(SCOPES)


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
