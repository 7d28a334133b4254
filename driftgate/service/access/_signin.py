"""Sign-in of people: by OpenID Connect (authorization code with PKCE), or by a key that is pasted into a form.

References
----------
.. [1] OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (``iss`` in the answer); RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import record_audit
from driftgate.monitor.exposure import Exposure, SignInConfig
from driftgate.service._csrf import check_csrf, check_origin, posted
from driftgate.service.access._guard import COOKIES, Guard, Refused, address_of, derived, retry_after
from driftgate.service.access._provider import NotBelieved, Provider, ask, name_of, scopes_of
from driftgate.service.access._sessions import begin_session, end_session, use_state
from driftgate.service.access._words import language, words

if TYPE_CHECKING:
    from jinja2 import Environment

log = logging.getLogger(__name__)

_FLOW_COOKIES = ("__Host-driftgate-signin", "driftgate_signin")
_LASTS = timedelta(minutes=10)
_ERRORS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""Of RFC 6749, section 4.1.2.1, and of OpenID Connect Core, section 3.1.2.6."""
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Flow:
    """What a browser keeps while it is at the issuer's, signed by us."""

    state: str
    nonce: str
    verifier: str
    next: str
    until: float


class _NotSignedIn(Exception):
    """Why nobody was signed in."""


def sign_in_routes(guard: Guard, exposure: Exposure) -> APIRouter:
    """The pages of sign-in and sign-out; those of the issuer are there where ``service.sign_in`` is set."""
    _environment()
    css = (_TEMPLATES / "signin.css").read_text("utf-8")
    routes = APIRouter(include_in_schema=False)
    config = exposure.sign_in
    provider = Provider(config.issuer) if config is not None else None
    flow_key = derived(guard.token, "sign-in")
    secret = (
        resolve_secret(config.client_secret, "service.sign_in.client_secret") if config and config.client_secret else ""
    )

    def secure(request: Request) -> bool:
        return (guard.public_url or request.url.scheme).startswith("https")

    def keep(request: Request, response: Response, names: tuple[str, str], value: str, seconds: float) -> None:
        safe = secure(request)
        # Lax: the way back from the issuer begins at its site, and the page it leads to needs the session.
        response.set_cookie(
            names[0] if safe else names[1], value, int(seconds), path="/", secure=safe, httponly=True, samesite="lax"
        )

    def drop(request: Request, response: Response, names: tuple[str, str]) -> None:
        for name in names:
            if name in request.cookies:
                response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")

    def page(request: Request, problem: str = "", status: int = 200, next: str = "/") -> HTMLResponse:
        spoken = language(request)
        text = _render(
            "signin.html", words=words(spoken), language=spoken, problem=problem, next=_own(next), issuer=config
        )
        return HTMLResponse(text, status)

    async def begun(request: Request, name: str, scopes: Any, next: str, key_id: str = "") -> Response:
        """Begin a session, and lead on."""

        def write() -> str:
            secret = begin_session(guard.ledger, name, scopes, exposure.session_hours, key_id=key_id)
            record_audit(guard.ledger, name, "sign_in.accept", "service", f"from {address_of(request)}")
            return secret

        response = RedirectResponse(_own(next), 303)
        keep(request, response, COOKIES, await run_in_threadpool(write), exposure.session_hours * 3600)
        drop(request, response, _FLOW_COOKIES)
        return response

    def slowly(request: Request) -> None:
        guard.limit(request, f"address {address_of(request)}")

    routes.dependencies.append(Depends(slowly))

    @routes.get("/signin")
    def show(request: Request, next: str = "/") -> HTMLResponse:
        return page(request, next=next)

    @routes.get("/signin/style.css")
    def style() -> Response:
        kept = {"Cache-Control": "public, max-age=3600"}
        return Response(css, headers=kept, media_type="text/css")

    @routes.post("/signin")
    async def by_key(request: Request) -> Response:
        check_origin(request, guard.public_url)  # or a page elsewhere could sign a person in as somebody else
        fields = await posted(request)
        given, next = fields.get("key", "").strip(), fields.get("next", "/")
        address = address_of(request)
        said = words(language(request))
        if wait := guard.refusals.wait(address, given):
            await run_in_threadpool(guard.refusals.waiting, address)
            response = page(request, said["wait"], 429, next)
            response.headers.update(retry_after(wait))
            return response
        try:
            identity = await guard.by_secret(given)
        except Refused as problem:
            await run_in_threadpool(guard.refusals.wrong, address, given, problem.what)
            return page(request, said["wrong"], 403, next)
        if identity.by == "bearer":
            return page(request, said["wrong"], 403, next)  # its end is its issuer's to say, not a session's
        return await begun(request, identity.name, identity.scopes, next, identity.key_id)

    @routes.post("/signout")
    async def sign_out(request: Request) -> Response:
        identity = await guard.identify(request)
        response = RedirectResponse("/signin", 303)
        if identity is not None and identity.by == "session":
            await check_csrf(request, identity, guard.public_url)
            await run_in_threadpool(end_session, guard.ledger, identity.session)
            await run_in_threadpool(record_audit, guard.ledger, identity.name, "sign_in.end", "service")
        drop(request, response, COOKIES)
        return response

    if config is None or provider is None:
        return routes
    redirect_uri = f"{guard.public_url}/signin/callback"

    @routes.get("/signin/begin")
    async def begin(request: Request, next: str = "/") -> Response:
        verifier = secrets.token_urlsafe(48)
        flow = _Flow(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            verifier,
            _own(next),
            time.time() + _LASTS.total_seconds(),
        )
        try:
            door = await provider.door("authorization_endpoint")
        except DriftgateError as problem:
            log.error("nobody can sign in: %s", problem)
            return page(request, words(language(request))["issuer"], 503, next)
        asked = {
            "response_type": "code",
            "client_id": config.client_id,
            "redirect_uri": redirect_uri,
            "scope": config.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        response = RedirectResponse(f"{door}{'&' if '?' in door else '?'}{urlencode(asked)}", 303)
        keep(request, response, _FLOW_COOKIES, _sealed(flow_key, flow), _LASTS.total_seconds())
        return response

    @routes.get("/signin/callback")
    async def callback(request: Request) -> Response:
        try:
            kept = next((found for name in _FLOW_COOKIES if (found := request.cookies.get(name))), "")
            flow = _opened(flow_key, kept)
            answer = request.query_params
            if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
                raise _NotSignedIn("the state is of another sign-in")
            if not await run_in_threadpool(use_state, guard.ledger, flow.state, _LASTS):
                raise _NotSignedIn("the answer was used before")
            if answer.get("iss", config.issuer) != config.issuer:
                raise _NotSignedIn("another issuer answered")
            if "error" in answer:
                known = answer["error"] in _ERRORS  # anybody can write this address
                raise _NotSignedIn(f"the issuer says {answer['error'] if known else 'an unknown error'}")
            claims = await _claims(
                config, provider, {"code": answer.get("code", ""), "redirect_uri": redirect_uri}, flow, secret
            )
            scopes = scopes_of(claims, config.roles_claim, config.roles)
            if not scopes:
                raise _NotSignedIn(f"{name_of(claims)} has no role that opens anything")
        except (_NotSignedIn, NotBelieved, DriftgateError) as problem:
            await run_in_threadpool(guard.refusals.wrong, address_of(request), "", f"a sign-in: {problem}")
            response = page(request, words(language(request))["refused"], 403)
            drop(request, response, _FLOW_COOKIES)
            return response
        return await begun(request, name_of(claims), scopes, flow.next)

    return routes


async def _claims(
    config: SignInConfig, provider: Provider, answer: dict[str, str], flow: _Flow, secret: str
) -> dict[str, Any]:
    """What the ID token says that the issuer gives for a code."""
    sent = {
        "grant_type": "authorization_code",
        **answer,
        "client_id": config.client_id,
        "code_verifier": flow.verifier,
        **({"client_secret": secret} if secret else {}),
    }
    status, reply = await ask("POST", await provider.door("token_endpoint"), data=sent)
    if status != 200 or not isinstance(reply, dict) or not isinstance(reply.get("id_token"), str):
        raise _NotSignedIn(f"the issuer gave no token for the code (HTTP {status})")
    claims = dict(await provider.claims(reply["id_token"], config.client_id))
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode()):
        raise _NotSignedIn("the token is of another sign-in")
    if claims.get("azp", config.client_id) != config.client_id:
        raise _NotSignedIn("the token was issued to another application")
    return claims


