"""What a service or a tool gives, made into what both databases can hold."""

from __future__ import annotations

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
        return value.encode(errors="replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return plain(str(value))
