"""``driftgate import``: recorded answers into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from driftgate.api import tables
from driftgate.api.commands import console, opened
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import Dataset, load_dataset
from driftgate.benchmarks.recorded import (
    Benchmark,
    Imported,
    RecordedRows,
    Source,
    find_preset,
    import_file,
    parse_mapping,
    read_recorded,
    recognise,
)
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger

_SUFFIXES = (".csv", ".jsonl")


def run_import(
    folder: Path, files: Sequence[Path], preset: str, mapping: str, dataset: str, model: str, shots: int | None
) -> int:
    """Import files, and those of folders; what cannot be joined is refused by name and the others go on.

    Returns
    -------
    int
        0, or 2 where a file of several was refused.
    """
    with opened(folder) as (workspace, ledger):
        sources = [_source(path, preset, mapping, dataset, model, shots) for path in _expand(files)]
        # Complete files first: they say what the others lack.
        read = [(source, read_recorded(path, source.columns)) for path, source in sources]
        read.sort(key=lambda pair: -len(pair[1].frame))
        datasets: dict[str, Dataset | None] = {}
        refused: list[DriftgateError] = []
        scored: list[CellScores] = []
        with _progress() as bar:
            files_task = bar.add_task("files", total=len(read))
            for source, rows in read:
                try:
                    done = _import_one(workspace, ledger, source, rows, dataset, datasets, bar)
                except DriftgateError as problem:
                    if len(read) == 1:
                        raise
                    refused.append(problem)
                else:
                    _print_done(bar, done)
                    scored += score_run(ledger, done.run.id, store=done.new)
                bar.advance(files_task)
        tables.print_scores(console, scored)
        for refusal in refused:
            console.print(f"[red]refused[/] {escape(refusal.message)}\n  {escape(refusal.remedy)}", soft_wrap=True)
        return 2 if refused else 0


def _expand(files: Sequence[Path]) -> list[Path]:
    """The files, and of a folder those that a preset knows."""
    found: list[Path] = []
    for path in files:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES and recognise(p) is not None)
        if not inside:
            raise DriftgateError(
                f"no file of the folder {path} is of a layout that is known",
                "name the files, and their columns with --map",
            )
        found += inside
    return list(dict.fromkeys(found))


def _source(path: Path, preset: str, mapping: str, dataset: str, model: str, shots: int | None) -> tuple[Path, Source]:
    """What a file is, from its preset and what the flags say otherwise."""
    columns = parse_mapping(mapping)
    source = find_preset(preset).recognise(path) if preset else recognise(path) if not columns else None
    if source is None:
        if preset:
            raise DriftgateError(f"{path.name} is none of the preset '{preset}'", "leave --preset out and use --map")
        if not columns:
            raise DriftgateError(
                f"the layout of {path.name} is not known",
                "say what its columns are, for example --map id=ID,gold=answer,prediction=pred,response=reply",
            )
        if not dataset:
            raise DriftgateError(f"it is not said what {path.name} answers", "name it with --dataset")
        source = Source(Benchmark("", dataset), path.stem, {})
    return path, replace(
        source,
        columns={**source.columns, **columns},
        model=model or source.model,
        shots=source.shots if shots is None else shots,
    )


def _import_one(
    workspace: OpenWorkspace,
    ledger: Ledger,
    source: Source,
    rows: RecordedRows,
    dataset: str,
    datasets: dict[str, Dataset | None],
    bar: Progress,
) -> Imported:
    if dataset and dataset not in workspace.config.datasets:
        raise DriftgateError(f"the workspace has no dataset '{dataset}'", nearest(dataset, workspace.config.datasets))
    name = dataset or _dataset_of(workspace, source)
    if name not in datasets:
        config = workspace.config.datasets.get(name)
        datasets[name] = load_dataset(name, config, workspace.folder) if config else None
    task = bar.add_task(escape(rows.path.name), total=len(rows.frame))
    try:
        return import_file(
            ledger, source, rows, datasets[name], version("driftgate"), lambda done: bar.advance(task, done)
        )
    finally:
        bar.remove_task(task)


def _dataset_of(workspace: OpenWorkspace, source: Source) -> str:
    """The workspace's dataset of the kind that a file answers; empty where it has none."""
    fitting = [name for name, config in workspace.config.datasets.items() if config.kind == source.benchmark.kind]
    if len(fitting) > 1:
        raise DriftgateError(
            f"the workspace has several datasets of the kind '{source.benchmark.kind}': {', '.join(fitting)}",
            "say which with --dataset",
        )
    return fitting[0] if fitting else ""


def _progress() -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print_done(bar: Progress, done: Imported) -> None:
    missing = done.asked - done.rows
    parts = [f"{done.rows:,} of {done.asked:,} samples", *([f"{missing:,} missing"] if missing else [])]
    parts += [] if done.joined else ["without questions"]
    parts += [] if done.new else ["was imported before"]
    bar.console.print(f"  {escape(done.run.id)}: {', '.join(parts)}", soft_wrap=True)
