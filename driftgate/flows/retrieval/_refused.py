"""What a service that is searched means by a status other than success."""

from __future__ import annotations

from driftgate.flows.models import (
    ModelError,
    ModelMisconfigured,
    RateLimited,
    RequestRejected,
    Unavailable,
    redirected,
)
from driftgate.flows.models._refusal import retry_after
from driftgate.flows.network import Received
from driftgate.flows.retrieval._again import named


def refused(who: str, endpoint: str, received: Received, *, key: str, address: str) -> ModelError:
    """The error that a reply is.

    Parameters
    ----------
    who : str
        Who asks, as the sentence begins.
    key, address : str
        What to do where it knows no such key, and where it has no such thing.
    """
    status, headers = received.status, received.headers
    if 300 <= status < 400:
        return redirected(who, endpoint, headers.get("location", ""))
    said = f"{named(who, endpoint)}: HTTP {status} {' '.join(received.body[:200].decode(errors='replace').split())}"
    if status == 429:
        return RateLimited(said, retry_after(headers))
    if status >= 500 or status == 408:
        return Unavailable(said)
    if status in (401, 403):
        return ModelMisconfigured(said, key)
    if status == 404:
        return ModelMisconfigured(said, address)
    return RequestRejected(said)
