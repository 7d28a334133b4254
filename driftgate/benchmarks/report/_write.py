"""Write the report of a run, so that a reader sees the old files or the new ones and never half of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from driftgate.benchmarks.report._markdown import render_summary
from driftgate.benchmarks.report._page import render_page
from driftgate.benchmarks.report._views import cell_views
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_text import write_text
from driftgate.ledger import Ledger, RunRow, VerdictRow


@dataclass(frozen=True)
class ReportFiles:
    """Where a report was written."""

    html: Path
    markdown: Path


def write_report(
    ledger: Ledger,
    run: RunRow,
    scored: Sequence[CellScores],
    verdicts: Sequence[VerdictRow],
    folder: Path,
    *,
    timezone: tzinfo | None = None,
) -> ReportFiles:
    """Write a run's HTML page and its Markdown summary.

    Parameters
    ----------
    ledger : Ledger
        Holds the samples, the nodes' outputs and the evaluations that the page shows.
    scored : sequence of CellScores
        The run's cells, in its order.
    verdicts : sequence of VerdictRow
        The verdicts on the run; of each gate the newest counts.
    folder : Path
        Created where it does not exist. The files are named after the run, and replaced if they are there.
    timezone : tzinfo, optional
        In which times are shown, with UTC beside them; this machine's by default.

    Raises
    ------
    DriftgateError
        The folder cannot be written to.
    """
    cells = cell_views(ledger, scored)
    # A suite may be called anything, and its name is part of the run's id; here it becomes a file's.
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", run.id).lstrip(".")
    files = ReportFiles(folder / f"{name}.html", folder / f"{name}.md")
    page = render_page(ledger, run, cells, verdicts, timezone)
    summary = render_summary(run, cells, verdicts, files.html.name, timezone)
    replace_file(files.html, page)
    replace_file(files.markdown, summary)
    return files


def replace_file(path: Path, text: str) -> None:
    """Write a file whole, in the place of an older one.

    Raises
    ------
    DriftgateError
        The folder cannot be written to.
    """
    try:
        write_text(path, text)
    except OSError as problem:
        said = problem.strerror or str(problem)
        raise DriftgateError(
            f"the report cannot be written to {path.parent}: {said}", "free space or name another folder"
        ) from problem
