"""No secret leaves: what is known to be one is blanked in every text that is told, kept or sent.

A secret is registered where its value is read, with :func:`keep_secret`; there is one register for the process. What
writes calls :func:`scrub`, which blanks what is registered, in whatever way it is spelt. What others say of a call,
such as an error or a label, goes through :func:`told`, which also blanks what looks like a secret or like personal
data. Standard library only, and at the bottom of everything: errors themselves are made with it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import unquote

from driftgate.flows._secret_forms import spellings
from driftgate.flows._secret_shapes import without_shapes

BLANK = "(secret)"
"""What stands in a secret's place; it means nothing to JSON, HTML, Markdown, YAML or the terminal."""
SHORTEST = 8
"""Characters that a secret has at least: a shorter one is also part of ordinary words."""
_SHORTEST_PLAIN = 12
_LATEST = 64
"""Tokens that are remembered; each is good for an hour or so."""
_CUT = ("…", "...")


def ordinary(secret: str) -> str:
    """Why a secret cannot be told from ordinary text, and is therefore blanked nowhere; empty where it can.

    Examples
    --------
    >>> ordinary("test"), ordinary("password"), ordinary("123456789012")
    ('it has only 4 characters', 'it could be a word', 'it could be a number')
    >>> ordinary("k3y-9f8a7c")
    ''
    """
    secret = secret.strip()
    if len(secret) < SHORTEST:
        return f"it has only {len(secret)} characters"
    if secret.isdecimal():
        return "it could be a number"
    if secret.isalpha() and len(secret) < _SHORTEST_PLAIN:
        return "it could be a word"
    return f"it has only {len(set(secret))} different characters" if len(set(secret)) < 5 else ""


class _Register:
    """The secrets that this process knows, by their spellings."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: set[str] = set()
        self._passing: deque[str] = deque()
        self._spelt: dict[str, frozenset[str]] = {}
        self.spellings: tuple[str, ...] = ()
        """The longest first, so that what holds another is blanked as a whole."""
        self.beginnings: tuple[tuple[str, str], ...] = ()
        """The least of each that is known again where it was cut off, and the whole."""

    def add(self, secret: str, *, passing: bool) -> None:
        if secret in self._known or secret in self._spelt or ordinary(secret):
            return
        with self._lock:
            if passing:
                self._passing.append(secret)
                if len(self._passing) > _LATEST:
                    self._spelt.pop(self._passing.popleft(), None)
            else:
                self._known.add(secret)
            self._spelt = self._spelt | {secret: spellings(secret)}
            every = {text for texts in self._spelt.values() for text in texts if len(text) >= SHORTEST}
            self.spellings = tuple(sorted(every, key=lambda text: (-len(text), text)))
            self.beginnings = tuple(
                (text[: max(SHORTEST, min(16, len(text) * 3 // 5))], text) for text in self.spellings
            )
        told_label.cache_clear()


_REGISTER = _Register()


def keep_secret(secret: str, *, passing: bool = False) -> str:
    """Register a secret, and return it; one that could be :func:`ordinary` text is not registered.

    Parameters
    ----------
    passing : bool
        It is a token that another will replace: of these only the latest are remembered.
    """
    _REGISTER.add(secret, passing=passing)
    return secret


_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*?:([^/?#\s]+)@")
_NAMED = re.compile(r"(?i)(?:^|[?&;\s])(?:[\w-]*(?:key|secret|token|passw(?:or)?d|pwd|signature)|sig|code)=([^&;\s]+)")
_HOOK = re.compile(r"https?://[^/\s]*(?:hook|discord|slack)[^\s]*?/([A-Za-z0-9_-]{16,})(?=[/?#]|$)")
"""The token that is the last part of the address of a webhook: of Slack, Teams, Discord."""


def secrets_in(text: str) -> list[str]:
    """Secrets that an address or a connection string holds.

    Examples
    --------
    >>> secrets_in("postgresql://me:s3cr3t-0f-db@db/x?sslmode=require")
    ['s3cr3t-0f-db']
    >>> secrets_in("InstrumentationKey=11aa22bb-0000;IngestionEndpoint=https://x.example/")
    ['11aa22bb-0000']
    """
    return [value for rule in (_USER, _NAMED, _HOOK) for value in rule.findall(text)]


def keep_secrets_in(text: str) -> str:
    """Register what :func:`secrets_in` finds, as it is written and as it is meant, and return the text."""
    for secret in secrets_in(text):
        keep_secret(secret)
        keep_secret(unquote(secret))
    return text


def scrub(text: str) -> str:
    """The text with :data:`BLANK` in the place of every registered secret, in any spelling.

    Examples
    --------
    >>> key = keep_secret("doc-example-3f9a77")
    >>> scrub(f"401: the key {key} is unknown"), scrub("nothing")
    ('401: the key (secret) is unknown', 'nothing')
    """
    for spelt in _REGISTER.spellings:
        if spelt in text:
            text = text.replace(spelt, BLANK)
    return text


def holds_secret(text: str) -> bool:
    """Whether a registered secret stands in the text."""
    return any(spelt in text for spelt in _REGISTER.spellings)


def scrub_value(value: Any) -> Any:
    """A JSON value with every text in it scrubbed, keys included."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {scrub(key) if isinstance(key, str) else key: scrub_value(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub_value(inner) for inner in value]
    return value


def scrub_bytes(data: bytes) -> bytes:
    """As :func:`scrub`, of a text in UTF-8; other bytes stay as they are."""
    text = data.decode(errors="surrogateescape")
    return scrub(text).encode(errors="surrogateescape") if holds_secret(text) else data


def told(text: str) -> str:
    """What somebody else says of a call, without secrets and personal data.

    Beside what is registered, a beginning of it that was cut off is blanked, and so is what has the form of a key, a
    token, a connection string, a resident number, a card, a mobile telephone or an e-mail address.

    Examples
    --------
    >>> key = keep_secret("doc-example-3f9a77")
    >>> told("bad key doc-example-3f9…"), told("Bearer abcdefgh12345678 of kim@example.kr")
    ('bad key (secret)…', 'Bearer (secret) of <EMAIL_ADDRESS>')
    """
    return without_shapes(_without_cut(scrub(text)), BLANK)


@lru_cache(maxsize=8192)
def told_label(label: str) -> str:
    """As :func:`told`, for the few names that come with every sample and every call."""
    return told(label)


def _without_cut(text: str) -> str:
    """Blank the beginning of a secret at the end of a text or before an ellipsis."""
    for least, spelt in _REGISTER.beginnings:
        at = text.find(least)
        while at >= 0:
            same = next((n for n, (a, b) in enumerate(zip(spelt, text[at:], strict=False)) if a != b), None)
            same = min(len(spelt), len(text) - at) if same is None else same
            if at + same == len(text) or text.startswith(_CUT, at + same):
                text = text[:at] + BLANK + text[at + same :]
            at = text.find(least, at + len(BLANK))
    return text
