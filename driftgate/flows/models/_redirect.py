"""Redirects are refused: a key and a prompt go to the address that the workspace names, and to no other."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from driftgate.flows.models._errors import ModelMisconfigured


def redirected(who: str, url: str, location: str) -> ModelMisconfigured:
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
    return ModelMisconfigured(
        f"{who} is redirected from {here} to {there}, where neither its key nor a prompt may go",
        "set its endpoint to the service's own address, if you trust that one",
    )
