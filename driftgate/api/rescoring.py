"""``driftgate rescore`` and ``driftgate score-diff``: one stored run under other conventions; no model is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from driftgate.api.commands import console, opened
from driftgate.benchmarks.conventions import (
    ConventionScores,
    Difference,
    convention_names,
    find_convention,
    rescore,
    score_difference,
    store_scores,
)
from driftgate.benchmarks.scores import SLICES, answered_words
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, RunRow, cells_of, find_run, samples_frame

_EXCERPT = 90


def run_rescore(folder: Path, run: str, convention: str, categories: bool, as_json: Path | None) -> int:
    """Score a stored run by a convention, keep the scores under their signature and print them."""
    chosen = find_convention(convention)
    with opened(folder) as (_, ledger):
        row = _complete(ledger, run)
        kinds = SLICES if categories else ("super_category",)
        written = []
        for cell in cells_of(ledger, row.id):
            scores = rescore(ledger, cell, chosen)
            store_scores(ledger, scores)
            _print_scores(scores, kinds)
            written.append(_as_json(scores, kinds))
        if as_json is not None:
            as_json.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return 0


def run_score_diff(folder: Path, run: str, before: str, after: str, examples: int) -> int:
    """Print which samples of a stored run two conventions score differently, by reason."""
    first, second = find_convention(before), find_convention(after)
    with opened(folder) as (_, ledger):
        row = _complete(ledger, run)
        for cell in cells_of(ledger, row.id):
            _print_difference(ledger, score_difference(ledger, cell, first, second), examples)
        return 0


def run_conventions() -> int:
    """Print every convention with what it does."""
    table = Table(header_style="bold")
    for column in ("convention", "what counts", "signature"):
        table.add_column(column, overflow="fold")
    for name in convention_names():
        convention = find_convention(name)
        parts = convention.signature_parts("text")
        signed = "|".join(f"{key}:{value}" for key, value in parts.items())
        table.add_row(name, convention.describe, escape(signed))
    console.print(table)
    return 0


def _complete(ledger: Ledger, run: str) -> RunRow:
    row = find_run(ledger, run)
    if row.status != "complete":
        raise DriftgateError(
            f"run {row.id} is {row.status}, and a part of it would be scored as the whole",
            f"finish it with: driftgate bench --resume --run {row.id}",
        )
    return row


def _print_scores(scores: ConventionScores, kinds: Sequence[str]) -> None:
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


def _as_json(scores: ConventionScores, kinds: Sequence[str]) -> dict[str, Any]:
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


def _print_difference(ledger: Ledger, found: Difference, examples: int) -> None:
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
