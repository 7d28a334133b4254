"""What a service says when it refuses, in whatever form, and whose concern that is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
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
from driftgate.flows.network import Unreadable, read_json

_LONGEST = 200
_FILTERED = frozenset(
    {
        "content_filter",
        "invalid_prompt",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "datainspectionfailed",
    }
)
"""Codes by which OpenAI, Azure and Alibaba say that they will not take this prompt."""
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"})
_SPENT_WORDS = re.compile(
    r"exceeded your current quota|out of call volume quota|credit balance is too low|insufficient (?:balance|credits)",
    re.IGNORECASE,
)
"""How services without a code for it say so, under 400, 403 or 429."""
_GONE = frozenset(
    {
        "model_not_found",
        "modelnotfound",
        "deploymentnotfound",
        "unknown_model",
        "unsupported_model",
        "model_not_supported",
        "model_deprecated",
        "modeldeprecated",
        "model_decommissioned",
        "operationnotsupported",
        "unsupportedapiversion",
    }
)
_GONE_WORDS = re.compile(
    r"\bmodel\b.{0,80}\b(?:does not exist|not found|no longer (?:available|supported|served)|decommissioned|"
    r"(?:has been|was|is) retired)|not a valid model",
    re.IGNORECASE,
)
_PASSING = frozenset({408, 409, 425})
"""Statuses below 500 that another attempt may mend."""
_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_NAMED = re.compile(
    r"(?:unsupported|unknown|unrecognized) (?:parameter|value|request argument supplied)[^'\w]*'?([\w.]+)",
    re.IGNORECASE,
)
"""How a service names a parameter that it does not take, where it has no field for the name."""


_ONLY_RESPONSES = re.compile(
    r"\bv1/responses\b|\bresponses (?:api|endpoint)\b|chat_?completions? operation does not work", re.IGNORECASE
)
"""How a service asked for a chat completion says that a model answers on the Responses API only."""
_ONLY_CHAT = re.compile(
    r"\bchat/completions\b|\bchat completions (?:api|endpoint)\b|responses? (?:operation|api) (?:does not work|is not)",
    re.IGNORECASE,
)
_NO_PATH = frozenset({404, 405, 501})


_FORM = "response_format"
"""Schemas are refused in many words: a service that takes none, or not this one, refuses every request alike."""
_FORM_WORDS = re.compile(
    r"response_format|\bjson[ _-]?(?:mode|object|schema)\b|\bstructured outputs?\b|\bguided[ _-](?:json|decoding)\b",
    re.I,
)
"""How services that have no field for the name say it."""


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


class WireRefused(ModelMisconfigured):
    """The service does not answer for this model in the wire form that it was asked in.

    Parameters
    ----------
    message : str
        What it said.
    remedy : str
        What to do where it is not asked in the other one.
    wire : str
        The form that it takes: ``chat`` or ``responses``.
    words : str
        The service's own.
    """

    def __init__(self, message: str, remedy: str, wire: str, words: str) -> None:
        super().__init__(message, remedy)
        self.wire = wire
        self.words = words


@dataclass(frozen=True)
class Words:
    """The body of a refusal."""

    message: str = ""
    code: str = ""
    kind: str = ""
    parameter: str = ""
    filtered: bool = False


_WITHIN = ("error", "errors", "detail", "fault")
"""Where services put what they say of an error."""
_SAYING = ("message", "Message", "detail", "error_message", "error_description", "msg", "faultstring", "title", "error")
_CODES = ("code", "error_code", "__type")
_KINDS = ("type", "error_type", "status")
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def read_words(content: bytes) -> Words:
    """Read a refusal, in whatever place a service puts its words.

    OpenAI, Azure, Anthropic and Google put them into ``error``, vLLM, API Management and Spring at the top level,
    FastAPI into ``detail``, Ollama and text-generation-inference into a text, OpenRouter those of who served it into
    ``metadata``, and a proxy into a page.

    Examples
    --------
    >>> read_words(b'{"error": {"message": "Rate limit", "code": "429"}}').message
    'Rate limit'
    >>> read_words(b'{"object": "error", "message": "maximum context length is 512", "code": 400}').message
    'maximum context length is 512'
    >>> read_words(b'{"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}').message
    'body.top_k: Extra inputs are not permitted'
    >>> read_words(b"<html><h1>413 Request Entity Too Large</h1></html>").message
    '413 Request Entity Too Large'
    """
    try:
        body = read_json(content)
    except Unreadable:
        body = None
    places = list(_places(body))
    if not places:
        said = content[: 50 * _LONGEST].decode(errors="replace")
        return Words(line(_TAG.sub(" ", said) if said.lstrip().startswith("<") else said))
    code, kind = _first(places, _CODES), _first(places, _KINDS)
    inner = [place["innererror"] for place in places if isinstance(place.get("innererror"), Mapping)]
    metadata = [place["metadata"] for place in places if isinstance(place.get("metadata"), Mapping)]
    said = _said(next((place[name] for place in places for name in _SAYING if place.get(name)), ""))
    raw = next((place["raw"] for place in metadata if isinstance(place.get("raw"), str)), "")
    return Words(
        line(
            ": ".join(part for part in (said, read_words(raw.encode(errors="replace")).message if raw else "") if part)
        ),
        code,
        kind,
        _first(places, ("param",)),
        bool({code.lower(), kind.lower(), *(_text(place.get("code")).lower() for place in inner)} & _FILTERED)
        or any("flagged_input" in place for place in metadata),
    )


def _places(body: Any) -> Iterator[Mapping[str, Any]]:
    """Where words may stand, the innermost first."""
    if isinstance(body, list) and body:  # Google's, and APIs that list several errors
        body = body[0]
    if isinstance(body, Mapping):
        within = (body[name] for name in _WITHIN if body.get(name))
        yield from _places(next((part for part in within if _holds_more(part)), None))
        yield body


def _holds_more(part: Any) -> bool:
    """Whether an error is not said there, but in something there; FastAPI's list is itself what is said."""
    first = part[0] if isinstance(part, list) and part else part
    return isinstance(first, Mapping) and "msg" not in first


