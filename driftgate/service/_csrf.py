"""Requests that another site makes a browser send are refused, by one check on every route that may change something.

A page's form has a token that is made of who was shown the page, which no other site can read; and the browser says
where the form stands. Both are checked where a session's cookie or Basic credentials came with the request, which a
browser sends by itself, and of every form, whatever came with it: a proxy may add a key to whatever passes through it.
Otherwise a key or a bearer token has to come with a content type that no form can have.

References
----------
.. [1] OWASP, Cross-Site Request Forgery Prevention Cheat Sheet: signed token, and Fetch Metadata.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request

from driftgate.service._auth import Identity

FIELD = "csrf"
"""The field of a form that has the token."""
HEADER = "x-csrf-token"
"""The header that has it, where a script sends it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORM = "application/x-www-form-urlencoded"
_SIMPLE = frozenset({"", _FORM, "multipart/form-data", "text/plain"})
"""Content types that a page may have a browser send to any site without asking it first."""
_BY_ITSELF = frozenset({"session", "basic"})
"""What a browser sends with whatever any page makes it ask."""
_MOST_FIELDS = 1000
_MOST_BYTES = 64 * 1024
"""Of a form."""


def csrf_token(request: Request) -> str:
    """The token for the forms of the page that answers a request.

    The request's route must have asked who it is that asks (``access("read")``); empty where nobody was asked, as in a
    console that changes nothing.
    """
    identity: Identity | None = getattr(request.state, "identity", None)
    return "" if identity is None else token_of(request.app.state.csrf_key, identity)


def token_of(key: bytes, identity: Identity) -> str:
    """The token of somebody's forms, under the service's own key.

    It is of one session; of who shows a key at every request it is of the key. It is the same in every process that has
    the same operator token.

    Examples
    --------
    >>> kim = Identity("kim", frozenset(), "session", "digest")
    >>> token_of(b"key", kim)[:16], token_of(b"key", Identity("key ci [1]", frozenset(), "key"))[:16]
    ('3076fa70ee39dd60', '83c52b646792bb2c')
    """
    whose = identity.session or f"{identity.by} {identity.name}"
    return hmac.new(key, f"csrf {whose}".encode(), hashlib.sha256).hexdigest()


async def posted(request: Request) -> Mapping[str, str]:
    """The fields of a form; of a field that comes twice the last.

    Raises
    ------
    HTTPException
        415, if it is none; 411 and 413, if it does not say how large it is, or is too large; 400, if it cannot be read.
    """
    if _media(request) != _FORM:
        raise HTTPException(415, f"expected a form ({_FORM})")
    size = request.headers.get("content-length", "")
    if not size.isdigit():
        raise HTTPException(411, "a form says how large it is")
    if int(size[:20]) > _MOST_BYTES:
        raise HTTPException(413, f"a form has at most {_MOST_BYTES:,} bytes")
    try:
        text = (await request.body()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
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


async def check_csrf(request: Request, identity: Identity, public_url: str | None) -> None:
    """See that no page but one of our own, made for the same person, can have caused a request that changes something.

    Raises
    ------
    HTTPException
        403: another may have. 415: it came with a key, and is neither a form nor what no form can be.
    """
    media = _media(request)
    if identity.by not in _BY_ITSELF:
        if media not in _SIMPLE:
            return
        of_a_page = "origin" in request.headers or "sec-fetch-site" in request.headers
        if media != _FORM or not of_a_page:
            raise HTTPException(415, "send it as application/json; an empty object will do")
    check_origin(request, public_url)
    given = request.headers.get(HEADER)
    if given is None:
        given = (await posted(request)).get(FIELD, "") if media == _FORM else ""
    wanted = token_of(request.app.state.csrf_key, identity)
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode()):
        raise HTTPException(403, "the form is of another session, or has no token; load its page again")


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _same(origin: str, own: str) -> bool:
    try:
        return _parts(origin) == _parts(own)
    except ValueError:  # a port that is none
        return False


def _parts(url: str) -> tuple[str, str | None, int | None]:
    found = urlsplit(url)
    return found.scheme, found.hostname, found.port or {"http": 80, "https": 443}.get(found.scheme)
