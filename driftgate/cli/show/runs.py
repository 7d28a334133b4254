"""Tables and verdicts on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.api.run import Run
    from driftgate.benchmarks.gate import GateVerdict
    from driftgate.benchmarks.scores import CellScores
    from driftgate.ledger import RunRow, ScoreRow

_EVALUATORS, _METRICS = 6, 4
"""Evaluators of a cell, and metrics of an evaluator, that stand below the scores; all those that failed do."""
_EXCERPT = 60
"""Characters of a text that a row of samples shows."""
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow", "unmeasurable": "magenta"}


def print_scores(console: Console, scored: Sequence[CellScores]) -> None:
    """One row a cell: accuracy with its interval and other bound, outcomes, latency and cost; signatures below."""
    from driftgate.benchmarks.scores import PREDICTED
    from driftgate.benchmarks.trouble import commonest
    from driftgate.cli.show.documents import print_documents
    from driftgate.flows.plain import one_line
    from driftgate.ledger import ends_soon

    table = Table(header_style="bold")
    table.add_column("model · variant · dataset", overflow="fold")
    for column in ("accuracy (95%)", "if all right", "macro", "asked", "not answered", "p50 / p95", "cost"):
        table.add_column(column, justify="right", overflow="fold")
    for scores in scored:
        counts = scores.outcomes
        lost = ", ".join(f"{n:,} {name}" for name, n in counts.items() if n and name != "answered")
        cost, answered = scores.get("cost"), not scores.answered_nothing
        spent = f"{scores.cost_words}{cost.value:.4f} {scores.currency}" if cost and cost.value is not None else ""
        table.add_row(
            escape(scores.cell.name),
            _with_interval(scores.get("accuracy") if answered else None),
            _number(scores.get("accuracy_if_right")),
            _number(scores.get("accuracy_macro") if answered else None),
            f"{sum(counts.values()):,}",
            lost or "0",
            f"{_number(scores.get('latency_p50'), 2)} / {_number(scores.get('latency_p95'), 2)} s",
            scores.unknown_cost or spent,
        )
    console.print(table)
    for scores in scored:
        for one in commonest(scores.asks):
            words = f": {one.words}" if one.words else ""
            said = one_line(f"{scores.cell.name}: {one.count:,} of {len(scores.asks):,} {one.outcome}{words}")
            console.print(f"  [yellow]{escape(said)}[/]", soft_wrap=True)
        if scores.ungraded:
            unknown = f"{scores.ungraded:,} of {scores.outcomes['answered']:,} answers could not be graded"
            console.print(f"  [magenta]{escape(one_line(f'{scores.cell.name}: {unknown}'))}[/]", soft_wrap=True)
        if scores.off_scale:
            console.print(f"  [yellow]{escape(one_line(f'{scores.cell.name}: {scores.off_scale}'))}[/]", soft_wrap=True)
        _print_evaluators(console, scores)
        if scores.tokens:
            console.print(f"  {escape(one_line(f'{scores.cell.name}: {scores.tokens}'))}", soft_wrap=True)
        if scores.stopped:
            console.print(f"  [yellow]{escape(one_line(f'{scores.cell.name}: {scores.stopped}'))}[/]", soft_wrap=True)
        if scores.repeated:
            console.print(f"  {escape(one_line(f'{scores.cell.name}: {scores.repeated}'))}", soft_wrap=True)
    print_documents(console, scored)
    for model, told in {scores.cell.model: scores.price_list for scores in scored if scores.price_list}.items():
        console.print(f"  {escape(one_line(f'{model}: {told}'))}", soft_wrap=True)
    for model, day in {scores.cell.model: scores.ends for scores in scored if scores.ends is not None}.items():
        console.print(f"  [yellow]{escape(one_line(model))}: {ends_soon(day)}[/]", soft_wrap=True)
    for scores in scored:
        if whole := scores.cell.details.get("stands_for"):
            predicted = _with_interval(scores.get(PREDICTED))
            of = escape(f"{whole['n']:,} samples of {whole['of']}")
            console.print(f"  {escape(scores.cell.name)}: predicted accuracy on all {of}: [bold]{predicted}[/]")
    for scores in scored:
        console.print(f"  [dim]{escape(scores.cell.name)}: {escape(scores.cell.signature)}[/]", soft_wrap=True)
        if scores.unasked:
            said = escape(one_line(f"{scores.cell.name}: {scores.answered}"))
            console.print(f"  [magenta]{said}[/]", soft_wrap=True)
        for made in scores.aggregations:
            over = f"over {made.n:,} of {len(scores.frame):,} samples"
            logged = ", ".join(f"{made.prefix}{name} {value:.4g}" for name, value in made.metrics.items())
            failed = f"{made.prefix.rstrip('.')} failed: {made.error}" if made.error else ""
            said = one_line(f"{scores.cell.name}: {'; '.join(filter(None, (logged, failed)))} ({over})")
            if logged or failed:
                console.print(f"  [{'red' if failed else 'default'}]{escape(said)}[/]", soft_wrap=True)
        for check in scores.judges.values():
            colour = "magenta" if check.doubtful else "dim"
            mark = "its scores decide nothing: " if check.doubtful else ""
            told = f"{scores.cell.name}: {check.evaluator}: {mark}{check.told}"
            console.print(f"  [{colour}]{escape(one_line(told))}[/]", soft_wrap=True)
        for key, rate in scores.parse_rates.items():
            colour = "red" if rate.unread or rate.silent else "dim"
            console.print(
                f"  [{colour}]{escape(one_line(f'{scores.cell.name}: {key}: {rate.words}'))}[/]", soft_wrap=True
            )


def _print_evaluators(console: Console, scores: CellScores) -> None:
    """One line an evaluator, those that failed first; all of these, and of the others so many that it stays short."""
    from driftgate.flows.plain import one_line

    bad = [one for one in scores.evaluated if one.failed or one.doubt]
    shown = scores.evaluated[: max(len(bad), _EVALUATORS)]
    for one in shown:
        told = ", ".join(measured.told for measured in one.metrics[:_METRICS])
        if (more := len(one.metrics) - _METRICS) > 0:
            told += f" and {more} more"
        colour = "red" if one.failed else "magenta" if one.doubt else "default"
        told = f"{one.key}.{told}" if told else one.key if one.failed else f"{one.key} words alone"
        said = one_line(" ".join(filter(None, (f"{scores.cell.name}: {told}", one.trouble))))
        console.print(f"  [{colour}]{escape(said)}[/]", soft_wrap=True)
    if rest := len(scores.evaluated) - len(shown):
        said = f"{scores.cell.name}: and {rest} more evaluator{'s' if rest > 1 else ''}, of which none failed"
        where = f"driftgate runs show {scores.cell.run_id} --evaluators"
        console.print(f"  {escape(one_line(said))} ({escape(where)})", soft_wrap=True)


def print_evaluators(console: Console, scored: Sequence[CellScores]) -> None:
    """Every metric of every node evaluator, the worst evaluators first, and the errors of those that failed."""
    from driftgate.flows.plain import one_line

    for scores in scored:
        table = Table(header_style="bold", title=escape(one_line(scores.cell.name)), title_justify="left")
        table.add_column("evaluator", overflow="fold")
        table.add_column("metric", overflow="fold")
        for column in ("mean (95%)", "n", "errors"):
            table.add_column(column, justify="right")
        for one in scores.evaluated:
            errors = f"[red]{one.errors:,}[/]" if one.errors else "0"
            for place, measured in enumerate(one.metrics):
                first = not place
                mean = measured.told.removeprefix(f"{measured.metric} ")
                names = (escape(one_line(one.key)) if first else "", escape(one_line(measured.metric)))
                table.add_row(*names, mean, f"{measured.n:,}", errors if first else "")
            if not one.metrics:
                table.add_row(escape(one_line(one.key)), "-", "-", "0", errors)
        console.print(table)
        for one in scores.evaluated:
            if one.trouble:
                said = one_line(f"{one.key} {one.trouble}")
                console.print(f"  [{'red' if one.failed else 'magenta'}]{escape(said)}[/]", soft_wrap=True)


def print_verdict(console: Console, verdict: GateVerdict) -> None:
    """The verdict of a gate and what each of its rules says."""
    from driftgate.flows.plain import one_line

    colour = COLOURS[verdict.verdict]
    console.print(f"gate [bold]{escape(one_line(verdict.gate))}[/]: [bold {colour}]{verdict.verdict}[/]")
    for rule in verdict.worst_first:
        mark = f"[{COLOURS[rule.verdict]}]{rule.verdict}[/]"
        # Not wrapped: a line of a build's log begins where we begin it, and not where a dataset's text would have it.
        said = one_line(f"{rule.cell}: {rule.rule}: {rule.says or rule.reason}")
        console.print(f"  {mark} {escape(said)}", soft_wrap=True)
        if rule.says:
            console.print(f"    [dim]{escape(one_line(rule.reason))}[/]", soft_wrap=True)
    if verdict.stopped:
        console.print(f"  {escape(verdict.stopped)}", soft_wrap=True)
    for since in verdict.drift:
        console.print(f"  {escape(one_line(f'{since.cell}: {since.told}'))}", soft_wrap=True)


def print_runs(console: Console, runs: Sequence[RunRow]) -> None:
    """One row a run, the newest first."""
    table = Table(header_style="bold")
    for column in ("run", "suite", "kind", "began", "status", "cells", "reason"):
        table.add_column(column, overflow="fold")
    for run in runs:
        cells = run.plan.get("cells", [])
        began = f"{run.created_at.astimezone():%Y-%m-%d %H:%M %Z}"
        texts = (run.id, run.suite, run.kind, began, run.status, str(len(cells)), run.reason)
        table.add_row(*map(escape, texts))
    console.print(table)


def _number(row: ScoreRow | None, digits: int = 3) -> str:
    return "-" if row is None or row.value is None else f"{row.value:.{digits}f}"


def _with_interval(row: ScoreRow | None) -> str:
    if row is None or row.value is None:
        return "-"
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f}–{row.high:.3f})"


def print_run(console: Console, run: Run) -> None:
    """How a run stands, and its scores."""
    console.print(
        f"{escape(run.id)} · {run.status}" + (f": {escape(run.standing.reason)}" if run.standing.reason else "")
    )
    say_expired(console, run)
    print_scores(console, run.scored)


def say_expired(console: Console, run: Run) -> None:
    """Say that the texts of a run are gone, where they are: nobody is to take them for empty."""
    if run.expired is not None:
        when = f"{run.expired.astimezone():%Y-%m-%d %H:%M %Z}"
        console.print(
            f"[yellow]expired on {when}: its prompts, replies and node outputs were removed; its scores stand[/]",
            soft_wrap=True,
        )


def print_sample(console: Console, run: Run, name: str) -> None:
    """One sample's way through the flow of every cell.

    Raises
    ------
    DriftgateError
        No sample fits.
    """
    found = False
    say_expired(console, run)
    for cell, entry in run.sample(name):
        found = True
        console.rule(escape(cell.name), align="left")
        console.print_json(json.dumps(entry, ensure_ascii=False, default=str))
    if not found:
        raise DriftgateError(f"no sample of run {run.id} fits '{name}'", "give its id or a part of its key")


def print_samples(console: Console, frame: pd.DataFrame, total: int) -> None:
    """One row a sample: what was asked, what it should be, what came, and why there is no answer."""
    from driftgate.flows.plain import one_line

    table = Table(header_style="bold")
    for column in ("sample", "category", "cell", "question", "key", "outcome", "answer"):
        table.add_column(column, overflow="fold")
    for row in frame.itertuples():
        table.add_row(
            escape(one_line(str(row.upstream_id))),
            escape(one_line(str(row.category))),
            escape(one_line(str(row.cell))),
            escape(_excerpt(row.question)),
            escape(_excerpt(row.gold)),
            str(row.outcome),
            escape(_excerpt(row.answer if row.outcome == "answered" else row.error or row.rule)),
        )
    console.print(table)
    more = f"; the first {len(frame):,} are shown (--limit)" if len(frame) < total else ""
    console.print(f"{total:,} samples{more}; one in full: driftgate runs show RUN SAMPLE")


def _excerpt(value: object) -> str:
    from driftgate.flows.plain import one_line

    text = "" if value is None or value != value else one_line(str(value))
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
