"""Every route asks for the service's token: as a bearer token, or as a browser's password."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials

_LEAST_TOKEN = 16
_basic = HTTPBasic(auto_error=False, realm="driftgate")


def authoriser(token: str) -> Callable[..., None]:
    """Make a FastAPI dependency that refuses a request without ``token``.

    Raises
    ------
    ValueError
        The token is shorter than 16 characters.
    """
    if len(token) < _LEAST_TOKEN:
        raise ValueError(f"the service's token has {len(token)} characters, at least {_LEAST_TOKEN} are needed")

    def authorise(request: Request, basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)] = None) -> None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = basic.password if basic is not None else bearer if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": 'Basic realm="driftgate"'})

    return authorise