def _first(places: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    return next((text for place in places for name in names if (text := _text(place.get(name)))), "")


def refusal(name: str, url: str, status: int, content: bytes, headers: Mapping[str, str]) -> ModelError:
    """The error that a reply other than 200 is.

    Its class says whose concern it is: one that passes (:class:`Unavailable`), this sample's
    (:class:`ContentFiltered`, :class:`RequestRejected`) or every sample's (:class:`ModelMisconfigured`).

    Parameters
    ----------
    name : str
        The model's name in the workspace.
    url : str
        Where it was asked; empty where that is not known.
    """
    words = read_words(content)
    http = f"HTTP {status}" + (f" {words.message}" if words.message else "")
    said = f"{name}: {http}"
    told = f"HTTP {status}" + (f": {words.message}" if words.message else "")
    if words.filtered:
        return ContentFiltered(said)
    if 300 <= status < 400:
        return redirected(f"model '{name}'", url, headers.get("location", ""))
    if _is_spent(status, words, headers):
        return ModelMisconfigured(
            f"the quota of model '{name}' is spent ({told})",
            "raise it, or wait until it is renewed; then go on with: driftgate bench --resume",
            fault="throttled",
        )
    if status == 429:
        return RateLimited(said, retry_after(headers))
    if status >= 500 or status in _PASSING:
        return Unavailable(said)
    if status in (401, 403):
        return ModelMisconfigured(
            f"the service refused the key of model '{name}' ({told})",
            "check the environment variable its api_key names, and that the key belongs to this endpoint",
            fault="credentials_refused",
        )
    if wire := _other_wire(url, status, words):
        return WireRefused(
            f"model '{name}' does not answer at {safe(url)} ({told})",
            f"set models.{name}.wire: {wire}, or leave wire out",
            wire,
            told,
        )
    if status in (404, 410) or words.code.lower() in _GONE or _GONE_WORDS.search(words.message):
        return ModelMisconfigured(
            f"model '{name}' is not served{f' at {safe(url)}' if url else ''} ({told})",
            "check its endpoint, its model or deployment name and its api_version",
            fault="model_not_served",
        )
    named = _NAMED.search(words.message)
    if words.code in _UNSUPPORTED or named:
        parameter = words.parameter or (named.group(1) if named else "")
        if parameter:
            return ParameterRefused(said, parameter)
    if words.parameter.startswith((_FORM, "text.format")) if words.parameter else _FORM_WORDS.search(words.message):
        return ParameterRefused(said, _FORM)
    return RequestRejected(said)


def _other_wire(url: str, status: int, words: Words) -> str:
    """The wire form that a service wants to be asked in instead, or may want to; empty where that is not the matter."""
    path = urlsplit(url).path
    if path.endswith("/chat/completions"):
        return "responses" if status < 500 and _ONLY_RESPONSES.search(words.message) else ""
    if path.endswith("/responses"):
        gone = words.code.lower() in _GONE - {"operationnotsupported"} or _GONE_WORDS.search(words.message)
        return "chat" if _ONLY_CHAT.search(words.message) or (status in _NO_PATH and not gone) else ""
    return ""


def _is_spent(status: int, words: Words, headers: Mapping[str, str]) -> bool:
    """Whether it is a quota that waiting does not bring back; a service that names a time asks to wait."""
    if status == 402 or {words.code.lower(), words.kind.lower()} & _SPENT:
        return True
    waits = retry_after(headers) is not None or "retry in" in words.message.lower()
    return status in (400, 403, 429) and not waits and _SPENT_WORDS.search(words.message) is not None


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


def line(text: str) -> str:
    """The beginning of a text in one line, for messages."""
    return " ".join(well_formed(text).split())[:_LONGEST]


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
