"""Every route asks who it is that asks, by the service's token: as a bearer token, or as a browser's password."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from driftgate.ledger import SCOPES, Scope

EVERYTHING: frozenset[Scope] = frozenset(SCOPES)

_LEAST_TOKEN = 16
_basic = HTTPBasic(auto_error=False, realm="driftgate")


@dataclass(frozen=True)
class Identity:
    """Who asks, and what they may do."""

    name: str
    """What the audit log calls them."""
    scopes: frozenset[Scope]
    by: Literal["token", "key", "bearer", "session", "basic"] = "token"
    """What they showed."""
    session: str = ""
    """Of who signed in with a browser: what the CSRF token is made of."""


Access = Callable[[Scope], Callable[..., Any]]
"""By scope, a FastAPI dependency that gives the :class:`Identity`, and refuses a request of anybody without that
scope."""


def access_by_token(token: str) -> Access:
    """Make what refuses a request without ``token``, which may do everything.

    Raises
    ------
    ValueError
        The token is shorter than 16 characters.
    """
    if len(token) < _LEAST_TOKEN:
        raise ValueError(f"the service's token has {len(token)} characters, at least {_LEAST_TOKEN} are needed")

    def identify(request: Request, basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)] = None) -> Identity:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = basic.password if basic is not None else bearer if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": 'Basic realm="driftgate"'})
        return Identity("token", EVERYTHING)

    return lambda scope: identify
