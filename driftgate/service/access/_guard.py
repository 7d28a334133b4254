"""Every route asks who it is that asks: by the operator's token, a key, a bearer token, or a browser's session."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from driftgate.ledger import Ledger, Scope, key_by_secret
from driftgate.monitor.exposure import Limits, TokensConfig
from driftgate.service._auth import EVERYTHING, OPERATOR, Access, Identity
from driftgate.service._csrf import SAFE, check_csrf
from driftgate.service.access._buckets import Buckets, neighbourhood
from driftgate.service.access._provider import NotBelieved, Provider, name_of, scopes_of
from driftgate.service.access._refusals import Refusals
from driftgate.service.access._sessions import session_by_secret

COOKIES = ("__Host-driftgate", "driftgate_session")
"""The cookie of a session: over TLS, and without."""
LEAST_TOKEN = 16
_MOST = 16_384
_bearer = HTTPBearer(auto_error=False, description="A key, the operator's token, or a token of the identity provider.")
_cookie = APIKeyCookie(name=COOKIES[0], auto_error=False, description="Of who signed in with a browser.")


@dataclass(frozen=True)
class Refused(Exception):
    """A credential that is wrong."""

    what: str
    """What it is, without itself."""


@dataclass
class Guard:
    """What is needed to know who asks.

    Parameters
    ----------
    token : str
        The operator's, which may do everything; empty where there is none.
    tokens : TokensConfig, optional
        The bearer tokens of an identity provider.
    public_url : str, optional
        Where browsers find the service.

    Raises
    ------
    ValueError
        The token is shorter than 16 characters.
    """

    ledger: Ledger
    token: str
    limits: Limits = field(default_factory=Limits)
    tokens: TokensConfig | None = None
    public_url: str | None = None

    def __post_init__(self) -> None:
        if len(self.token) < LEAST_TOKEN:
            raise ValueError(f"the service's token has {len(self.token)} characters, at least {LEAST_TOKEN} are needed")
        self.csrf_key = derived(self.token, "csrf")
        self.provider = Provider(self.tokens.issuer) if self.tokens else None
        self.refusals = Refusals(self.ledger, self.limits.refusals, self.limits.refusal_seconds)
        self._rates = Buckets(self.limits.requests_per_second, self.limits.burst)

    @property
    def access(self) -> Access:
        """By scope, the dependency of a route."""
        return lambda scope: Asks(self, scope)

    def limit(self, request: Request, name: str) -> None:
        """Count a request of somebody.

        Raises
        ------
        HTTPException
            429: there were too many; of telemetry 503, as the stock OpenTelemetry exporters give up on a 429.
        """
        if wait := self._rates.take(name):
            status = 503 if request.url.path.startswith("/v1/") else 429
            raise HTTPException(status, "too many requests; try again later", retry_after(wait))

    async def identify(self, request: Request) -> Identity | None:
        """Who asks; None: nobody says.

        Raises
        ------
        HTTPException
            401, what they show is wrong; 429, so many of their address were wrong that they have to wait.
        """
        stated = request.headers.get("authorization", "")
        cookie = next((found for name in COOKIES if (found := request.cookies.get(name))), "")
        credential = stated or cookie
        if not credential:
            return None
        address = address_of(request)
        if self.refusals.is_due():
            await run_in_threadpool(self.refusals.tell)
        if wait := self.refusals.wait(address, credential):
            await run_in_threadpool(self.refusals.waiting, address)
            raise HTTPException(429, "too many wrong keys or tokens; try again later", retry_after(wait))
        try:
            identity = await (self.by_header(stated) if stated else self._by_cookie(cookie))
        except Refused as problem:
            await run_in_threadpool(self.refusals.wrong, address, credential, problem.what)
            raise unknown(request) from None
        if identity is not None:
            self.refusals.right(credential)
        return identity

    async def by_header(self, stated: str) -> Identity:
        """Who an ``Authorization`` header is of.

        Raises
        ------
        Refused
            Nobody.
        """
        scheme, _, given = stated.partition(" ")
        given = given.strip()
        if len(given) > _MOST:
            raise Refused("a credential that is too long")
        match scheme.lower():
            case "bearer":
                return await self.by_secret(given)
            case "basic":
                # The browser adds it to whatever any site makes it send, as it does a cookie.
                return replace(await self.by_secret(_password(given)), by="basic")
            case _:
                raise Refused("a credential of a kind that is not taken")

    async def by_secret(self, given: str) -> Identity:
        """Who a key, the operator's token or a bearer token is of.

        Raises
        ------
        Refused
            Nobody.
        """
        if secrets.compare_digest(given.encode("utf-8", "surrogatepass"), self.token.encode()):
            return Identity(OPERATOR, EVERYTHING, "token")
        key = await run_in_threadpool(key_by_secret, self.ledger, given)
        if key is not None:
            return Identity(f"key {key.name} [{key.id}]", key.scopes, "key", key_id=key.id)
        if self.provider is not None and self.tokens is not None and given.count(".") == 2:
            try:
                claims = await self.provider.claims(given, self.tokens.audience)
            except NotBelieved as problem:
                raise Refused(f"a bearer token: {problem}") from None
            roles = scopes_of(claims, self.tokens.roles_claim, self.tokens.roles)
            return Identity(name_of(claims), roles, "bearer")
        raise Refused("a key or token that is none, has expired or was revoked")

    async def _by_cookie(self, cookie: str) -> Identity | None:
        session = await run_in_threadpool(session_by_secret, self.ledger, cookie[:200])
        # One that is over is no attempt to guess: a browser sends it until the next sign-in.
        return None if session is None else Identity(session.name, session.scopes, "session", session.digest)


@dataclass(frozen=True, eq=False)
class Asks:
    """A route's dependency: gives who asks, and refuses anybody without its scope."""

    guard: Guard
    scope: Scope

    async def __call__(
        self,
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
        cookie: Annotated[str | None, Depends(_cookie)] = None,
    ) -> Identity:
        """Who asks; the two beside the request are there for the OpenAPI document."""
        guard = self.guard
        identity = await guard.identify(request)
        if identity is None:
            guard.limit(request, f"address {address_of(request)}")
            raise unknown(request)
        guard.limit(request, identity.name)
        if self.scope == "ingest" and identity.by in ("basic", "session"):
            raise HTTPException(403, "telemetry is sent with a bearer token: a key with the scope 'ingest'")
        if self.scope not in identity.scopes:
            raise HTTPException(403, f"'{self.scope}' is not among what may be done with this credential")
        if request.method not in SAFE:
            await check_csrf(request, identity, guard.public_url)
        request.state.identity = identity
        return identity


def derived(token: str, what: str) -> bytes:
    """A key for one purpose, of the operator's token, so that every process of a service has the same."""
    return hmac.new(token.encode(), f"driftgate {what}".encode(), hashlib.sha256).digest()


def address_of(request: Request) -> str:
    """Where a request comes from, as far as one stranger has it; of a proxy that is believed, where it says."""
    return neighbourhood(request.client.host if request.client else "nowhere")


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to try again."""
    return {"Retry-After": str(max(1, round(seconds + 0.5)))}


def unknown(request: Request) -> HTTPException:
    """What somebody is answered who shows nothing, or what is wrong: a browser is shown where to sign in."""
    page = request.method in SAFE and "text/html" in request.headers.get("accept", "")
    if page and not request.headers.get("authorization"):
        from urllib.parse import quote

        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return HTTPException(303, "sign in", {"Location": f"/signin?next={quote(place, safe='')}"})
    return HTTPException(401, "the key or token is missing or wrong", {"WWW-Authenticate": 'Bearer realm="driftgate"'})


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        raise Refused("Basic credentials that cannot be read") from None
