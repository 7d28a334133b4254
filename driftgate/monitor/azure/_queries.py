"""The workbook's queries: KQL files that a team may edit, shown in this order.

Azure Monitor receives records at least once. Each query first reads every record once: events and spans by their key,
a metric by its time, name and dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from driftgate.shipped import shipped

Visualisation = Literal["table", "linechart"]
MODEL_NAMES, SIGNAL_NAMES, ALERT_RULE = "model_names", "signal_names", "alert_rule"


@dataclass(frozen=True)
class Query:
    """One query of the workbook and how it is shown."""

    name: str
    title: str
    visualisation: Visualisation = "table"


QUERIES = (
    Query("alerts", "Drift alerts"),
    Query("looks", "Looks: what the monitors found, or why nothing could be"),
    Query("signals", "Drift signal {Signal}, by model and slice", "linechart"),
    Query("runs", "Runs"),
    Query("cells", "Cells of the runs: accuracy with its 95% interval, outcomes, tokens and cost"),
    Query("evaluations", "Evaluation results: mean by day"),
    Query("delivery", "Delivery: records received, and how many of them a resend repeats"),
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
