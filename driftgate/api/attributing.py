"""``driftgate attribute``: split the difference between two cells of the ledger over the nodes of their flow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from driftgate.api import session
from driftgate.api.commands import INTERRUPTED, console, opened
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.attribution import REPEAT, Attribution, Contribution, attribute, check_unchanged, open_side
from driftgate.benchmarks.compare import named_cells
from driftgate.benchmarks.report import write_attribution
from driftgate.benchmarks.suite import Cell, SuiteConfig, draw
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model
from driftgate.ledger import CellRow, Ledger, find_run, outcome_frame

_SAMPLES = 5


@dataclass(frozen=True)
class Named:
    """A cell of the ledger and what it takes to run it again."""

    row: CellRow
    cell: Cell
    models: tuple[str, ...]
    """Of its suite."""


def run_attribute(
    folder: Path,
    first: str,
    second: str,
    *,
    metric: str,
    limit: int | None,
    seed: int,
    html: Path | None,
    as_json: Path | None,
) -> int:
    """Attribute, print and write."""
    with opened(folder) as (workspace, ledger):
        sides = named_side(workspace, ledger, first), named_side(workspace, ledger, second)
        found = _carry_out(workspace, ledger, sides, metric, limit, seed)
        names = side_names(*(side.row for side in sides))
        print_attribution(console, found, names)
        written = html or workspace.reports / f"attribution-{sides[0].row.id}-{sides[1].row.id}.html"
        write_attribution(found, names, [side.row.run_id for side in sides], written)
        console.print(f"report: {escape(session.shown(written.resolve()))}", soft_wrap=True)
        if as_json is not None:
            document = {"first": names[0], "second": names[1], **found.as_json()}
            as_json.write_text(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    return 0


def named_side(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Named:
    """The one cell that ``RUN`` or ``RUN/PART`` names, with its flow, model and data as they are on disk.

    Raises
    ------
    DriftgateError
        More than one cell fits, its run is not complete, or what it was run with is no longer there.
    """
    rows = named_cells(ledger, [name])
    if len(rows) != 1:
        which = ", ".join(f"{name.partition('/')[0]}/{row.ordinal} ({row.name})" for row in rows[:6])
        raise DriftgateError(f"'{name}' names {len(rows)} cells", f"name one of: {which}")
    row = rows[0]
    run = find_run(ledger, row.run_id)
    if run.status != "complete":
        raise DriftgateError(
            f"run {run.id} is {run.status}", f"finish it with: driftgate bench --resume --run {run.id}"
        )
    if "config" not in run.plan:
        raise DriftgateError(f"run {run.id} was imported and went through no flow", "attribute runs of a suite")
    suite = SuiteConfig.model_validate(run.plan["config"])
    planned = session.plan_suite(workspace, ledger, run.suite, suite)
    fitting = [
        cell
        for cell in planned.cells
        if (cell.model, cell.variant, cell.dataset.name, cell.flow.name)
        == (row.model, row.variant, row.dataset, row.flow)
    ]
    if not fitting:
        raise DriftgateError(
            f"the flow {row.flow} of run {run.id} is not what its suite runs now",
            "attribute runs of flows, not of ports",
        )
    check_unchanged(row, fitting[0])
    return Named(row, fitting[0], tuple(suite.models))


def _carry_out(
    workspace: OpenWorkspace, ledger: Ledger, named: tuple[Named, Named], metric: str, limit: int | None, seed: int
) -> Attribution:
    first, second = named
    if first.row.details["samples"] != second.row.details["samples"]:
        raise DriftgateError(
            f"{first.row.name} and {second.row.name} were not asked the same samples",
            "run both with one dataset, limit and seed",
        )
    primary = first.cell.evaluators.primary
    names = list(dict.fromkeys([*first.models, *second.models]))
    models = session.open_models(workspace, ledger, names, check=False)  # the ledger may hold all there is to ask
    try:
        return asyncio.run(_attribute(ledger, named, models, metric or primary, primary, limit, seed))
    except KeyboardInterrupt:
        console.print("stopped; the replies so far are in the ledger: give the same command again to go on")
        raise SystemExit(INTERRUPTED) from None


async def _attribute(
    ledger: Ledger,
    named: tuple[Named, Named],
    models: Mapping[str, Model],
    metric: str,
    primary: str,
    limit: int | None,
    seed: int,
) -> Attribution:
    first, second = (
        open_side(
            ledger,
            one.row,
            one.cell,
            {name: models[name] for name in one.models},
            metric=metric,
            primary=metric == primary,
            seed=seed,
        )
        for one in named
    )
    samples = draw(named[0].cell.samples, limit, seed)
    frame = outcome_frame(ledger, named[0].row.id).set_index("key", drop=False).loc[[s.key for s in samples]]
    in_flight = max(one.cell.model_config.in_flight for one in named)
    bar = Progress(
        TextColumn("  replaying"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    task = bar.add_task("", total=len(samples))
    try:
        with bar:
            return await attribute(
                (first, second),
                frame.reset_index(drop=True),
                samples,
                metric,
                seed=seed,
                in_flight=in_flight,
                advance=lambda done, asked: bar.update(task, completed=done),
            )
    finally:
        for side in (first, second):
            await side.engine.aclose()
        for model in models.values():
            await model.aclose()
        for retriever in {id(one.cell.retriever): one.cell.retriever for one in named}.values():
            if retriever is not None:
                await retriever.aclose()


def side_names(first: CellRow, second: CellRow) -> tuple[str, str]:
    """What tells the two cells apart."""
    names = [" · ".join(filter(None, (row.flow, row.variant, row.model))) for row in (first, second)]
    if names[0] == names[1]:
        return f"{names[0]} ({first.run_id})", f"{names[1]} ({second.run_id})"
    return names[0], names[1]


def print_attribution(out: Console, found: Attribution, names: tuple[str, str]) -> None:
    """What moved, by how much each node, and the samples to look at."""
    interval = found.difference.interval
    known = interval.low is not None and interval.high is not None
    limits = f" ({interval.low:+.4f}…{interval.high:+.4f})" if known else f" ({interval.reason})"
    out.print(f"from [bold]{escape(names[0])}[/] to [bold]{escape(names[1])}[/]", soft_wrap=True)
    out.print(
        f"{escape(found.metric)}: {found.scores[0]:.4f} → {found.scores[1]:.4f}, difference "
        f"[bold]{found.difference.difference or 0.0:+.4f}[/]{limits}, n={found.n:,}",
        soft_wrap=True,
    )
    out.print(f"[bold]{escape(sentence(found))}[/]", soft_wrap=True)
    if found.contributions:
        table = Table(header_style="bold")
        table.add_column("node", overflow="fold")
        table.add_column("what differs", overflow="fold")
        for column in ("contribution (95%)", "share", "p (Holm)", "samples moved"):
            table.add_column(column, justify="right")
        for one in found.contributions:
            table.add_row(*_row(one))
        out.print(table)
    for one in found.contributions:
        for sample in one.samples[:_SAMPLES] if one.named else ():
            before, after = sample.scores
            moved = f"{sample.contributions[one.player.name]:+.3f}"
            out.print(escape(f"  {one.player.name} {moved}: {sample.id} ({before:g} → {after:g})"), soft_wrap=True)
    how = "all coalitions" if found.exact else f"orders of joining sampled with seed {found.seed}"
    counts = found.counts
    out.print(
        f"[dim]Shapley values over {how}, {found.coalitions} a sample; node outputs: {counts.reused:,} reused, "
        f"{counts.ran:,} run; model calls: {counts.asked:,} made, {counts.replies:,} answered from the ledger. "
        "What a model was asked anew is one draw of it[/]",
        soft_wrap=True,
    )
    if found.silent:
        out.print(
            f"[yellow]{found.silent:,} samples are left out: a model gave no reply in one of the runs[/] "
            "(ask again with: driftgate bench --resume --retry-failed)",
            soft_wrap=True,
        )
    if found.not_replayed:
        out.print(f"[yellow]{found.not_replayed:,} samples are left out: a model gives no reply now[/]")
    if found.unsteady:
        out.print(f"[yellow]not the same again on every sample tried: {escape(', '.join(found.unsteady))}[/]")


def sentence(found: Attribution) -> str:
    """What was found, in one sentence."""
    nodes = [one for one in found.contributions if one.player.nodes != (REPEAT,)]
    named = [one for one in nodes if one.named]
    if not nodes:
        repeat = " What moved is the model not repeating itself." if found.contributions else ""
        return f"No node is configured otherwise: nothing is attributed.{repeat}"
    if not named:
        return "No node's contribution is told from 0."
    parts = []
    for one in named:
        share = f"{100 * one.share:.0f}% of the difference" if one.share is not None else "a part"
        parts.append(f"{one.player.name} accounts for {share} ({one.interval.estimate or 0.0:+.4f})")
    return "; ".join(parts) + "."


def _row(one: Contribution) -> list[str]:
    interval = one.interval
    known = interval.low is not None and interval.high is not None
    limits = f" ({interval.low:+.4f}…{interval.high:+.4f})" if known else ""
    words: Any = "outputs unlike for the same configuration and input" if one.player.nodes == (REPEAT,) else None
    return [
        escape(one.player.name),
        escape(words or ", ".join(one.player.differs)),
        f"{interval.estimate or 0.0:+.4f}{limits}",
        "-" if one.share is None else f"{100 * one.share + 0.0:.0f}%",
        "-" if one.p_adjusted is None else f"{one.p_adjusted:.2g}",
        f"{one.moved:,}",
    ]
