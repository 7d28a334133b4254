"""A form counts only where the page that holds it came from here.

A browser sends the cookie with requests of this site alone (``SameSite=Strict``), and another site cannot read the
value that a form of ours repeats. Beside it, what the browser itself says of where a request comes from is believed.

References
----------
.. [1] OWASP, Cross-Site Request Forgery Prevention Cheat Sheet: double submit cookie, and Fetch Metadata.
"""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from fastapi import HTTPException

if TYPE_CHECKING:
    from fastapi import Request, Response

COOKIE = "driftgate_csrf"
FIELD = "form_token"
_LENGTH = 43
_MOST = 64 * 1024
"""Bytes of a form."""


def form_token(request: Request) -> str:
    """The token of a reader: the one that the browser has, else a new one."""
    kept = request.cookies.get(COOKIE, "")
    return kept if len(kept) == _LENGTH and kept.isascii() else secrets.token_urlsafe(32)


def fields(token: str, session: str) -> str:
    """What every form has: the reader's token, and that of the session where who asks has one."""
    hidden = f'<input type="hidden" name="{FIELD}" value="{escape(token)}">'
    return hidden + (f'<input type="hidden" name="csrf" value="{escape(session)}">' if session else "")


def keep_token(request: Request, response: Response, token: str) -> None:
    """Give the browser the token, where it has it not yet."""
    if request.cookies.get(COOKIE) != token:
        response.set_cookie(
            COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
        )


async def checked_form(request: Request) -> dict[str, str]:
    """The fields of a form that a page of ours sent.

    Raises
    ------
    HTTPException
        403: it came from elsewhere, or without the token. 413: it is too large. 415: it is no form.
    """
    told = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if told is not None:  # what browsers of these years say themselves; some then hide the origin
        foreign = told not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise HTTPException(403, "the form came from another site")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "send a form, application/x-www-form-urlencoded")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            raise HTTPException(413, f"a form has at most {_MOST:,} bytes")
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    given = {name: values[-1] for name, values in found.items()}
    kept = request.cookies.get(COOKIE, "")
    if not kept or not secrets.compare_digest(kept.encode(), given.pop(FIELD, "").encode()):
        raise HTTPException(403, "the form is out of date; open its page again")
    return given
