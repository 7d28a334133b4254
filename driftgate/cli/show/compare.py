"""Comparisons on the terminal: all differences, then each dataset."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from driftgate.benchmarks.compare import Comparisons, DatasetComparison, Difference, Pair, flips, why_unused
from driftgate.benchmarks.report import p_value
from driftgate.cli.show.compare_text import (
    bounds_text,
    finding_text,
    interval_text,
    name_text,
    percent,
    points,
    price_cells,
    quality_cells,
)
from driftgate.cli.show.ranking import print_matrix, print_ranking
from driftgate.cli.show.rows import Column, print_rows

_CATEGORIES = 8
_SAMPLES = 5
_PAIRS = 3
_COLOURS = {"higher": "green", "lower": "red", "unmeasurable": "magenta"}


def print_comparisons(console: Console, compared: Comparisons) -> None:
    """Everything, from the shortest to the longest: all differences, then each dataset."""
    few = [dataset for dataset in compared.datasets if dataset.ranking is None]
    if len(few) > 1:
        _print_overall(console, few)
    for dataset in compared.datasets:
        console.rule(escape(dataset.dataset), align="left")
        pairs = dataset.detailed
        if dataset.ranking is not None:
            print_ranking(console, dataset, dataset.ranking)
            _print_unused(console, dataset)
            print_matrix(console, dataset, dataset.ranking)
            if pairs:
                _print_pairs(console, pairs, "the pairs asked for")
        else:
            _print_cells(console, dataset)
            if len(dataset.pairs) > 1:
                _print_pairs(console, dataset.pairs, "differences between all pairs")
            # Of several cells only the pairs with the first are shown slice by slice; a page or CSV has them all.
            pairs = pairs if len(pairs) <= _PAIRS else [p for p in pairs if p.reference is dataset.entries[0]] or pairs
        for pair in pairs:
            _print_slices(console, pair)
        _print_flips(console, dataset)
        _print_suspects(console, dataset)
    for scores in {entry.label: entry.scores for dataset in compared.datasets for entry in dataset.entries}.values():
        if scores.off_scale:
            said = f"{scores.cell.name}: {scores.off_scale}; its points are hundredths of its own unit"
            console.print(f"[yellow]{escape(said)}[/]", soft_wrap=True)
    for entry in compared.alone:
        console.print(
            f"[yellow]{escape(entry.label)} on {escape(entry.dataset)} stands alone[/]: nothing to compare with"
        )
    console.print(
        "[dim]differences are in points, the second cell less the first; intervals are at 95%; p of "
        f"{compared.tested} overall "
        "differences by Holm, of categories by Benjamini and Hochberg within each pair; what was not answered counts "
        "as wrong, bounds say what it could change; unmeasurable is what it could turn[/]"
    )


def _print_overall(console: Console, datasets: Sequence[DatasetComparison]) -> None:
    columns = (Column("dataset", number=False), _PAIR, *_DIFFERENCE, _FINDING, _DESIGN)
    rows = [
        (
            escape(dataset.dataset),
            escape(pair.name),
            *_difference_cells(pair.overall),
            escape(finding_text(pair.overall)),
            escape(pair.design),
        )
        for dataset in datasets
        for pair in dataset.pairs
    ]
    print_rows(console, columns, rows, "all datasets")


_PAIR, _FINDING, _DESIGN = (Column(name, number=False) for name in ("difference of", "finding", "design"))
_DIFFERENCE = tuple(
    Column(name) for name in ("score", "reference", "points", "95% interval", "p", "p adjusted", "bounds")
)


def _difference_cells(difference: Difference) -> list[str]:
    comparison = difference.comparison
    return [
        percent(difference.candidate),
        percent(difference.reference),
        _strong(points(comparison.difference), difference),
        _limits(difference),
        p_value(comparison.p_value),
        p_value(difference.p_adjusted),
        bounds_text(difference),
    ]


def _limits(difference: Difference) -> str:
    """Limits, or why there are none; that a gate stopped a side is said by the finding and the cell."""
    return "-" if difference.untested else interval_text(difference.comparison.interval)


def _strong(text: str, difference: Difference) -> str:
    colour = _COLOURS.get(difference.finding)
    return f"[{colour}]{text}[/]" if colour else text


def _print_cells(console: Console, dataset: DatasetComparison) -> None:
    quality = ("quality", "95% interval", "if all right", "asked")
    against_first = ("less the first", "95% interval", "p adjusted")
    numbers = (Column(name) for name in (*quality, *against_first, "cost of 1,000", "median latency"))
    rows = []
    for standing in dataset.standings:
        pair = dataset.against_first(standing.entry)
        against = ["", "", ""]
        if pair is not None:
            overall = pair.overall
            against = [
                _strong(points(overall.comparison.difference), overall),
                _limits(overall),
                p_value(overall.p_adjusted),
            ]
        rows.append((name_text(dataset, standing), *quality_cells(standing), *against, *price_cells(standing)))
    print_rows(console, (Column("cell", number=False), *numbers, Column("Pareto", number=False)), rows)
    _print_unused(console, dataset)


def _print_unused(console: Console, dataset: DatasetComparison) -> None:
    missing = [name for name in ("cost", "latency") if name not in dataset.measures]
    if missing:
        why = "; ".join(f"{name} {why_unused(name, dataset.standings)}" for name in missing)
        console.print(f"  [dim]Pareto front by {' and '.join(dataset.measures)} only: {escape(why)}[/]")


def _print_pairs(console: Console, pairs: Sequence[Pair], title: str) -> None:
    counts = (Column(name) for name in ("gained", "lost", "detectable"))
    rows = []
    for pair in pairs:
        comparison = pair.overall.comparison
        rows.append(
            (
                escape(pair.name),
                *_difference_cells(pair.overall),
                "-" if comparison.gained is None else f"{comparison.gained:,}",
                "-" if comparison.lost is None else f"{comparison.lost:,}",
                points(comparison.minimum_detectable_effect).removeprefix("+"),
                escape(finding_text(pair.overall)),
                escape(pair.design),
            )
        )
    print_rows(console, (_PAIR, *_DIFFERENCE, *counts, _FINDING, _DESIGN), rows, title)


def _print_slices(console: Console, pair: Pair) -> None:
    """The macro average and super-categories in full, of the categories the surest."""
    categories = sorted(pair.of_kind("category"), key=lambda d: (-d.certain, d.name))
    sure = [d for d in categories if d.significant]
    shown = [*pair.differences[:1], *pair.of_kind("macro"), *pair.of_kind("super_category"), *sure[:_CATEGORIES]]
    rows = []
    for row in shown:
        name = {"all": "[bold]all[/]", "macro": "macro average"}.get(row.kind, escape(row.name))
        name = f"  {name}" if row.kind == "category" else name
        rows.append((name, *_difference_cells(row), f"{row.comparison.n:,}", escape(finding_text(row))))
    title = f"{escape(pair.name)}: {escape(pair.design)}"
    print_rows(console, (Column("slice", number=False), *_DIFFERENCE, Column("n"), _FINDING), rows, title)
    boot = pair.overall.bootstrap
    if boot is not None:
        console.print(f"  [dim]bootstrap of all samples: {interval_text(boot.interval)}, p {p_value(boot.p_value)}[/]")
    if categories:
        more = f"; the {_CATEGORIES} surest are shown" if len(sure) > _CATEGORIES else ""
        console.print(f"  categories: {escape(pair.directions().words)}[dim]{more}[/]", soft_wrap=True)


def _print_flips(console: Console, dataset: DatasetComparison) -> None:
    pairs = [pair for pair in dataset.detailed if pair.shared]
    if not pairs:
        return
    columns = (_PAIR, Column("direction", number=False), Column("samples"), Column("such as", number=False))
    rows = []
    for pair in pairs:
        moved = flips(pair)
        for direction in ("gained", "lost"):
            ids = moved.loc[moved["direction"] == direction, "upstream_id"]
            few = ", ".join(escape(str(i)) for i in ids.head(_SAMPLES if len(pairs) <= _PAIRS else 1))
            rows.append((escape(pair.name) if direction == "gained" else "", direction, f"{len(ids):,}", few))
    print_rows(console, columns, rows, "samples that flipped")


def _print_suspects(console: Console, dataset: DatasetComparison) -> None:
    suspects = dataset.suspects
    if suspects.reason:
        console.print(f"  [dim]suspect keys: {escape(suspects.reason)}[/]")
        return
    console.print(
        f"  suspect keys: on {len(suspects.samples):,} of {suspects.looked_at:,} samples "
        f"{escape(' and '.join(suspects.strong))} agree on one other letter than the key "
        f"({suspects.expected:,.0f} would, if they erred on their own)"
    )
    for row in suspects.samples.head(_SAMPLES).itertuples():
        console.print(
            f"    {escape(str(row.upstream_id))} [dim]{escape(str(row.category))}[/]: key {row.gold}, they say "
            f"{row.letter} ({row.agree} for it, {row.with_key} for the key)"
        )
