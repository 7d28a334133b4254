"""Texts without the markup that may stand between their letters."""

from __future__ import annotations

import html
import re

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BLOCK = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|td|th|table|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>")  # a space behind "<" is ordinary text: a < b
_BRACKETED = re.compile(r"\[/?(?:b|i|u|s|color|size|font|url|quote|code)(?:=[^\]\[]*)?\]", re.IGNORECASE)
_MARKS = str.maketrans("", "", "`~^|*")


def without_markup(text: str) -> str:
    """The text as a reader of HTML, Markdown or BBCode sees it.

    Tags, comments and marks of emphasis go, references to characters become these, and what ends a line does so. Where
    ordinary text looks like a tag it goes too, so compare this beside the text as it stands, not in its place.

    Examples
    --------
    >>> without_markup("<b>서</b><b class='x'>울</b>&#51008; **어**디? a < b")
    '서울은 어디? a < b'
    >>> without_markup("가<br>나").split()
    ['가', '나']
    """
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub("", _BLOCK.sub("\n", _COMMENT.sub("", text)))
    if "[" in text:
        text = _BRACKETED.sub("", text)
    return text.translate(_MARKS)
