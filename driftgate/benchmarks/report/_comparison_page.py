"""The page of a comparison: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.benchmarks.compare import (
    MANY,
    Comparisons,
    DatasetComparison,
    Difference,
    Finding,
    Pair,
    Rank,
    Ranking,
    Standing,
    flips,
    why_unused,
)
from driftgate.benchmarks.report._figure import Figure
from driftgate.benchmarks.report._marks import Mark, mark
from driftgate.benchmarks.report._page import render
from driftgate.benchmarks.report._plots_compare import category_figure, tradeoff_figures
from driftgate.benchmarks.report._plots_difference import overall_figure, slices_figure
from driftgate.benchmarks.report._text import as_text, excerpt, p_value, points
from driftgate.benchmarks.report._views import CellView
from driftgate.benchmarks.report._write import replace_file
from driftgate.ledger import Ledger, sample_data

_FLIPPED = 12
"""Samples shown of each direction of a pair, at most."""
_FLIPPED_IN_ALL = 240
"""Samples shown of all pairs: a page of many pairs shows fewer of each, so that it can still be opened and mailed."""
_SUSPECTS = 30
_PAIRS = 4
"""Pairs of a dataset that are plotted slice by slice; the others stand in tables."""
_LONGEST = 700


@dataclass(frozen=True)
class FlipView:
    """Some of the samples that flipped in one direction."""

    direction: str
    count: int
    shown: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class PairView:
    """A pair with its plot, its rows and some of its flipped samples."""

    pair: Pair
    figure: Figure | None
    rows: Sequence[Difference]
    flips: Sequence[FlipView]

    @property
    def directions(self) -> list[tuple[str, str]]:
        """How many slices of each kind go which way."""
        kinds = {"super_category": "Super-categories", "category": "Categories"}
        return [(name, self.pair.directions(kind).words) for kind, name in kinds.items() if self.pair.of_kind(kind)]


@dataclass(frozen=True)
class RankView:
    """A row of a ranking, and what is found of its cell against each of the others."""

    rank: Rank
    standing: Standing
    mark: Mark
    row: Sequence[tuple[Finding | None, str]]
    """The finding and the difference in words, in the order of the ranks; None beside itself."""


@dataclass(frozen=True)
class DatasetView:
    """A dataset's part of the page."""

    ordinal: int
    compared: DatasetComparison
    cells: Sequence[tuple[CellView, Standing, Pair | None]]
    categories: Figure | None
    tradeoffs: Sequence[Figure]
    pairs: Sequence[PairView]
    suspects: Sequence[Mapping[str, Any]]
    ranked: Sequence[RankView] = ()
    """Of many cells, in the place of ``cells`` and all plots."""

    @property
    def unused(self) -> list[str]:
        """Measures that do not place the cells, and why."""
        names = [name for name in ("cost", "latency") if name not in self.compared.measures]
        return [f"{name} {why_unused(name, self.compared.standings)}" for name in names]


def write_comparison(ledger: Ledger, compared: Comparisons, path: Path, *, timezone: tzinfo | None = None) -> Path:
    """Write a comparison as one HTML page that needs no network.

    Raises
    ------
    DriftgateError
        The file cannot be written.
    """
    replace_file(path, render_comparison(ledger, compared, timezone))
    return path


