"""The workbook's and the alert rules' queries: KQL files that a team may edit.

Azure Monitor receives records at least once. Each query first reads every record once: events and spans by their key,
a metric by its time, name and dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from driftgate.shipped import shipped

Visualisation = Literal["table", "linechart"]


@dataclass(frozen=True)
class Query:
    """One query of the workbook and how it is shown."""

    name: str
    title: str
    visualisation: Visualisation = "table"


@dataclass(frozen=True)
class Section:
    """Queries under a heading."""

    heading: str
    queries: tuple[Query, ...]


SECTIONS = (
    Section(
        "Is anything wrong, and since when?",
        (Query("incidents", "Incidents"), Query("overview", "Monitors, gates, nights and remediations")),
    ),
    Section(
        "Production",
        (
            Query("alerts", "Drift alerts"),
            Query("signal_table", "Every signal: newest value, reference, band and course"),
            Query("band", "{Signal}: value, interval, reference, band, and where it moved", "linechart"),
            Query("signals", "{Signal}, by model and slice, as it was measured", "linechart"),
            Query("canaries", "Canaries, with 95% intervals", "linechart"),
            Query("latency", "Latency in seconds", "linechart"),
            Query("tokens", "Tokens a call", "linechart"),
        ),
    ),
    Section(
        "Benchmarks",
        (
            Query("scores", "Nightly accuracy with its 95% interval", "linechart"),
            Query("verdicts", "Gate verdicts"),
            Query("evaluations", "Scores with 95% intervals"),
            Query("cost", "Cost and tokens by day; what is unknown is counted beside the sums"),
            Query("cells", "Cells of the runs: accuracy with its 95% interval, outcomes, tokens and cost"),
            Query("runs", "Runs"),
            Query("remediations", "Remediations"),
        ),
    ),
    Section(
        "Is anybody watching?",
        (
            Query("health", "Monitors: last conclusion, and looks that could not be made"),
            Query("looks", "Looks: what the monitors found, or why nothing could be"),
            Query("nights", "Nights"),
            Query("delivery", "Delivery: records received, and how many of them a resend repeats"),
        ),
    ),
)
"""What the workbook shows, from top to bottom."""


def read_query(name: str, folder: Path | None = None) -> str:
    """The KQL called ``name``, without the comment at its top.

    Parameters
    ----------
    folder : Path, optional
        A workspace, whose ``monitor/azure/NAME.kql`` takes the place of the one that ships.

    Examples
    --------
    >>> read_query("model_names").splitlines()[-1]
    '| order by Model asc'
    """
    own = folder / "monitor" / "azure" / f"{name}.kql" if folder is not None else None
    file = own if own is not None and own.is_file() else shipped("monitor") / "azure" / f"{name}.kql"
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return "\n".join(line for line in lines if not line.startswith("//")).strip()
