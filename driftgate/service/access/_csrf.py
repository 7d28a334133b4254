"""Requests that another site makes a browser send are refused, wherever the browser adds what it knows by itself.

A page's form has a token that is made of the session, which no other site can read; and the browser says where the
form stands. Both are checked where a session's cookie or Basic credentials came with a request that may change
something. Keys and bearer tokens are sent by no browser of its own accord, and need neither.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request

FIELD = "csrf"
"""The field of a form that has the token."""
HEADER = "x-csrf-token"
"""The header that has it, where a script sends it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


def csrf_token(request: Request) -> str:
    """The token for the forms of the page that answers a request; empty where none is needed.

    The request's route must have asked who it is that asks (``access("read")``).
    """
    identity = getattr(request.state, "identity", None)
    if identity is None or not identity.session:
        return ""
    return token_of(request.app.state.csrf_key, identity.session)


def token_of(key: bytes, session: str) -> str:
    """The token of a session, under the service's own key; the same in every process that has the same operator token.

    Examples
    --------
    >>> token_of(b"key", "session")[:16], token_of(b"key", "another")[:16]
    ('57ec6e82fc658ea8', 'f52083b7882cd77c')
    """
    return hmac.new(key, f"csrf {session}".encode(), hashlib.sha256).hexdigest()


async def posted(request: Request) -> Mapping[str, str]:
    """The fields of a form; of a field that comes twice the last.

    Raises
    ------
    HTTPException
        415, if it is none; 400, if it cannot be read.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(415, f"expected a form ({_FORM})")
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None


def check_origin(request: Request, public_url: str | None) -> None:
    """See that a browser says of a request that a page of our own made it.

    Raises
    ------
    HTTPException
        403: another one did, or nothing says which.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise HTTPException(403, "another site's page made this request")
    origin = request.headers.get("origin")
    own = public_url or f"{request.url.scheme}://{request.url.netloc}"
    if origin is not None and not _same(origin, own):
        raise HTTPException(403, "another site's page made this request")
    if site is None and origin is None:
        raise HTTPException(403, "the request does not say which page made it; send a key as a bearer token instead")


async def check_csrf(request: Request, session: str, public_url: str | None) -> None:
    """See that a page of our own made a request, for this session.

    Raises
    ------
    HTTPException
        403: none did.
    """
    check_origin(request, public_url)
    given = request.headers.get(HEADER)
    if given is None:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        given = (await posted(request)).get(FIELD, "") if media == _FORM else ""
    wanted = token_of(request.app.state.csrf_key, session)
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode()):
        raise HTTPException(403, "the form is of another session, or has no token; load its page again")


def _same(origin: str, own: str) -> bool:
    try:
        return _parts(origin) == _parts(own)
    except ValueError:  # a port that is none
        return False


def _parts(url: str) -> tuple[str, str | None, int | None]:
    found = urlsplit(url)
    return found.scheme, found.hostname, found.port or {"http": 80, "https": 443}.get(found.scheme)
