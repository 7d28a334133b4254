"""Rows of a table as HTML: written here and not in a template, as a page has a thousand cells and many readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from driftgate.flows.plain import visible
from driftgate.service.console import _numbers
from driftgate.service.console._table import Column, Row, Shown
from driftgate.service.console._words import say

if TYPE_CHECKING:
    from markupsafe import Markup

SIGNS: Mapping[str, str] = {
    "fine": "✓", "pass": "✓", "complete": "✓", "quiet": "✓", "promoted": "✓", "done": "✓", "resolved": "✓", "good": "✓",
    "answered": "✓", "gained": "▲", "higher": "▲", "fail": "✕", "failed": "✕", "moved": "✕", "wrong": "✕",
    "error": "✕", "bad": "✕", "rejected": "✕", "abandoned": "✕", "lost": "▼", "lower": "▼", "open": "!", "worse": "!",
    "inconclusive": "?", "interrupted": "‖", "stopped": "‖", "stalled": "‖", "held": "…", "waiting": "…",
    "running": "▶", "unmeasurable": "∅", "unknown": "∅", "missing": "∅", "refused": "∅", "missed": "∅",
    "reference": "◆", "proposed": "!",
}  # fmt: skip
"""A status as one character, for those who do not see its colour."""
TONES: Mapping[str, str] = {
    **dict.fromkeys(
        ("fine", "pass", "complete", "quiet", "promoted", "done", "resolved", "gained", "higher", "finished", "good"),
        "good",
    ),
    **dict.fromkeys(
        (
            "fail",
            "failed",
            "moved",
            "wrong",
            "error",
            "rejected",
            "abandoned",
            "lost",
            "lower",
            "critical",
            "high",
            "bad",
            "worse",
        ),
        "bad",
    ),
    **dict.fromkeys(
        (
            "open",
            "proposed",
            "inconclusive",
            "interrupted",
            "stopped",
            "stalled",
            "held",
            "acknowledged",
            "overdue",
            "medium",
            "cancelled",
        ),
        "warn",
    ),
    **dict.fromkeys(
        ("unmeasurable", "unknown", "missing", "missed", "refused", "unparsed", "filtered", "truncated"), "blind"
    ),
    **dict.fromkeys(("running", "started", "waiting", "queued", "approved", "under way"), "busy"),
}
"""What colour a status has; one that is not here has none."""
_LEAST_SHOWN, _RESIDUE = 0.001, 1e-9
_NOT_KNOWN = '<span class="quiet">–</span>'
_CELLS = 4
"""Cells of a run that a row names, at most."""


def status(value: Any, language: str, words: str = "") -> Markup:
    """A status with its sign and its word; nothing where there is none."""
    from markupsafe import Markup, escape

    if not value:
        return Markup("")
    name = str(value)
    said = escape(visible(words or say(f"status.{name}", language)))
    tone, sign = TONES.get(name, "plain"), SIGNS.get(name, "·")
    return Markup(f'<span class="status {tone}"><span aria-hidden="true">{sign}</span> {said}</span>')  # noqa: S704


def exact(value: Any) -> Markup:
    r"""A value of a form as it is: what cannot be seen stands as a reference, so that the page itself has none of it.

    Examples
    --------
    >>> str(exact('a<\u202eb'))
    'a&lt;&#8238;b'
    """
    from markupsafe import Markup, escape

    said = str(escape(str(value)))
    if not said.isprintable():
        said = "".join(sign if sign.isprintable() else f"&#{ord(sign)};" for sign in said)
    return Markup(said)  # noqa: S704 - it is escaped


def shown(value: Any) -> Any:
    """What a template writes of a value: of a text what can be seen."""
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def time(value: datetime | None) -> Markup:
    """A time, to the minute."""
    from markupsafe import Markup

    if value is None:
        return Markup("")
    at = value.astimezone(UTC).isoformat()
    return Markup(f'<time datetime="{at}">{_numbers.moment(value)}</time>')  # noqa: S704 - digits and signs


def when(value: datetime | None, language: str) -> Markup:
    """How long ago a time is."""
    from markupsafe import Markup

    if value is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        value.astimezone(UTC).isoformat(), _numbers.moment(value), _numbers.ago(value, language)
    )


def _three(value: float) -> str:
    """Three decimals, or two digits of what these would show as nothing."""
    return f"{value:.2g}" if _RESIDUE < abs(value) < _LEAST_SHOWN else f"{value:.3f}"


def score(value: float | None, low: float | None = None, high: float | None = None) -> Markup:
    """A score with its interval.

    Examples
    --------
    >>> str(score(0.7134, 0.7, 0.72))
    '<span class="num">0.713</span> <span class="interval">(0.700–0.720)</span>'
    >>> str(score(0.000054)), str(score(0.0))  # what a question costs is little and not nothing
    ('<span class="num">5.4e-05</span>', '<span class="num">0.000</span>')
    """
    from markupsafe import Markup

    if value is None:
        return Markup(_NOT_KNOWN)  # noqa: S704 - ours
    said = f'<span class="num">{_three(value)}</span>'
    if low is not None and high is not None:
        said += f' <span class="interval">({_three(low)}–{_three(high)})</span>'
    return Markup(said)  # noqa: S704 - numbers


def body(shown: Shown, language: str) -> Markup:
    """The rows of a table."""
    from markupsafe import Markup, escape

    columns = [
        (column, str(escape(say(f"column.{column.name}", language))), _writer(column, language))
        for column in shown.table.columns
    ]
    parts = []
    for row in shown.found.rows:
        parts.append("<tr>")
        for column, label, write in columns:
            said = write(row)
            if column.link and said and (address := column.address(row)):
                said = f'<a href="{escape(address)}">{said}</a>'
            parts.append(f'<td class="k-{column.kind}" data-label="{label}">{said}</td>')
        parts.append("</tr>\n")
    return Markup("".join(parts))  # noqa: S704 - each cell is escaped by its writer


def _writer(column: Column, language: str) -> Callable[[Row], str]:
    """How a cell of a column is written; what it returns is safe."""
    from markupsafe import escape

    name = column.name

    def plain(row: Row) -> str:
        value = row.get(name)
        return "" if value is None else str(escape(visible(str(value))))

    def long(row: Row) -> str:
        said = plain(row)
        return f'<span class="clip">{said}</span>' if said else ""

    def scored(row: Row) -> str:
        if row.get(name) is None and row.get("cells"):
            return _of_cells(row, language)
        return str(score(row.get(name), row.get(f"{name}_low"), row.get(f"{name}_high")))

    writers: Mapping[str, Callable[[Row], str]] = {
        "status": lambda row: str(status(row.get(name), language)),
        "time": lambda row: str(time(row.get(name))),
        "score": scored,
        "share": lambda row: _numbers.share(row.get(name)),
        "number": lambda row: str(escape(_numbers.number(row.get(name)))),
        "seconds": lambda row: _numbers.seconds(row.get(name)),
        "money": lambda row: _numbers.money(row.get(name)),
        "points": lambda row: _numbers.points(row.get(name)),
        "long": long,
        "word": lambda row: str(escape(say(f"{name}.{row[name]}", language))) if row.get(name) else "",
    }
    return writers.get(column.kind, plain)


def _of_cells(row: Row, language: str) -> str:
    """The scores of a run with several cells."""
    from markupsafe import escape

    said = [
        f'<span class="of">{escape(visible(one["cell"]))} {score(one["accuracy"])}</span>'
        for one in row["cells"][:_CELLS]
    ]
    more = len(row["cells"]) - _CELLS
    if more > 0:
        said.append(f'<span class="quiet">{escape(say("table.more", language, n=more))}</span>')
    return "".join(said)
