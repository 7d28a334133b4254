"""Redirects are refused: a key and a prompt go to the address that the workspace names, and to no other."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from driftgate.flows.models._errors import ModelMisconfigured


class Redirected(ModelMisconfigured):
    """A service sends requests on to another address."""


def redirected(who: str, url: str, location: str) -> Redirected:
    """The error that a redirect is.

    Parameters
    ----------
    who : str
        Who was asked, such as ``model 'phi'``.
    url : str
        Where.
    location : str
        Where the service would have the request go; only its host is told.

    Examples
    --------
    >>> print(redirected("model 'phi'", "http://127.0.0.1:8000/v1", "http://evil.example/v1?key=1").message)
    model 'phi' is redirected from 127.0.0.1 to evil.example, where neither its key nor a prompt may go
    """
    try:
        there = urlsplit(urljoin(url, location)).hostname or "nowhere"
    except ValueError:  # of an address that is none
        there = "an address that is none"
    here = urlsplit(url).hostname or "its endpoint"
    return Redirected(
        f"{who} is redirected from {here} to {there}, where neither its key nor a prompt may go",
        "set its endpoint to the service's own address, if you trust that one",
    )


def redirect_of(problem: BaseException) -> tuple[str, str] | None:
    """Where the request that failed with ``problem`` went, and where the service would have had it go.

    Of the errors of the openai client and of Azure's, which carry the service's reply, or of what they caused; None
    where it was no redirect.
    """
    seen: BaseException | None = problem
    while seen is not None:
        response = getattr(seen, "response", None)
        status = getattr(response, "status_code", None)
        if response is not None and isinstance(status, int) and 300 <= status < 400:
            return str(response.request.url), str(response.headers.get("location") or "")
        seen = seen.__cause__
    return None
