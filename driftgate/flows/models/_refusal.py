"""What a service says when it refuses, in whatever form, and whose concern that is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from driftgate.flows.models._errors import (
    ContentFiltered,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    RequestRejected,
    Unavailable,
)
from driftgate.flows.models._redirects import redirected

_LONGEST = 200
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_GONE = frozenset({"model_not_found", "deploymentnotfound", "unknown_model", "model_deprecated", "modeldeprecated"})
_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_NAMED = re.compile(
    r"(?:unsupported|unknown|unrecognized) (?:parameter|value|request argument supplied)[^'\w]*'?([\w.]+)",
    re.IGNORECASE,
)
"""How a service names a parameter that it does not take, where it has no field for the name."""


_FORM = "response_format"
"""Schemas are refused in many words: a service that takes none, or not this one, refuses every request alike."""


class ParameterRefused(RequestRejected):
    """The service does not take a parameter, or not with this value.

    Parameters
    ----------
    message : str
        What the service said.
    parameter : str
        Its name as it was sent.
    """

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Words:
    """The body of a refusal."""

    message: str = ""
    code: str = ""
    kind: str = ""
    parameter: str = ""
    filtered: bool = False


def read_words(content: bytes) -> Words:
    """Read a refusal in the form of OpenAI and Azure, of vLLM (at the top level), FastAPI (``detail``) or Ollama.

    Examples
    --------
    >>> read_words(b'{"error": {"message": "Rate limit", "code": "429"}}').message
    'Rate limit'
    >>> read_words(b'{"object": "error", "message": "maximum context length is 512", "code": 400}').message
    'maximum context length is 512'
    >>> read_words(b'{"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}').message
    'body.top_k: Extra inputs are not permitted'
    >>> read_words(b"upstream connect error").message
    'upstream connect error'
    """
    try:
        body = json.loads(content)
    except ValueError:
        return Words(_line(content[:_LONGEST].decode(errors="replace")))
    if not isinstance(body, Mapping):
        return Words(_line(content[:_LONGEST].decode(errors="replace")))
    error = next((body[name] for name in ("error", "detail") if body.get(name)), body)
    if not isinstance(error, Mapping):
        return Words(_line(_said(error)))
    inner = error.get("innererror")
    policy = isinstance(inner, Mapping) and inner.get("code") == "ResponsibleAIPolicyViolation"
    code = _text(error.get("code"))
    said = next((error[name] for name in ("message", "detail", "error", "msg") if error.get(name)), "")
    return Words(
        _line(_said(said)),
        code,
        _text(error.get("type")),
        _text(error.get("param")),
        policy or code == "content_filter",
    )


def refusal(name: str, url: str, status: int, content: bytes, headers: Mapping[str, str]) -> ModelError:
    """The error that a reply other than 200 is.

    Parameters
    ----------
    name : str
        The model's name in the workspace.
    url : str
        Where it was asked.
    """
    words = read_words(content)
    http = f"HTTP {status}" + (f" {words.message}" if words.message else "")
    said = f"{name}: {http}"
    told = f"HTTP {status}" + (f": {words.message}" if words.message else "")
    if words.filtered:
        return ContentFiltered(said)
    if 300 <= status < 400:
        return redirected(f"model '{name}'", url, headers.get("location", ""))
    if status == 402 or {words.code, words.kind} & _SPENT:
        return ModelMisconfigured(
            f"the quota of model '{name}' is spent ({told})",
            "raise it, or wait until it is renewed; then go on with: driftgate bench --resume",
        )
    if status == 429:
        return RateLimited(said, retry_after(headers))
    if status >= 500 or status == 408:
        return Unavailable(said)
    if status in (401, 403):
        return ModelMisconfigured(
            f"the service refused the key of model '{name}' ({told})",
            "check the environment variable its api_key names, and that the key belongs to this endpoint",
        )
    if status in (404, 410) or words.code.lower() in _GONE:
        return ModelMisconfigured(
            f"model '{name}' is not served at {safe(url)} ({told})",
            "check its endpoint, its model or deployment name and its api_version",
        )
    named = _NAMED.search(words.message)
    if words.code in _UNSUPPORTED or named:
        parameter = words.parameter or (named.group(1) if named else "")
        if parameter:
            return ParameterRefused(said, parameter)
    if words.parameter.startswith(_FORM) if words.parameter else _FORM in words.message:
        return ParameterRefused(said, _FORM)
    return RequestRejected(said)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a reply asks to wait, where it says so."""
    for header, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[header]) * scale
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def safe(url: str) -> str:
    """The URL without a query or a user's password, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def well_formed(text: str) -> str:
    """The text without lone surrogates: JSON can say them, and neither a file nor a database can hold them."""
    return text.encode(errors="replace").decode()


def _said(value: Any) -> str:
    """A message that may be a text, or a list of what FastAPI found wrong."""
    if isinstance(value, list):
        return "; ".join(_said(item) for item in value)
    if isinstance(value, Mapping) and value.get("msg"):
        where = value.get("loc")
        at = ".".join(str(part) for part in where) if isinstance(where, list) else ""
        return f"{at}: {value['msg']}" if at else str(value["msg"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str:
    return "" if value is None else well_formed(str(value))


def _line(text: str) -> str:
    return " ".join(well_formed(text).split())[:_LONGEST]
