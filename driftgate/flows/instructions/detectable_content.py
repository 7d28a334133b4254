"""Parts that are to stand in a reply."""

from __future__ import annotations

import re

from driftgate.flows.instructions._parameters import Count, Text
from driftgate.flows.text import composed

_PLACEHOLDER = re.compile(r"\[[^\[\]\n]+\]")


def number_placeholders(reply: str, *, num_placeholders: Count) -> bool:
    """At least so many placeholders such as ``[주소]``."""
    return len(_PLACEHOLDER.findall(reply)) >= num_placeholders


def postscript(reply: str, *, postscript_marker: Text) -> bool:
    """A postscript begins with its marker; the points of ``P.S.`` may have spaces after them."""
    letters = (re.escape(letter) for letter in composed(postscript_marker).rstrip(". ") if not letter.isspace())
    return re.search(r"(?<![\w.])" + r"\s*".join(letters), composed(reply), re.IGNORECASE) is not None


CHECKS = {"number_placeholders": number_placeholders, "postscript": postscript}
