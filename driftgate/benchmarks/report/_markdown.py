"""The summary of a run in Markdown, for a pull request or a step summary of GitHub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from driftgate.benchmarks.report._differences import category_differences
from driftgate.benchmarks.report._text import (
    markdown_code,
    markdown_text,
    moment,
    money,
    number,
    percent,
    percent_range,
    points,
    seconds,
)
from driftgate.benchmarks.report._views import CellView, VerdictView, by_dataset, verdict_views
from driftgate.ledger import RunRow, VerdictRow, ends_on

_ICONS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "unmeasurable": "⬜"}
_DIFFERENCES = 5
_ROWS = 20
"""Means of evaluators that stand unfolded."""


def render_summary(
    run: RunRow, cells: Sequence[CellView], verdicts: Sequence[VerdictRow], page: str, zone: tzinfo | None
) -> str:
    """The whole summary; ``page`` is the HTML page's file name, which stands beside it."""
    judged = verdict_views(verdicts)
    title = f"{_icon(judged[0].verdict)} {judged[0].verdict}" if judged else "not judged"
    parts = [f"## {markdown_text(run.suite)}: {title}", f"Run {markdown_code(run.id)}, {moment(run.created_at, zone)}."]
    if run.status != "complete":
        reason = f" ({markdown_text(run.reason)})" if run.reason else ""
        parts.append(f"**The run is not complete: it is {markdown_text(run.status)}{reason}.**")
    parts += [verdict_section(view) for view in judged]
    parts.append(_cells(cells) if cells else "The run has no cell yet.")
    parts += [_trouble(cells)] if any(cell.trouble for cell in cells) else []
    parts += [_signatures(cells)] if cells else []
    parts += [_evaluators(cells)] if any(cell.evaluators or cell.scores.evaluated for cell in cells) else []
    parts += [table for group in by_dataset(cells).values() if (table := _differences(group))]
    parts.append(f"Full report: [{markdown_text(page)}]({page})")
    return "\n\n".join(parts) + "\n"


def _icon(verdict: str) -> str:
    return _ICONS.get(verdict, "❔")


def verdict_section(view: VerdictView) -> str:
    """A gate's verdict: its sentence, and a table of its rules."""
    rows = [
        [
            f"{_icon(rule['verdict'])} {markdown_text(rule['verdict'])}",
            markdown_code(rule["rule"]),
            markdown_code(rule["cell"]),
            number(rule["value"]),
            "–" if rule["low"] is None or rule["high"] is None else f"{number(rule['low'])} to {number(rule['high'])}",
            f"{rule['n']:,}",
            markdown_text("; ".join(filter(None, (rule["says"], rule["reason"])))),
        ]
        for rule in view.worst_first
    ]
    heading = f"### Gate {markdown_code(view.gate)}: {markdown_text(view.verdict)}\n\n{view.sentence}"
    table = _table(["Verdict", "Rule", "Cell", ">Value", ">95% interval", ">n", "Reason"], rows)
    return "\n\n".join([heading, table, *(markdown_text(said) for said in view.drift)])


def _cells(cells: Sequence[CellView]) -> str:
    rows = []
    for cell in cells:
        accuracy, best = cell.metric("accuracy"), cell.metric("accuracy_if_right")
        rows.append(
            [
                markdown_code(cell.name),
                f"**{percent(accuracy.value)}**",
                percent_range(accuracy.low, accuracy.high),
                percent_range(accuracy.value, best.value),
                percent(cell.metric("accuracy_macro").value),
                ", ".join(f"{n:,} {outcome}" for outcome, n in cell.scores.outcomes.items() if n),
                f"{seconds(cell.metric('latency_p50').value)} / {seconds(cell.metric('latency_p95').value)}",
                cell.scores.unknown_cost
                or markdown_text(cell.scores.cost_words + money(cell.cost, cell.scores.currency)),
            ]
        )
    header = ["Cell", ">Accuracy", ">95% interval", ">Bounds", ">Macro", "Outcomes", ">Latency p50 / p95", ">Cost"]
    return "\n\n".join(
        [
            "### Scores\n\n" + _table(header, rows),
            *_priced(cells),
            *_ending(cells),
            *_repeated(cells),
            *_predicted(cells),
        ]
    )


def _priced(cells: Sequence[CellView]) -> list[str]:
    """Where prices stand that the workspace does not state."""
    told = {cell.scores.cell.model: cell.scores.price_list for cell in cells if cell.scores.price_list}
    said = [f"- {markdown_code(model)}: {markdown_text(words)}" for model, words in told.items()]
    return ["\n".join(said)] if said else []


def _ending(cells: Sequence[CellView]) -> list[str]:
    """The days on which deployments end, where they are known."""
    days = {cell.scores.cell.model: cell.scores.ends for cell in cells if cell.scores.ends is not None}
    said = [f"- {markdown_code(model)}: {ends_on(day)}" for model, day in days.items()]
    return ["\n".join(said)] if said else []