def render_comparison(ledger: Ledger, compared: Comparisons, zone: tzinfo | None) -> str:
    """The whole page as HTML."""
    # Where a dataset has many cells there are tables and no plots: the script alone is larger than such a page may be.
    plots = all(d.ranking is None for d in compared.datasets)
    detailed = sum(len(d.detailed) for d in compared.datasets)
    most = max(2, min(_FLIPPED, _FLIPPED_IN_ALL // max(1, 2 * detailed)))
    datasets = [_dataset(ledger, d, ordinal, most, plots=plots) for ordinal, d in enumerate(compared.datasets)]
    overall = [(d.dataset, pair) for d in compared.datasets if d.ranking is None for pair in d.pairs]
    names = list(dict.fromkeys(e.label for d in compared.datasets for e in d.entries))
    return render(
        "comparison.html.jinja2",
        zone,
        plots=plots,
        title=", ".join(names) if len(names) <= MANY else f"{len(names)} cells",
        compared=compared,
        datasets=datasets,
        overall=overall,
        overall_figure=overall_figure(overall) if plots and len(overall) > 1 else None,
        made_at=datetime.now(UTC),
        version=version("driftgate"),
        has_plots=plots,
    )


def _dataset(ledger: Ledger, compared: DatasetComparison, ordinal: int, most: int, *, plots: bool) -> DatasetView:
    pairs = [
        PairView(
            pair,
            slices_figure(pair, f"{ordinal}-{place}") if plots and place < _PAIRS else None,
            _rows(pair),
            _flips(ledger, pair, most),
        )
        for place, pair in enumerate(compared.detailed)
    ]
    suspects = _suspects(ledger, compared)
    if compared.ranking is not None:
        return DatasetView(ordinal, compared, (), None, (), pairs, suspects, _ranked(compared, compared.ranking))
    views = [
        CellView(
            entry.scores,
            place,
            compared.keys[compared.keys["sample_id"].isin(entry.frame["sample_id"])],
            (),
            entry.label,
        )
        for place, entry in enumerate(compared.entries)
    ]
    cells = [(view, s, compared.against_first(s.entry)) for view, s in zip(views, compared.standings, strict=True)]
    return DatasetView(
        ordinal,
        compared,
        cells,
        category_figure(views, ordinal) if plots else None,
        tradeoff_figures(views, ordinal) if plots else (),
        pairs,
        suspects,
    )


def _ranked(compared: DatasetComparison, ranking: Ranking) -> list[RankView]:
    standing_of = {standing.entry.scores.cell.id: standing for standing in compared.standings}
    words: dict[tuple[int, int], str] = {}
    for pair in compared.pairs:
        one, other = pair.candidate.scores.cell.id, pair.reference.scores.cell.id
        difference, adjusted = pair.overall.comparison.difference, pair.overall.p_adjusted
        p = "" if adjusted is None else f", p {p_value(adjusted)}"
        words[one, other] = f"{points(difference)}{p}"
        words[other, one] = f"{points(None if difference is None else -difference)}{p}"
    ids = [one.entry.scores.cell.id for one in ranking.ranks]
    places = {entry.scores.cell.id: place for place, entry in enumerate(compared.entries)}
    return [
        RankView(
            one,
            standing_of[cell],
            mark(places[cell]),
            [(finding, words.get((cell, other), "")) for finding, other in zip(row, ids, strict=True)],
        )
        for one, cell, row in zip(ranking.ranks, ids, compared.matrix(), strict=True)
    ]


def _rows(pair: Pair) -> list[Difference]:
    """Every difference, super-categories and categories by name."""
    order = {"all": 0, "macro": 1, "super_category": 2, "category": 3}
    return sorted(pair.differences, key=lambda d: (order[d.kind], d.name))


def _flips(ledger: Ledger, pair: Pair, most: int) -> list[FlipView]:
    if not pair.shared:
        return []
    moved = flips(pair)
    views = []
    for direction in ("gained", "lost"):
        mine = moved[moved["direction"] == direction]
        # A seeded draw, not the first ones: those would all be of one category.
        shown = mine.sample(min(most, len(mine)), random_state=0).sort_values(["category", "sample_id"])
        views.append(FlipView(direction, len(mine), _described(ledger, shown.to_dict("records"))))
    return views


def _suspects(ledger: Ledger, compared: DatasetComparison) -> list[Mapping[str, Any]]:
    return _described(ledger, compared.suspects.samples.head(_SUSPECTS).to_dict("records"))


def _described(ledger: Ledger, rows: Sequence[Mapping[Any, Any]]) -> list[Mapping[str, Any]]:
    """The rows with each sample's question, key and choices."""
    data = sample_data(ledger, [int(row["sample_id"]) for row in rows])
    described: list[Mapping[str, Any]] = []
    for row in rows:
        content = data.get(int(row["sample_id"]), {})
        choices = content.get("choices")
        texts = {
            "question": excerpt(as_text(content.get("question")), _LONGEST),
            "gold": as_text(content.get("answer")),
            "choices": [excerpt(as_text(c), 160) for c in choices] if isinstance(choices, list) else [],
        }
        described.append({**{str(k): v for k, v in row.items()}, **texts})
    return described
