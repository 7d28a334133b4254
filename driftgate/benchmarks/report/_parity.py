"""The page of a parity run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.benchmarks.parity import Parity, Quantity
from driftgate.benchmarks.report._forest import ForestRow, forest_figure
from driftgate.benchmarks.report._page import render
from driftgate.benchmarks.report._text import as_text, excerpt
from driftgate.benchmarks.report._write import replace_file
from driftgate.ledger import RunRow

_SAMPLES = 50
_TEXT = 1500
_TONES = {"equivalent": "pass", "different": "fail", "inconclusive": "inconclusive", "unmeasurable": "unmeasurable"}
_ORDER = ("equivalent", "inconclusive", "unmeasurable", "different")


@dataclass(frozen=True)
class _Sample:
    id: str
    category: str
    question: str
    first_node: str
    reference_outcome: str
    port_outcome: str
    reference: str
    port: str
    reference_node: str
    port_node: str
    metrics: Any


def write_parity(
    run: RunRow, flow: str, port: str, sections: Sequence[tuple[str, Parity]], path: Path, *, margin: float
) -> None:
    """Write the page; ``sections`` are what was found, each under the name of its model and dataset.

    Raises
    ------
    DriftgateError
        The file cannot be written.
    """
    parts = [
        {
            "name": name,
            "found": found,
            "figure": _figure(ordinal, found.quantities),
            "samples": [_shown(sample) for sample in found.samples[:_SAMPLES]],
        }
        for ordinal, (name, found) in enumerate(sections)
    ]
    verdict = max((found.verdict for _, found in sections), key=_ORDER.index)
    page = render(
        "parity.html.jinja2",
        title=f"{flow} and its port",
        kind="parity report",
        sentence=f"The port is {port}. {sections[0][1].reason.capitalize()}.",
        verdict=verdict,
        version=run.version,
        facts={"Run": run.id, "Flow": flow, "Port": port, "Margin": f"± {margin:g}", "Level": "5%, 90% intervals"},
        parts=parts,
    )
    replace_file(path, page)


def _figure(ordinal: int, quantities: Sequence[Quantity]) -> Any:
    rows = []
    for quantity in quantities:
        interval = quantity.interval
        if interval.estimate is None:
            continue
        low, high = (None if value is None else value / quantity.margin for value in (interval.low, interval.high))
        words = (f"{interval.estimate:+.4g} within ±{quantity.margin:.4g}", quantity.verdict)
        estimate = interval.estimate / quantity.margin
        rows.append(ForestRow(quantity.name, estimate, low, high, _TONES[quantity.verdict], words))
    if not rows:
        return None
    return forest_figure(
        f"parity-{ordinal}",
        "Differences and the margin",
        "Port less flow with its 90% interval, in margins. An interval inside the band shows equivalence; one wholly "
        "outside shows a difference.",
        rows,
        unit="margins",
        band=1.0,
    )


def _shown(sample: Any) -> _Sample:
    return _Sample(
        id=sample.id,
        category=sample.category,
        question=excerpt(sample.question, _TEXT),
        first_node=sample.first_node,
        reference_outcome=sample.reference_outcome,
        port_outcome=sample.port_outcome,
        reference=excerpt(as_text(sample.reference_outputs), _TEXT),
        port=excerpt(as_text(sample.port_outputs), _TEXT),
        reference_node=excerpt(as_text(sample.reference_node), _TEXT),
        port_node=excerpt(as_text(sample.port_node), _TEXT),
        metrics=sample.metrics,
    )