def _repeated(cells: Sequence[CellView]) -> list[str]:
    """What the repeats of each sample show."""
    said = [(cell.name, cell.scores.repeated) for cell in cells if cell.scores.repeated]
    return ["\n".join(f"- {markdown_code(name)}: {markdown_text(words)}" for name, words in said)] if said else []


def _predicted(cells: Sequence[CellView]) -> list[str]:
    return [
        f"{markdown_code(cell.name)} stands for {cell.stands_for['n']:,} samples of "
        f"{markdown_code(str(cell.stands_for['of']))}: predicted accuracy **{percent(cell.predicted.value)}** "
        f"({percent_range(cell.predicted.low, cell.predicted.high)})."
        for cell in cells
        if cell.stands_for
    ]


def _signatures(cells: Sequence[CellView]) -> str:
    """What each score depends on, and what was not answered."""
    lines = [
        f"- {markdown_code(c.name)}: `{_plain(c.scores.cell.signature)}`; {markdown_text(c.scores.answered)}"
        for c in cells
    ]
    return "\n".join(lines)


def _trouble(cells: Sequence[CellView]) -> str:
    """The commonest reasons why samples have no answer."""
    lines = [
        f"- {markdown_code(cell.name)}: {one.count:,} of {len(cell.scores.asks):,} {one.outcome}"
        + (f": {markdown_text(one.words)}" if one.words else "")
        for cell in cells
        for one in cell.trouble
    ]
    return "### What went wrong\n\n" + "\n".join(lines)


def _evaluators(cells: Sequence[CellView]) -> str:
    """Which evaluators failed and why; means and errors of those of every node, folded where they are many."""
    failed = [
        f"- {markdown_code(cell.name)}: {markdown_code(one.key)} {markdown_text(one.trouble)}"
        for cell in cells
        for one in cell.scores.evaluated
        if one.trouble
    ]
    failed += [
        f"- {markdown_code(cell.name)}: {markdown_code(made.prefix.rstrip('.'))} failed: {markdown_text(made.error)}"
        for cell in cells
        for made in cell.scores.aggregations
        if made.error
    ]
    rows = [
        [
            markdown_code(cell.name),
            markdown_code(one.name),
            number(one.mean),
            "–" if one.low is None or one.high is None else f"{number(one.low)} to {number(one.high)}",
            f"{one.n:,}",
            f"**{one.errors:,}**" if one.errors else "0",
        ]
        for cell in cells
        for one in cell.evaluators
    ]
    header = ["Cell", "Evaluator", ">Mean", ">95% interval", ">n", ">Errors"]
    judges = [
        f"- {markdown_code(cell.name)}: {markdown_code(check.evaluator)}: "
        f"{'**its scores decide nothing:** ' if check.doubtful else ''}{markdown_text(check.told)}"
        for cell in cells
        for check in cell.scores.judges.values()
    ]
    read = [
        f"- {markdown_code(cell.name)} {markdown_code(key)}: {rate.words}"
        for cell in cells
        for key, rate in cell.scores.parse_rates.items()
    ]
    table = _table(header, rows)
    if len(rows) > _ROWS:
        table = f"<details><summary>{len(rows)} means of evaluators</summary>\n\n{table}\n\n</details>"
    parts = ("### Evaluators", "\n".join(failed), table, "\n".join(judges), "\n".join(read))
    return "\n\n".join(filter(None, parts))


def _plain(signature: str) -> str:
    """Outside a table a bar needs no escape; a backtick would end the code."""
    return signature.replace("`", "'")


def _differences(cells: Sequence[CellView]) -> str:
    if len(cells) < 2:
        return ""
    dataset, against = markdown_code(cells[0].dataset), markdown_code(cells[0].short_name)
    found = category_differences(cells, _DIFFERENCES)
    if not found:
        return f"No category of {dataset} differs from {against} by more than its 95% interval allows for."
    rows = [
        [
            markdown_code(d.category),
            markdown_code(d.cell.short_name),
            percent(d.accuracy),
            percent(d.reference_accuracy),
            points(d.comparison.difference),
            f"{points(d.comparison.interval.low)} to {points(d.comparison.interval.high)}",
            f"{d.comparison.n:,}",
        ]
        for d in found
    ]
    header = ["Category", "Cell", ">Accuracy", ">Reference", ">Points", ">95% interval", ">n"]
    return f"### Largest differences on {dataset}, against {against}\n\n" + _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a heading that begins with ``>`` is a column of numbers."""
    lines = [
        [title.removeprefix(">") for title in header],
        ["---:" if title.startswith(">") else "---" for title in header],
        *rows,
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
