"""``driftgate view``: the pages for one person on one machine, read-only, and nothing else."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse

from driftgate.ledger import Scope
from driftgate.service._auth import Access, Identity
from driftgate.service._head import HeadAsGet, only_asked
from driftgate.service._scrubbed import WithoutSecrets
from driftgate.service.console._page import Console
from driftgate.service.console._routes import HEADERS, router

if TYPE_CHECKING:
    from driftgate.api.facade import Workspace

_HOSTS = ("127.0.0.1", "localhost")


def make_view(workspace: Workspace, port: int) -> tuple[FastAPI, str]:
    """The application, and the path with the token by which a browser is let in once.

    The token is spent with its first use and becomes a cookie of that browser, so that what a shell's history or a
    shared screen shows lets nobody else in. Names other than this machine's are refused, whoever asks: a page elsewhere
    cannot have its own name lead here.

    Parameters
    ----------
    port : int
        Where it is served; a browser sends cookies to every port of a machine.
    """
    once, session = [secrets.token_urlsafe(24)], secrets.token_urlsafe(24)
    cookie = f"driftgate_view_{port}"
    app = FastAPI(title=f"driftgate · {workspace.name}", docs_url=None, redoc_url=None, openapi_url=None)

    def of_here(request: Request) -> None:
        host, _, at = request.headers.get("host", "").partition(":")
        if host not in _HOSTS or at != str(port):
            raise HTTPException(421, "this is served to this machine only")

    def access(scope: Scope) -> object:
        def identify(request: Request) -> Identity:
            of_here(request)
            if not secrets.compare_digest(request.cookies.get(cookie, "").encode(), session.encode()):
                raise HTTPException(401, "open the address that driftgate view printed")
            if scope != "read":
                raise HTTPException(403, "driftgate view is read-only")
            return Identity("view", frozenset({"read"}), "session")

        return identify

    @app.get("/enter", dependencies=[Depends(of_here)])
    def enter(request: Request, token: str = "") -> RedirectResponse:
        if not once or not secrets.compare_digest(token.encode(), once[0].encode()):
            raise HTTPException(403, "the address was used already, or is wrong; start driftgate view anew")
        response = RedirectResponse("/", 303, HEADERS)
        if only_asked(request.scope):
            return response
        once.clear()
        response.set_cookie(cookie, session, httponly=True, samesite="strict", path="/")
        return response

    allow: Access = access  # type: ignore[assignment]
    app.include_router(router(Console(workspace, read_only=True), allow))
    app.add_middleware(WithoutSecrets)
    app.add_middleware(HeadAsGet)
    return app, f"/enter?token={once[0]}"
