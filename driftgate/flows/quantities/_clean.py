r"""One spelling for what LaTeX, Markdown and Unicode write in several: ``½``, ``³``, ``㎠``, ``\text{m}``."""

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_SQUARED = re.compile("[㎟-㎦]")  # NFKC makes "m2" of them
_MARKS = str.maketrans({
    "−": "-", "×": "*", "∙": "*", "⋅": "*", "✕": "*", "÷": "/", "⁄": "/", "∕": "/", "≒": "≈",
    "\u200b": None, "\u2060": None, "\ufeff": None, "`": None,
})  # fmt: skip
_NAMED = re.compile(r"\\(?:text(?:bf|it|rm|sf)?|math(?:rm|bf|it|sf)|mbox|operatorname)\s*\{([^{}]*)\}")
_REWRITTEN = (
    (re.compile(r"\\(?:left|right|displaystyle|textstyle|limits|big|Big|bigg|Bigg)(?![a-zA-Z])|\\[,;:! ]|~"), " "),
    (re.compile(r"\\q?quad(?![a-zA-Z])"), " "),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree(?![a-zA-Z])|º"), "°"),
    (re.compile(r"\\(?:approx|simeq|fallingdotseq|cong)(?![a-zA-Z])"), "≈"),
    (re.compile(r"\\(?:[()\[\]])"), " "),
    (re.compile(r"루트\s*"), "√"),
    (re.compile(r"파이|(?<![a-zA-Z\\])pi(?![a-zA-Z])"), "π"),
    (re.compile(r"\*\*|__"), ""),
)
_DOLLARS = re.compile(r"(?:US)?\\?\$\s*(\d[\d,]*(?:\.\d+)?)(?!\s*(?:[-+*/^=\\]|[^$\n]{0,80}\$))")
_WON = re.compile(r"[₩￦]\s*(\d[\d,]*(?:\.\d+)?)")
_TEX_SPACE = re.compile(r"[ \t\u3000]+")


def cleaned(text: str) -> str:
    r"""A text in the one spelling that is read; lines stay apart.

    Examples
    --------
    >>> cleaned(r"정답: **$\dfrac{1}{2}\,\text{m}^2$**"), cleaned("3½ ㎠"), cleaned("2³×10"), cleaned("$18")
    ('정답: \\dfrac{1}{2} m^2', '3 \\frac{1}{2} cm^2', '2^{3}*10', '18달러')
    """
    text = _RAISED.sub(lambda m: f"^{{{m[0].translate(_SUPERSCRIPTS)}}}", text)
    text = _VULGAR.sub(lambda m: " \\frac{{{}}}{{{}}}".format(*unicodedata.normalize("NFKC", m[0]).split("⁄")), text)
    text = _SQUARED.sub(lambda m: re.sub(r"(\d)", r"^\1", unicodedata.normalize("NFKC", m[0])), text)
    text = unicodedata.normalize("NFKC", _WON.sub(r"\1원", text)).translate(_MARKS)
    for pattern, new in _REWRITTEN:
        text = pattern.sub(new, text)
    for _ in range(2):  # one inside another
        text = _NAMED.sub(r" \1 ", text)
    text = _DOLLARS.sub(r"\1달러", text).replace("$", " ")
    text = re.sub(r"\s+\^", "^", text)
    return "\n".join(_TEX_SPACE.sub(" ", line).strip() for line in text.splitlines())
