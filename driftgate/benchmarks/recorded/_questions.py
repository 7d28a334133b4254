"""The samples that a file's rows answer, with or without questions, and which row answers which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from driftgate.benchmarks.datasets import Dataset, Sample, make_sample
from driftgate.benchmarks.recorded._align import Alignment, align_by_category, align_by_id, align_by_position
from driftgate.benchmarks.recorded._preset import Benchmark, Source
from driftgate.benchmarks.recorded._rows import RecordedRows
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.ledger._schema import samples as sample_table

if TYPE_CHECKING:
    import pandas as pd

_SPLIT = "recorded"


def without_questions(ledger: Ledger, source: Source, rows: RecordedRows) -> Dataset:
    """Samples that are a category, a position and a right answer, the same for every file about the benchmark.

    The first file, which must be complete, says which there are.

    Raises
    ------
    DriftgateError
        The questions are needed, or the first file is not complete.
    """
    benchmark = source.benchmark
    if not benchmark.name:
        raise DriftgateError(
            f"{rows.path.name} answers questions of the kind '{benchmark.kind}', which the workspace does not have",
            f"add it under datasets, for example {benchmark.kind}: {{kind: {benchmark.kind}}}",
        )
    name = benchmark.name
    query = select(sample_table).where(sample_table.c.dataset == name, sample_table.c.split == _SPLIT)
    with ledger.read() as connection:
        stored = [
            _bare(name, row.category, row.position, row.data["answer"], row.super_category)
            for row in connection.execute(query.order_by(sample_table.c.id))
        ]
    if stored:
        known = list({sample.key: sample for sample in stored}.values())  # the ledger may hold several editions
        return Dataset(name, known, source="right answers of recorded files; no questions")
    frame = rows.frame
    if benchmark.rows is not None and len(frame) != benchmark.rows:
        raise DriftgateError(
            f"{rows.path.name} has {len(frame):,} of {benchmark.rows:,} rows, and without the questions "
            "it cannot be told which are missing",
            f"import a complete file of the benchmark before it or with it, or add a dataset of the kind "
            f"'{benchmark.kind}' to the workspace",
        )
    groups = benchmark.super_categories or {}
    categories = categories_of(benchmark, frame)
    positions = frame.groupby(categories, sort=False).cumcount()
    samples = [
        _bare(name, category, int(position), gold, groups.get(category, ""))
        for category, position, gold in zip(categories, positions, frame["gold"], strict=True)
    ]
    return Dataset(name, samples, source="right answers of recorded files; no questions")


def _bare(name: str, category: str, position: int, gold: str, group: str) -> Sample:
    return make_sample(
        name, _SPLIT, position, {"answer": gold}, subset=category, category=category, super_category=group
    )


def categories_of(benchmark: Benchmark, frame: pd.DataFrame) -> pd.Series[str]:
    """The category of every row by its usual name; blank where the file has none."""
    if "category" not in frame:
        return frame["gold"].map(lambda gold: "")
    usual = {category: category and benchmark.category(category) for category in frame["category"].unique()}
    return frame["category"].map(usual)


def align(benchmark: Benchmark, rows: RecordedRows, questions: Dataset) -> Alignment:
    """Join rows to samples, by id where the file has ids, otherwise by their order within the category.

    A file with categories that cannot be joined as a whole is joined category by category.

    Raises
    ------
    DriftgateError
        It answers another dataset, or has neither ids nor categories and cannot be joined.
    """
    samples, frame, name = questions.samples, rows.frame, rows.path.name
    if "id" in frame:
        parts = frame["category"] if "category" in frame else [""] * len(frame)
        ids = [benchmark.id(category, id_) for category, id_ in zip(parts, frame["id"], strict=True)]
        return align_by_id(ids, list(frame["gold"]), samples, name)
    categories = list(categories_of(benchmark, frame))
    # A runner goes through the categories in an order of its own, and its batches run on from one into the next.
    order = {category: place for place, category in enumerate(dict.fromkeys(categories))}
    usual = {category: benchmark.category(category) for category in {s.category for s in samples}} if any(order) else {}
    unknown = set(order) - set(usual.values()) - {""}
    if unknown:
        raise DriftgateError(
            f"{name} has the category '{min(unknown)}', which dataset '{questions.name}' does not have",
            "check --dataset and its categories",
        )
    shown = [(usual.get(s.category, ""), s.data["answer"]) for s in samples]
    places = sorted(range(len(samples)), key=lambda place: order.get(shown[place][0], len(order)))
    # A runner that asks several categories at once writes their rows in turns.
    grouped = sorted(range(len(categories)), key=lambda row: order[categories[row]])
    golds = list(frame["gold"])
    try:
        found = align_by_position(
            [(categories[row], golds[row]) for row in grouped],
            [shown[place] for place in places],
            name,
            numbers=[r + 1 for r in grouped],
        )
    except DriftgateError as problem:
        if "category" not in frame:
            raise
        shown_rows = [(categories[row], golds[row]) for row in range(len(categories))]
        return Alignment(align_by_category(shown_rows, shown, name), {}, why=problem.message)
    positions = {row: places[place] for row, place in zip(grouped, found, strict=True)}
    return Alignment([positions[row] for row in range(len(categories))], {})