def _challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier.

    Examples
    --------
    >>> _challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # of RFC 7636, appendix B
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _sealed(key: bytes, flow: _Flow) -> str:
    text = base64.urlsafe_b64encode(json.dumps(asdict(flow)).encode()).decode()
    return f"{text}.{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"


def _opened(key: bytes, kept: str) -> _Flow:
    text, _, seal = kept.rpartition(".")
    wanted = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(seal.encode("utf-8", "surrogatepass"), wanted.encode()):
        raise _NotSignedIn("no sign-in was begun in this browser")
    flow = _Flow(**json.loads(base64.urlsafe_b64decode(text)))
    if flow.until < time.time():
        raise _NotSignedIn("it took more than ten minutes")
    return flow


def _own(place: str) -> str:
    """A place of this service to go on to; whatever leads elsewhere becomes its first page.

    Examples
    --------
    >>> _own("/runs?wrong=1"), _own("//evil.example"), _own("https://evil.example"), _own("/\\\\evil.example")
    ('/runs?wrong=1', '/', '/', '/')
    """
    plain = place.startswith("/") and place.isprintable() and place.isascii()
    return place if plain and not place.startswith("//") and "\\" not in place and len(place) < 2000 else "/"


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    """The templates as they were when the process began, whatever is installed meanwhile."""
    from jinja2 import Environment, FileSystemLoader

    made = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, auto_reload=False)
    for name in made.list_templates(["html"]):
        made.get_template(name)
    return made
