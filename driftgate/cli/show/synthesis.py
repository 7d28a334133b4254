"""Synthetic training data on the terminal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.cli._console import shown
from driftgate.flows.plain import one_line, plain

if TYPE_CHECKING:
    from driftgate.api.synthesising import EvolvedPrompts, Handed, MadePersonas, MadeSet
    from driftgate.finetune.synthesis import CoverageDataset, Gathered
    from driftgate.flows.documents import Skipped

_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow", "unmeasurable": "yellow"}
_FILES = 10
Drawn = TypeVar("Drawn")


def print_coverage(console: Console, found: Gathered) -> None:
    """One row a cluster, and below the files that are not read."""
    assert found.coverage is not None
    table = _table("cluster", "words", right=("material", "failing", "share of items"))
    for cluster in found.coverage.clusters:
        words = escape(one_line(", ".join(cluster.keywords)))
        table.add_row(cluster.name, words, f"{cluster.materials:,}", f"{cluster.failing:,}", f"{cluster.share:.1%}")
    console.print(table)
    pieces = [piece for own in found.by_source for piece in own]
    values = sum(piece.redactions for piece in pieces)
    console.print(f"{len(pieces):,} pieces of material; {values:,} values of personal data were taken out")
    if found.coverage.far:
        console.print(
            f"[yellow]{found.coverage.far:,} failing samples are like none of the material: add documents on them[/]",
            soft_wrap=True,
        )
    _print_unread(console, found.unread)


def coverage_data(found: Gathered) -> dict[str, Any]:
    """Everything, for a program; no text of the material."""
    assert found.coverage is not None
    return {
        "clusters": [asdict(cluster) for cluster in found.coverage.clusters],
        "material": dict(found.coverage.of),
        "far": found.coverage.far,
        "unread": [asdict(one) for one in found.unread],
    }


def print_personas(console: Console, made: MadePersonas) -> None:
    """Each with its words, and how different they are."""
    for persona in made.personas:
        begins = " / ".join(part.strip() for part in (*persona.openings, *persona.closings) if part.strip())
        console.print(f"[bold]{_said(persona.name)}[/]  {_said(persona.describe)}", soft_wrap=True)
        if begins:
            console.print(f"    {_said(begins)}", soft_wrap=True)
    for reject in made.rejects:
        console.print(f"[yellow]left out: {_said(reject.reason)}[/]", soft_wrap=True)
    figures = made.figures
    console.print(
        f"{figures.personas:,} personas; pairs of values covered: {figures.pairs:.0%}; likeness to the nearest other: "
        f"{figures.likeness:.2f}",
        soft_wrap=True,
    )


def personas_yaml(made: MadePersonas) -> str:
    """As ``personas:`` of a synthesis takes them."""
    import yaml

    values = [persona.model_dump(mode="json", exclude_defaults=True) for persona in made.personas]
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False)


def print_set(console: Console, made: MadeSet) -> None:
    """What was made, in a few lines."""
    dataset, spent = made.dataset, made.dataset.spent
    console.print(
        f"{len(dataset.items):,} items of {dataset.generated:,} candidates and replies: "
        f"{escape(shown(made.folder.resolve()))}",
        soft_wrap=True,
    )
    if spent.calls or spent.unasked:
        cost = "not known" if spent.cost is None else f"{spent.cost:.4f} {spent.currency}".strip()
        console.print(
            f"{spent.calls:,} requests, {spent.kept:,} of them answered before; cost {cost}"
            + (f"; {spent.again:,} more gave no reply and were made again, or given up" if spent.again else ""),
            soft_wrap=True,
        )
        if spent.unasked:
            console.print(f"[yellow]{spent.unasked:,} not made: {_said(spent.reached)}[/]", soft_wrap=True)
    _print_unread(console, dataset.unread)
    _print_verdict(console, made)
    console.print(f"look at it: driftgate synth show {made.name}", soft_wrap=True)


def print_report(console: Console, made: MadeSet) -> None:
    """Yield, rejects, diversity, coverage."""
    dataset, judged = made.dataset, made.judgement
    table = _table("dropped by", "kind", "for example", right=("count",))
    kinds = Counter((reject.filter, reject.kind) for reject in dataset.rejects)
    for (filter, kind), count in kinds.most_common():
        reason = next(r.reason for r in dataset.rejects if (r.filter, r.kind) == (filter, kind))
        table.add_row(_said(filter), _said(kind), _said(reason[:100]), f"{count:,}")
    console.print(table)
    answered = max(dataset.generated, 1)
    kept = len(dataset.items) + dataset.surplus
    console.print(
        f"{kept:,} of {dataset.generated:,} pass the filters ({kept / answered:.0%}); {dataset.surplus:,} spare"
    )
    for name, figures in (("all items", judged.whole), ("written by models", judged.written)):
        if figures.items:
            console.print(
                f"{name}: {figures.facts:,} different facts in {figures.compared:,} ({figures.distinct:.2f}); "
                f"likeness to the nearest {figures.likeness:.2f}; different words {figures.distinct_1:.2f}, pairs "
                f"{figures.distinct_2:.2f}, triples {figures.distinct_3:.2f}; answers {figures.answers:,}",
                soft_wrap=True,
            )
    _print_clusters(console, dataset)
    _print_unread(console, dataset.unread)
    _print_verdict(console, made)


def report_data(made: MadeSet) -> dict[str, Any]:
    """Everything, for a program; no item."""
    from driftgate.finetune.synthesis import report_of

    judged = made.judgement
    return {
        "synthesis": made.name,
        "verdict": judged.verdict,
        "rules": [asdict(rule) for rule in judged.rules],
        "diversity": {"whole": asdict(judged.whole), "written": asdict(judged.written)},
        **report_of(made.dataset),
    }


def print_judgement(console: Console, made: MadeSet) -> None:
    """Every rule with what was found, and the verdict."""
    for rule in made.judgement.rules:
        colour = _COLOURS[rule.said]
        console.print(f"[{colour}]{rule.said:>12}[/]  {_said(rule.name)}: {_said(rule.found)}", soft_wrap=True)
    console.print(f"{_said(made.name)}: [{_COLOURS[made.judgement.verdict]}]{made.judgement.verdict}[/]")


def print_items(console: Console, made: MadeSet, count: int, seed: int, *, cluster: str = "") -> None:
    """Items in full, each with where it comes from."""
    items = [item for item in made.dataset.items if not cluster or item.cluster == cluster]
    for item in _drawn(items, count, seed):
        where = " · ".join(filter(None, (item.source, item.slice, item.phrasing, item.cluster, item.model)))
        console.print(f"[bold]{_said(where)}[/]  {item.content_hash}", soft_wrap=True)
        for user, model in item.turns:
            console.print(f"    {_said(user)}\n    -> {_said(model)}", soft_wrap=True)
        if item.passage:
            console.print(f"    {_text(item.passage)}", style="dim", soft_wrap=True)
        console.print(f"    {_text(item.question)}", soft_wrap=True)
        for letter, choice in zip("ABCDEFGHIJ", item.choices, strict=False):
            console.print(f"    {letter}. {_said(choice)}", soft_wrap=True)
        console.print(f"    [green]{_text(item.answer)}[/]", soft_wrap=True)
    console.print(f"{min(count, len(items)):,} of {len(items):,} items")


def print_rejects(console: Console, made: MadeSet, count: int, seed: int, *, kind: str = "", cluster: str = "") -> None:
    """What was dropped, each with the reason."""
    rejects = [
        one
        for one in made.dataset.rejects
        if (not kind or one.kind == kind) and (not cluster or one.cluster == cluster)
    ]
    for one in _drawn(rejects, count, seed):
        console.print(f"[yellow]{_said(one.filter)}.{_said(one.kind)}[/]  {_said(one.source)}", soft_wrap=True)
        console.print(f"    {_said(one.reason)}", soft_wrap=True)
        if one.text:
            console.print(f"    {_text(one.text[:500])}", style="dim", soft_wrap=True)
    console.print(f"{min(count, len(rejects)):,} of {len(rejects):,} rejects")


def print_evolved(console: Console, made: EvolvedPrompts, to: Path) -> None:
    """How many there are, and what was left out."""
    console.print(f"{len(made.made):,} prompts of {made.seeds:,} seeds: {escape(shown(to.resolve()))}", soft_wrap=True)
    for kind, count in Counter(one.kind for one in made.rejects).most_common():
        console.print(f"[yellow]left out: {_said(kind)} {count:,}[/]")


def print_handed(console: Console, handed: Handed) -> None:
    """What was written, and where."""
    console.print(
        f"{handed.train:,} items to train on and {handed.validation:,} to validate with, as {_said(handed.form)}: "
        f"{escape(shown(handed.folder.resolve()))}",
        soft_wrap=True,
    )


def _print_unread(console: Console, unread: Sequence[Skipped]) -> None:
    for one in unread[:_FILES]:
        console.print(f"[yellow]not read: {_said(one.path)}: {_said(one.reason)}[/]", soft_wrap=True)
    if len(unread) > _FILES:
        console.print(f"[yellow]... and {len(unread) - _FILES:,} more files that are not read[/]")


def _print_verdict(console: Console, made: MadeSet) -> None:
    judged = made.judgement
    faults = [rule for rule in judged.rules if rule.said != "pass"]
    for rule in faults:
        console.print(f"[{_COLOURS[rule.said]}]{rule.said}[/] {_said(rule.name)}: {_said(rule.found)}", soft_wrap=True)
    told = "by its figures" if not faults else "see above"
    console.print(f"verdict: [{_COLOURS[judged.verdict]}]{judged.verdict}[/] ({told})")


def _print_clusters(console: Console, dataset: CoverageDataset) -> None:
    if dataset.coverage is None:
        return
    there = Counter(item.cluster for item in dataset.items)
    table = _table("cluster", "words", right=("material", "failing", "wanted", "items"))
    for cluster in dataset.coverage.clusters:
        words = escape(one_line(", ".join(cluster.keywords)))
        wanted = f"{cluster.share * len(dataset.items):,.0f}"
        items = f"{there[cluster.name]:,}"
        table.add_row(cluster.name, words, f"{cluster.materials:,}", f"{cluster.failing:,}", wanted, items)
    console.print(table)


def _table(*left: str, right: Sequence[str]) -> Table:
    table = Table(header_style="bold")
    for column in left:
        table.add_column(column, overflow="fold")
    for column in right:
        table.add_column(column, justify="right")
    return table


def _drawn(values: Sequence[Drawn], count: int, seed: int) -> list[Drawn]:
    return random.Random(seed).sample(values, min(count, len(values)))


def _said(text: str) -> str:
    return escape(one_line(text))


def _text(text: str) -> str:
    return escape(plain(text).replace("\n", "\n    "))
