"""Numbers and foreign text, made fit for a page, a plot or Markdown.

What a model or a dataset wrote is hostile until escaped: Jinja2 escapes it for HTML, :func:`plot_label` for Plotly,
:func:`markdown_text` and :func:`markdown_code` for Markdown.
"""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

NOT_MEASURED = "–"
# Control characters become their visible pictures (U+2400 …); what turns the direction of text, a box.
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
_TURNS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))  # and separators of lines
_CONTROLS |= dict.fromkeys((*range(0x80, 0xA0), *_TURNS), 0xFFFD)
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#&$])")
_LINK = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")


def clean(value: Any) -> Any:
    r"""Make control characters, turns of direction and lone surrogates visible; what is no plain text stays as it is.

    Examples
    --------
    >>> clean("a\x00b\x1b[31m\n\ud800")
    'a␀b␛[31m\n?'
    """
    if type(value) is not str:
        return value
    return value.replace("\r\n", "\n").translate(_CONTROLS).encode("utf-8", "replace").decode()


def excerpt(text: str, most: int) -> str:
    """The first ``most`` characters, and how many more there were.

    Examples
    --------
    >>> excerpt("abcdef", 4)
    'abcd … [2 more characters]'
    """
    return text if len(text) <= most else f"{text[:most]} … [{len(text) - most:,} more characters]"


def as_text(value: Any) -> str:
    """A value as a person reads it: text as it is, nothing as nothing, everything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def shorten(text: str, most: int) -> str:
    """One line of at most ``most`` characters.

    Examples
    --------
    >>> shorten("Railway-and-Automotive-Engineering", 12)
    'Railway-and…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def plot_label(text: str, most: int = 80) -> str:
    """Escape a label for Plotly, which reads a small HTML of its own (links among it) in every text.

    Examples
    --------
    >>> plot_label('<a href="x">R&D</a>')
    '&lt;a href="x"&gt;R&amp;D&lt;/a&gt;'
    """
    return html.escape(clean(shorten(text, most)), quote=False)


def markdown_text(text: str) -> str:
    r"""Escape a line for GitHub's Markdown, also within a table: no markup, link, mention or reference comes of it.

    Examples
    --------
    >>> print(markdown_text("a|b *c* @team http://x"))
    a\|b \*c\* @⁠team http\://x
    """
    line = _MARKDOWN.sub(r"\\\1", clean(" ".join(text.split())))
    # A backslash does not keep GitHub from notifying @team; a word joiner, which nobody sees, does.
    return _LINK.sub(lambda match: "\\" + match.group(0), line).replace("@", "@\u2060")


def markdown_code(text: str) -> str:
    r"""A code span for a line, also within a table, whatever backticks and pipes the line holds.

    Examples
    --------
    >>> print(markdown_code("a|b"), markdown_code("tick ` tock"))
    `a\|b` `` tick ` tock ``
    """
    line = clean(" ".join(text.split())).replace("|", "\\|")
    if not line:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction as a percentage; what is none, such as the mean of grades up to 5, as it is.

    Examples
    --------
    >>> percent(0.6423), percent(None), percent(1.887)
    ('64.2%', '–', '1.887')
    """
    if value is None:
        return NOT_MEASURED
    return f"{100 * value:.{digits}f}%" if 0.0 <= value <= 1.0 else f"{value:.3f}"


def percent_range(low: float | None, high: float | None) -> str:
    """Two fractions as a range of percentages.

    Examples
    --------
    >>> percent_range(0.5, 0.625)
    '50.0 – 62.5%'
    """
    if low is None or high is None:
        return NOT_MEASURED
    return f"{100 * low:.1f} – {100 * high:.1f}%" if low >= 0.0 and high <= 1.0 else f"{low:.3f} – {high:.3f}"


def points(value: float | None) -> str:
    """A difference of fractions in percentage points, with its sign.

    Examples
    --------
    >>> points(-0.021), points(0.1)
    ('−2.1', '+10.0')
    """
    if value is None:
        return NOT_MEASURED
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def p_value(value: float | None) -> str:
    """A p-value, never 0.

    Examples
    --------
    >>> p_value(0.0321), p_value(1e-7), p_value(0.0), p_value(None)
    ('0.0321', '1e-07', '< 1e-300', '–')
    """
    if value is None:
        return NOT_MEASURED
    if value < 1e-300:
        return "< 1e-300"
    return f"{value:.4f}" if value >= 0.0001 else f"{value:.0e}"


def number(value: float | None) -> str:
    """A number of any size in four significant digits.

    Examples
    --------
    >>> number(0.64231), number(12345.6), number(3.0)
    ('0.6423', '12,346', '3')
    """
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def seconds(value: float | None) -> str:
    """A duration.

    Examples
    --------
    >>> seconds(0.0123), seconds(1.5), seconds(754)
    ('12.3 ms', '1.50 s', '12 min 34 s')
    """
    if value is None:
        return NOT_MEASURED
    if value < 0.9995:
        return f"{1000 * value:.3g} ms"
    if value < 60:
        return f"{value:.3g} s" if value >= 10 else f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def money(value: float | None, currency: str) -> str:
    """An amount with its currency; small ones keep their digits.

    Examples
    --------
    >>> money(12.5, "USD"), money(0.001234, "EUR"), money(0.0, "USD")
    ('USD 12.50', 'EUR 0.00123', 'USD 0')
    """
    if value is None:
        return NOT_MEASURED
    amount = "0" if value == 0 else f"{value:,.2f}" if value >= 1 else f"{value:.3g}"
    return f"{currency} {amount}"


def moment(value: datetime, zone: tzinfo | None) -> str:
    """A point in time in a zone (None: this machine's), with UTC beside it where that differs.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> moment(datetime(2026, 11, 22, 14, 15, tzinfo=UTC), ZoneInfo("Asia/Seoul"))
    '2026-11-22 23:15:00 KST (14:15:00 UTC)'
    """
    local, utc = value.astimezone(zone), value.astimezone(UTC)
    if local.utcoffset() == timedelta(0):
        return f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    day = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
    return f"{local:%Y-%m-%d %H:%M:%S %Z} ({day}{utc:%H:%M:%S} UTC)"
