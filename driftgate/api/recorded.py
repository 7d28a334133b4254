"""Recorded answers into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

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


@dataclass(frozen=True)
class Import:
    """How recorded files are read, where their names do not say it."""

    preset: str = ""
    """Layout of the files; by default the one that knows their names."""
    mapping: str = ""
    """Columns: ``id=ID,gold=answer,prediction=pred,response=reply``."""
    dataset: str = ""
    """The dataset of the workspace that they answer."""
    model: str = ""
    """The model's name; by default from the file's name."""
    shots: int | None = None
    """Examples that the prompts held."""


@dataclass(frozen=True)
class ImportedFiles:
    """What came of several files."""

    scored: Sequence[CellScores]
    refused: Sequence[DriftgateError]
    """Why files were left out."""
    unknown: Sequence[Path]
    """Files and folders inside the folders given that were not looked into: no layout that is known has such a name."""


class ImportDisplay(Protocol):
    """Shows an import to a person."""

    def begin(self, name: str, rows: int, files: int) -> None:
        """A file of so many rows begins, one of so many files."""

    def advance(self, rows: int) -> None:
        """So many more rows of it are in the ledger."""

    def end(self, done: Imported | None) -> None:
        """The file is in the ledger; None: it was refused."""


def import_files(
    workspace: OpenWorkspace, ledger: Ledger, files: Sequence[Path], how: Import, display: ImportDisplay
) -> ImportedFiles:
    """Import files, and those of folders; what cannot be joined is refused by name and the others go on.

    Raises
    ------
    DriftgateError
        A layout is not known, or the only file was refused.
    """
    known, unknown = _expand(files)
    sources = [_source(path, how) for path in known]
    # Complete files first: they say what the others lack.
    read = [(source, read_recorded(path, source.columns)) for path, source in sources]
    read.sort(key=lambda pair: -len(pair[1].frame))
    datasets: dict[str, Dataset | None] = {}
    refused: list[DriftgateError] = []
    scored: list[CellScores] = []
    for source, rows in read:
        display.begin(rows.path.name, len(rows.frame), len(read))
        done: Imported | None = None
        try:
            done = _import_one(workspace, ledger, source, rows, how.dataset, datasets, display.advance)
            scored += score_run(ledger, done.run.id, store=done.new)
        except DriftgateError as problem:
            if len(read) == 1:
                raise
            refused.append(problem)
        finally:
            display.end(done)
    return ImportedFiles(scored, refused, unknown)


def _expand(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files, and of a folder those that a preset knows; and what else a folder holds that could be meant."""
    found: list[Path] = []
    others: list[Path] = []
    for path in files:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES and p.is_file())
        known = [p for p in inside if recognise(p) is not None]
        others += [p for p in inside if p not in known]
        others += sorted(p for p in path.iterdir() if p.is_dir() and any(q.suffix in _SUFFIXES for q in p.iterdir()))
        if not known:
            raise DriftgateError(
                f"no file of the folder {path} is of a layout that is known"
                + (f": {', '.join(p.name for p in others[:10])}" if others else ""),
                "name the files, and their columns with --map",
            )
        found += known
    return list(dict.fromkeys(found)), list(dict.fromkeys(others))


def _source(path: Path, how: Import) -> tuple[Path, Source]:
    """What a file is, from its preset and what ``how`` says otherwise."""
    columns, preset = parse_mapping(how.mapping), how.preset
    source = find_preset(preset).recognise(path) if preset else recognise(path) if not columns else None
    if source is None:
        if preset:
            raise DriftgateError(f"{path.name} is none of the preset '{preset}'", "leave --preset out and use --map")
        if not columns:
            raise DriftgateError(
                f"the layout of {path.name} is not known",
                "say what its columns are, for example --map id=ID,gold=answer,prediction=pred,response=reply",
            )
        if not how.dataset:
            raise DriftgateError(f"it is not said what {path.name} answers", "name it with --dataset")
        source = Source(Benchmark("", how.dataset), path.stem, {})
    return path, replace(
        source,
        columns={**source.columns, **columns},
        model=how.model or source.model,
        shots=source.shots if how.shots is None else how.shots,
    )


def _import_one(
    workspace: OpenWorkspace,
    ledger: Ledger,
    source: Source,
    rows: RecordedRows,
    dataset: str,
    datasets: dict[str, Dataset | None],
    advance: Callable[[int], None],
) -> Imported:
    if dataset and dataset not in workspace.config.datasets:
        raise DriftgateError(f"the workspace has no dataset '{dataset}'", nearest(dataset, workspace.config.datasets))
    name = dataset or _dataset_of(workspace, source)
    if name not in datasets:
        config = workspace.config.datasets.get(name)
        datasets[name] = load_dataset(name, config, workspace.folder) if config else None
    return import_file(ledger, source, rows, datasets[name], version("driftgate"), advance)


def _dataset_of(workspace: OpenWorkspace, source: Source) -> str:
    """The workspace's dataset of the kind that a file answers; empty where it has none."""
    fitting = [name for name, config in workspace.config.datasets.items() if config.kind == source.benchmark.kind]
    if len(fitting) > 1:
        raise DriftgateError(
            f"the workspace has several datasets of the kind '{source.benchmark.kind}': {', '.join(fitting)}",
            "say which with --dataset",
        )
    return fitting[0] if fitting else ""
