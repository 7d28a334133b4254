"""What a service or a tool gives, made into what both databases can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A JSON value as close to ``value`` as can be: one sample's odd reply must not keep a batch from being written.

    PostgreSQL holds no NUL in a text and neither database a lone surrogate; JSON has no NaN and no infinity.

    Examples
    --------
    >>> plain({"score": float("nan"), 1: ("가\\x00", {2})})
    {'score': 'nan', '1': ['가\\ufffd', [2]]}
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return plain(str(value))


def plain_text(text: str) -> str:
    """The text without NUL and without lone surrogates."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def to_json(value: Any) -> str:
    """JSON of :func:`plain` of a value; most values are plain already and are not walked through.

    Examples
    --------
    >>> to_json({"text": "가", "first_token": None}), to_json([float("inf"), "\\x00"])
    ('{"text": "가", "first_token": null}', '["inf", "�"]')
    """
    try:
        text = _encode(value)
        text.encode()
    except (ValueError, TypeError):  # NaN, a lone surrogate, or an object that JSON does not know
        return _encode(plain(value))
    return _encode(plain(value)) if "\\u0000" in text else text


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
