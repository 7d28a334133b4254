"""Every way in which a secret may be spelt by whoever repeats it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_ESCAPED = re.compile(r"%[0-9A-F]{2}")


def spellings(secret: str) -> frozenset[str]:
    """A secret as it stands, quoted for a URL, escaped for JSON and HTML, in hexadecimal digits and in base64.

    Base64 is given for each of the three places in a triple of bytes at which the secret may begin, without the
    characters that its neighbours have a share in: so it is also found in ``user:key`` of a header.

    Examples
    --------
    >>> found = spellings("a+b/c")
    >>> {"a+b/c", "a%2Bb%2Fc", "a+b\\\\/c", "612b622f63", "YStiL2", "ErYi9j", "hK2IvY"} <= found
    True
    """
    found: set[str] = set()
    for text in _plain(secret):
        found |= {text, quote(text), quote(text, safe=""), quote_plus(text), html.escape(text)}
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        found |= {html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
        raw = text.encode(errors="replace")
        found |= {raw.hex(), raw.hex().upper(), *_base64(raw)}
    found |= {quote(text, safe="") for text in found}
    found |= {text.replace("/", "\\/") for text in found}
    found |= {_ESCAPED.sub(lambda match: match[0].lower(), text) for text in found}
    return frozenset(found)


def _plain(secret: str) -> Iterator[str]:
    """The secret, without what a shell left around it, in one line, and the long lines of one that has several."""
    yield secret.strip()
    if len(lines := secret.split("\n")) > 1:
        yield " ".join(secret.split())
        yield from (line.strip() for line in lines if len(line.strip()) >= 24)


def _base64(raw: bytes) -> Iterator[str]:
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        core = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield core
        yield core.translate({ord("+"): "-", ord("/"): "_"})
