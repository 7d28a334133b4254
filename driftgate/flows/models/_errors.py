"""Why a call gave no reply. The class says whose concern it is."""

from __future__ import annotations

import re

from driftgate.flows.errors import DriftgateError, Fault
from driftgate.flows.models._usage import Usage


class ModelError(DriftgateError):
    """A call to a model gave no usable reply."""


class ContentFiltered(ModelError):
    """The service refused this prompt or this completion; the concern of this sample alone.

    Parameters
    ----------
    message : str
        What the service said.
    usage : Usage or None
        Tokens of a completion that was written and then withheld; None where the prompt was refused.
    """

    fault = "filtered"

    def __init__(self, message: str, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class RequestRejected(ModelError):
    """The service refused this request for what it holds (4xx); asking again would change nothing."""

    fault = "requests_refused"


class NoLogprobs(RequestRejected):
    """A reply without the log-probabilities that the model's scoring reads: it says nothing, and took its tokens.

    Parameters
    ----------
    message : str
        Whose reply it is.
    usage : Usage
        Tokens of the reply.
    """

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage


class Unavailable(ModelError):
    """A timeout, a connection error, a 5xx or an unreadable reply: worth another attempt.

    Parameters
    ----------
    message : str
        What went wrong.
    usage : Usage or None
        Tokens of a reply that came and could not be read, which nobody knows; None where none came.
    """

    fault: Fault = "endpoint_down"

    def __init__(self, message: str, remedy: str = "", *, usage: Usage | None = None) -> None:
        super().__init__(message, remedy)
        self.usage = usage


class RateLimited(Unavailable):
    """HTTP 429: the service asks for fewer requests.

    Parameters
    ----------
    message : str
        What the service said.
    retry_after : float or None
        Seconds the service asks to wait, where it says so.
    """

    fault = "throttled"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelMisconfigured(ModelError):
    """A wrong key, deployment or file: every further call would fail alike, so the run stops."""


_FAULTS: dict[str, Fault] = {"401": "credentials_refused", "403": "credentials_refused", "429": "throttled"}
_STATUS = re.compile(r"^[^\n]{0,200}?\bHTTP (\d{3})\b")


def fault_in(error: str) -> Fault:
    """What an error that is kept as text was, by the status of HTTP that errors of models say; empty without one.

    Examples
    --------
    >>> fault_in("small: HTTP 429 Too many requests"), fault_in("small: HTTP 503"), fault_in("no reply within 60 s")
    ('throttled', 'endpoint_down', '')
    """
    found = _STATUS.search(error)
    if found is None:
        return ""
    return _FAULTS.get(found[1], "endpoint_down" if found[1] >= "500" else "requests_refused")


class WaitEnded(ModelError):
    """Whoever asked would wait no longer: nothing is known of the request, which can be made again.

    Parameters
    ----------
    message : str
        Why it was ended.
    last : str
        What the service said last; empty where it said nothing.
    """

    def __init__(self, message: str, last: str = "") -> None:
        super().__init__(f"{message}; the last that was heard: {last}" if last else message)
        self.why = message
        self.last = last
