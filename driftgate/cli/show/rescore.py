"""Scores under a convention, and what two conventions make of the same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.conventions import ConventionScores, Difference, convention_names, find_convention
from driftgate.benchmarks.scores import answered_words
from driftgate.ledger import Ledger, samples_frame

_EXCERPT = 90


def print_conventions(console: Console) -> None:
    """Every convention with what it does."""
    table = Table(header_style="bold")
    for column in ("convention", "what counts", "signature"):
        table.add_column(column, overflow="fold")
    for name in convention_names():
        convention = find_convention(name)
        parts = convention.signature_parts("text")
        signed = "|".join(f"{key}:{value}" for key, value in parts.items())
        table.add_row(name, convention.describe, escape(signed))
    console.print(table)


def print_rescored(console: Console, scores: ConventionScores, kinds: Sequence[str]) -> None:
    """The scores of one cell, overall and of each slice of some kinds."""
    table = Table(
        header_style="bold", title=f"{escape(scores.cell.name)} as {scores.convention.name}", title_justify="left"
    )
    table.add_column("part", overflow="fold")
    for column in ("accuracy", "95%", "counted", "asked", "bounds over all asked", "not answered"):
        table.add_column(column, justify="right")
    for name, metric in [("Overall", ""), *_slices(scores, kinds)]:
        row = scores.get("accuracy", metric)
        bounds = scores.bounds(metric)
        outcomes = scores.outcomes(metric)
        table.add_row(
            escape(name),
            "unmeasurable" if row is None or row.value is None else f"{100 * row.value:.2f}",
            "-" if row is None or row.low is None or row.high is None else f"{100 * row.low:.2f}–{100 * row.high:.2f}",
            f"{row.n if row else 0:,}",
            f"{sum(outcomes.values()):,}",
            f"{100 * bounds[0]:.2f}–{100 * bounds[1]:.2f}" if bounds else "-",
            _lost(outcomes) or "0",
        )
    console.print(table)
    console.print(f"  {escape(answered_words(scores.outcomes(), scores.bounds()))}", soft_wrap=True)
    for note in scores.notes:
        console.print(f"  {escape(note)}", soft_wrap=True)
    console.print(f"  [dim]{escape(scores.signature)}[/]", soft_wrap=True)


def _slices(scores: ConventionScores, kinds: Sequence[str]) -> list[tuple[str, str]]:
    """Name and slice of every part to be shown, in order; one that a convention drops whole is shown as well."""
    found: list[tuple[str, str]] = []
    for kind in kinds:
        names = sorted(set(scores.frame[kind]) - {""})
        found += [(name, name) for name in names if (name, name) not in found]
    return found


def _lost(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in outcomes.items() if n and name != "answered")


def rescored_json(scores: ConventionScores, kinds: Sequence[str]) -> dict[str, Any]:
    """The same as JSON."""

    def part(slice: str) -> dict[str, Any]:
        row, bounds = scores.get("accuracy", slice), scores.bounds(slice)
        return {
            "accuracy": row.value if row else None,
            "low": row.low if row else None,
            "high": row.high if row else None,
            "counted": row.n if row else 0,
            "bounds": list(bounds) if bounds else None,
            "outcomes": scores.outcomes(slice),
        }

    return {
        "run": scores.cell.run_id,
        "model": scores.cell.model,
        "variant": scores.cell.variant,
        "dataset": scores.cell.dataset,
        "convention": scores.convention.name,
        "signature": scores.signature,
        "overall": part(""),
        "slices": {name: part(slice) for name, slice in _slices(scores, kinds)},
        "notes": list(scores.notes),
    }


def print_difference(console: Console, ledger: Ledger, found: Difference, examples: int) -> None:
    """Which samples of one cell two conventions score differently, by reason, with a few of each."""
    before, after = found.before, found.after
    console.print(f"[bold]{escape(before.cell.name)}[/]")
    for scores in (before, after):
        score = scores.get()
        value = "unmeasurable" if score is None or score.value is None else f"{100 * score.value:.2f}"
        console.print(f"  {scores.convention.name}: {value} of {score.n if score else 0:,} counted")
        console.print(f"    [dim]{escape(scores.signature)}[/]", soft_wrap=True)
        for note in scores.notes:
            console.print(f"    {escape(note)}", soft_wrap=True)
    if found.averaging_differs:
        console.print(
            f"  the average is {before.convention.averaging} in the one and {after.convention.averaging} in the other"
        )
    if not found.reasons:
        console.print("  no sample is scored differently")
        return
    table = Table(header_style="bold")
    table.add_column("why", overflow="fold")
    for column in (
        "samples",
        f"right of counted, {before.convention.name}",
        f"right of counted, {after.convention.name}",
    ):
        table.add_column(column, justify="right")
    for reason in found.reasons:
        table.add_row(
            escape(reason.text),
            f"{reason.n:,}",
            f"{reason.right_before:,} of {reason.counted_before:,}",
            f"{reason.right_after:,} of {reason.counted_after:,}",
        )
    console.print(table)
    for reason in found.reasons if examples else ():
        console.print(f"  [bold]{escape(reason.text)}[/]")
        ids = list(reason.sample_ids[:examples])
        details = found.samples.set_index("sample_id")
        for sample_id, entry in zip(ids, samples_frame(ledger, before.cell.id, ids), strict=True):
            row = details.loc[sample_id]
            said = " → ".join(_answer(row, side) for side in ("before", "after"))
            console.print(
                f"    {escape(entry['id'])}: right {escape(str(entry['data'].get('answer')))}, {escape(said)}"
                f"{escape(_reply(entry))}",
                soft_wrap=True,
            )


def _answer(row: Any, side: str) -> str:
    answer = row[f"answer_{side}"]
    said = str(answer) if isinstance(answer, str) else str(row[f"outcome_{side}"])
    rule = row[f"rule_{side}"]
    return f"{said} ({rule})" if isinstance(rule, str) and rule else said


def _reply(entry: Mapping[str, Any]) -> str:
    texts = [n["output"]["text"] for n in entry["nodes"] if isinstance(n["output"], dict) and "text" in n["output"]]
    words = " ".join(str(texts[-1]).split()) if texts else str(entry.get("error") or "")
    return f": {words[:_EXCERPT]}{'…' if len(words) > _EXCERPT else ''}" if words else ""
