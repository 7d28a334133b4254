"""Pages as HTML, as JSON and as CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from driftgate.flows.plain import no_formula, plain
from driftgate.service.console import _cells, _chart, _numbers
from driftgate.service.console._live import live_cost, live_outcomes
from driftgate.service.console._page import Content, Page, menu
from driftgate.service.console._table import Shown
from driftgate.service.console._words import LANGUAGES, catalogue, say

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
STATIC: Mapping[str, str] = {"console.css": "text/css", "console.js": "text/javascript"}
"""The files that pages load, and what each is."""


def html(
    page: Page,
    content: Content,
    tables: Sequence[Shown],
    *,
    name: str,
    path: str,
    language: str,
    operates: bool,
    read_only: bool,
    csrf: str,
    signed: str,
    query: Mapping[str, str],
) -> str:
    """A page for a browser.

    Parameters
    ----------
    csrf
        What stands in every form, as HTML.
    signed
        What says who has signed in, as HTML.
    """
    from markupsafe import Markup

    return (
        _environment(language)
        .get_template(f"{page.name}.html")
        .render(
            page=page,
            section=page.section or page.name,
            title=content.title,
            facts=content.facts,
            view=content.view,
            tables={shown.table.name: shown for shown in tables},
            first=tables[0] if tables else None,
            name=name,
            path=path,
            query=query,
            operates=operates,
            read_only=read_only,
            csrf=Markup(csrf),  # noqa: S704 - ours
            signed=Markup(signed),  # noqa: S704 - ours
        )
    )


def problem(status: int, said: str, remedy: str, *, name: str, language: str) -> str:
    """A page that says what is wrong with what was asked for."""
    return (
        _environment(language)
        .get_template("problem.html")
        .render(
            page=None,
            section="",
            status=status,
            said=said,
            remedy=remedy,
            name=name,
            path="",
            query={},
            title=str(status),
            signed="",
        )
    )


def sign_out(name: str, session: str, language: str) -> str:
    """Who has signed in, and the button that ends the session whose token is given."""
    return _environment(language).get_template("sign_out.html").render(name=name, session=session)


def as_json(page: Page, content: Content, tables: Sequence[Shown]) -> str:
    """What a page has, for a program."""
    shown = {
        one.table.name: {
            "total": one.found.total,
            "page": one.wanted.page,
            "size": one.wanted.size,
            "rows": [to_plain(row) for row in one.found.rows],
            **({"searched": to_plain(one.found.searched)} if one.found.searched is not None else {}),
        }
        for one in tables
    }
    told = {"page": page.name, "title": content.title, "facts": to_plain(content.facts), "tables": shown}
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def as_csv(shown: Shown) -> str:
    """The rows of a table for a spreadsheet, in which none becomes a formula."""
    names = [column.name for column in shown.table.columns]
    names += sorted({name for row in shown.found.rows for name in row} - set(names))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in shown.found.rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return out.getvalue()


def _cell(value: Any) -> Any:
    found = to_plain(value)
    if isinstance(found, dict | list):
        found = json.dumps(found, ensure_ascii=False)
    return "" if found is None else no_formula(plain(found)) if isinstance(found, str) else found


def to_plain(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, what is not a number as nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


@cache
def static(name: str) -> tuple[bytes, str]:
    """A file that pages load, and the hash by which a browser knows a newer one."""
    data = (HERE / "static" / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def prepare() -> None:
    """Read everything that pages are made of, so that a process goes on with what it began with.

    What is installed meanwhile in its place would fit its code no more, and every page would fail.
    """
    catalogue()
    for language in LANGUAGES:
        made = _environment(language)
        for name in made.list_templates():
            made.get_template(name)
    for name in STATIC:
        static(name)


@cache
def _environment(language: str) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_cells.shown,
        auto_reload=False,
    )
    made.globals |= {
        "t": partial(say, language=language),
        "language": language,
        "languages": LANGUAGES,
        "menu": menu(),
        "asset": lambda name: f"/static/{name}?v={static(name)[1]}",
        "chart": partial(_chart.chart, language=language),
        "forest": _chart.forest,
        "language_link": lambda query, code: "?" + urlencode({**query, "lang": code}),
        "data_link": data_link,
        "cleared": cleared,
        "has_word": lambda key: key in catalogue(),
        "live_cost": partial(live_cost, language=language),
        "live_outcomes": partial(live_outcomes, language=language),
        "body": partial(_cells.body, language=language),
        "status": lambda value, words="": _cells.status(value, language, words),
        "time": _cells.time,
        "when": partial(_cells.when, language=language),
        "score": _cells.score,
        "tone": lambda status: _cells.TONES.get(status, "plain"),
        "sign": lambda status: _cells.SIGNS.get(status, "·"),
    }
    made.filters |= {
        "exact": _cells.exact,
        "moment": _numbers.moment,
        "ago": partial(_numbers.ago, language=language),
        "share": _numbers.share,
        "number": _numbers.number,
        "seconds": _numbers.seconds,
        "money": _numbers.money,
        "points": _numbers.points,
    }
    return made


def data_link(path: str, query: Mapping[str, str], kind: str) -> str:
    """Where the data of a page is, as it is narrowed and ordered.

    Examples
    --------
    >>> data_link("/", {}, "json"), data_link("/runs", {"q": "a b"}, "csv")
    ('/overview.json', '/runs.csv?q=a+b')
    """
    asked = {name: value for name, value in query.items() if value}
    return f"{path if path != '/' else '/overview'}.{kind}" + (f"?{urlencode(asked)}" if asked else "")


def cleared(shown: Shown) -> dict[str, str]:
    """What takes back everything by which a table is narrowed."""
    return dict.fromkeys(["q", "page", *shown.wanted.equal], "")
