"""The page of an attribution."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.benchmarks.attribution import REPEAT, Attribution, Contribution, SampleShare
from driftgate.benchmarks.report._forest import ForestRow, forest_figure
from driftgate.benchmarks.report._page import render
from driftgate.benchmarks.report._text import as_text, excerpt
from driftgate.benchmarks.report._write import replace_file

_TEXT = 1500


def write_attribution(found: Attribution, names: Sequence[str], runs: Sequence[str], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    names, runs
        Of the first side and the second.

    Raises
    ------
    DriftgateError
        The file cannot be written.
    """
    counts, left_out = found.counts, found.silent + found.not_replayed
    interval = found.difference.interval
    moved = f"{100 * (found.difference.difference or 0.0):+.1f} points"
    if interval.low is not None and interval.high is not None:
        moved += f" ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
    looked_at = [(one, [_shown(sample, one) for sample in one.samples]) for one in found.contributions if one.samples]
    coalitions = f"all, {found.coalitions}" if found.exact else f"{found.coalitions} sampled, seed {found.seed}"
    page = render(
        "attribution.html.jinja2",
        title="Which node moved",
        kind="attribution",
        sentence=f"{found.metric} moved by {moved} from {names[0]} to {names[1]}.",
        version=version("driftgate"),
        facts={
            "First": f"{names[0]}, run {runs[0]}: {found.scores[0]:.4f}",
            "Second": f"{names[1]}, run {runs[1]}: {found.scores[1]:.4f}",
            "Samples": f"{found.n:,}" + (f", {left_out:,} left out for want of a reply" if left_out else ""),
            "Node outputs": f"{counts.reused:,} reused, {counts.ran:,} run",
            "Model calls": f"{counts.asked:,} made, {counts.replies:,} from the ledger",
            "Coalitions": coalitions,
        },
        found=found,
        figure=_figure(found.contributions),
        repeat=REPEAT,
        looked_at=looked_at,
    )
    replace_file(path, page)


def _figure(contributions: Sequence[Contribution]) -> Any:
    if not contributions:
        return None
    rows = [
        ForestRow(
            label=one.player.name,
            estimate=one.interval.estimate or 0.0,
            low=one.interval.low,
            high=one.interval.high,
            colour="fail" if one.named and (one.interval.estimate or 0.0) < 0 else "pass" if one.named else "none",
            words=(", ".join(one.player.differs),),
        )
        for one in contributions
    ]
    note = "Mean Shapley value over the samples with its 95% interval. Grey: not told from 0."
    return forest_figure("attribution", "What each node accounts for", note, rows, unit="second less first")


def _shown(sample: SampleShare, one: Contribution) -> dict[str, Any]:
    nodes = [node for node in one.player.nodes if node in sample.outputs]
    return {
        "id": sample.id,
        "category": sample.category,
        "question": excerpt(sample.question, _TEXT),
        "scores": sample.scores,
        "contributions": sample.contributions,
        "nodes": [(node, *(excerpt(as_text(output), _TEXT) for output in sample.outputs[node])) for node in nodes],
    }
