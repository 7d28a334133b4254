"""The HTML page of a run: everything it shows, and its template filled in."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.report import _text
from driftgate.benchmarks.report._differences import Difference, category_differences
from driftgate.benchmarks.report._figure import Figure
from driftgate.benchmarks.report._nodes import side_by_side
from driftgate.benchmarks.report._plots import accuracy_figure, latency_figure, letter_figures, outcome_figure
from driftgate.benchmarks.report._plots_compare import Slice, category_figure, slices, tradeoff_figures
from driftgate.benchmarks.report._samples import sample_views
from driftgate.benchmarks.report._views import SIGNS, CellView, by_dataset, verdict_views
from driftgate.ledger import Ledger, RunRow, VerdictRow, expired_at

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
_SAMPLES = 20
_SAMPLES_IN_ALL = 160
_DIFFERENCES = 10


@dataclass(frozen=True)
class DatasetView:
    """The cells on one dataset, by category."""

    dataset: str
    cells: Sequence[CellView]
    figure: Figure
    slices: Sequence[Slice]
    differences: Sequence[Difference]


def render_page(
    ledger: Ledger, run: RunRow, cells: Sequence[CellView], verdicts: Sequence[VerdictRow], zone: tzinfo | None
) -> str:
    """The whole page as HTML."""
    # A run of many cells shows fewer samples of each, so that the page can still be opened and mailed.
    most = max(5, min(_SAMPLES, _SAMPLES_IN_ALL // max(1, len(cells))))
    groups = list(by_dataset(cells).values())
    judged = verdict_views(verdicts)
    shown: dict[str, Any] = {
        "accuracy": accuracy_figure(cells),
        "outcomes": outcome_figure(cells),
        "latency": latency_figure(cells),
        "letters": letter_figures(cells),
        "comparisons": [view for ordinal, group in enumerate(groups) if (view := _dataset(group, ordinal)) is not None],
        "tradeoffs": [figure for ordinal, group in enumerate(groups) for figure in tradeoff_figures(group, ordinal)],
    }
    return render(
        "report.html.jinja2",
        zone,
        run=run,
        expired=expired_at(ledger, run.id),
        cells=cells,
        verdicts=judged,
        verdict=judged[0].verdict if judged else "",
        asked=sum(cell.asked for cell in cells),
        missing=sum(cell.parts["missing"] for cell in cells),
        has_evaluators=any(cell.evaluators or cell.scores.evaluated for cell in cells),
        node_rows=side_by_side(cells),
        has_plots=any(shown.values()),
        most_samples=most,
        looked_at=[(cell, sample_views(ledger, cell, most, run.seed + cell.ordinal)) for cell in cells],
        **shown,
    )


def render(template: str, zone: tzinfo | None = None, *, plots: bool = True, **values: Any) -> str:
    """Fill in a template of this package, with the style and, where it has plots, the scripts that all pages share.

    Plotly is packed: as text it would take 4.6 MB of a page.
    """
    scripts: dict[str, str] = {}
    packed = ""
    if plots:
        script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
        scripts, packed = {"plotly": _plotly(), "script": script}, _packed_plotly()
    ours = _ours(css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"), **scripts | {"plotly": packed})
    return _environment(zone).get_template(template).render(policy=_policy(scripts.values()), **values, **ours)


def _dataset(cells: Sequence[CellView], ordinal: int) -> DatasetView | None:
    figure = category_figure(cells, ordinal)
    if figure is None:
        return None
    return DatasetView(cells[0].dataset, cells, figure, slices(cells), category_differences(cells, _DIFFERENCES))


def _environment(zone: tzinfo | None) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_text.clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": partial(_text.moment, zone=zone),
        "number": _text.number,
        "p_value": _text.p_value,
        "percent": _text.percent,
        "points": _text.points,
        "seconds": _text.seconds,
    }
    environment.globals |= {"money": _text.money, "percent_range": _text.percent_range, "signs": SIGNS}
    # NaN is no JSON: better to fail here than in the reader's browser.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


def _ours(**parts: str) -> dict[str, Any]:
    """Style and scripts of this package and of Plotly, the only text that goes into the page as it stands."""
    from markupsafe import Markup

    return {name: Markup(text) for name, text in parts.items()}  # noqa: S704


def _policy(scripts: Any) -> str:
    """A content security policy: nothing is fetched, and no script runs but the given ones."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _packed_plotly() -> str:
    """Plotly for ``report.js`` to unpack: gzip, as base64."""
    return base64.b64encode(gzip.compress(_plotly().encode(), mtime=0)).decode()


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r\n", "\n")
