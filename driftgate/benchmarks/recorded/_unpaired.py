"""What stands for questions that a file answers and nobody can name: it is scored, and paired with nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from driftgate.benchmarks.datasets import Dataset, Sample, make_sample
from driftgate.benchmarks.recorded._align import Alignment
from driftgate.benchmarks.recorded._preset import Benchmark
from driftgate.benchmarks.recorded._questions import categories_of
from driftgate.benchmarks.recorded._rows import RecordedRows

_SPLIT = "unpaired"


@dataclass(frozen=True)
class Answered:
    """What a file answers.

    Attributes
    ----------
    questions : Dataset
        All that it was asked, what cannot be named included.
    samples : sequence of Sample or None
        The sample of each row; None for a repetition.
    unpaired : int
        Rows whose question cannot be named.
    """

    questions: Dataset
    samples: Sequence[Sample | None]
    unpaired: int


def answered(benchmark: Benchmark, rows: RecordedRows, questions: Dataset, alignment: Alignment) -> Answered:
    """The samples of a file's rows.

    A row whose question cannot be told becomes a sample of this file alone. It takes the place of one of the questions
    of its category that no row was joined to; which one is unknown, so that all of them go, and as many as are left
    over stay as samples that were asked and never answered.
    """
    samples, positions = questions.samples, alignment.positions
    lost = [n for n, place in enumerate(positions) if place is None and n not in alignment.repeated]
    if not lost:
        return Answered(questions, [None if place is None else samples[place] for place in positions], 0)
    names = list(categories_of(benchmark, rows.frame))
    joined = {place for place in positions if place is not None}
    groups = {sample.category: sample.super_category for sample in samples}
    usual = {benchmark.category(name) if name else name: name for name in groups}
    open_ = [place for place in range(len(samples)) if place not in joined]
    counts = Counter(usual.get(names[n], "") for n in lost)
    replaced = {place for place in open_ if "" in counts or samples[place].category in counts}
    left = Counter(samples[place].category if "" not in counts else "" for place in replaced)
    stand_in = samples[0].dataset

    def bare(position: int, category: str, answer: str) -> Sample:
        part = f"{rows.sha256[:16]}/{category}"
        group = groups.get(category, "")
        data = {"answer": answer}
        return make_sample(stand_in, _SPLIT, position, data, subset=part, category=category, super_category=group)

    golds = list(rows.frame["gold"])
    own = {n: bare(n, usual.get(names[n], ""), golds[n]) for n in lost}
    beyond = len(names)
    never = [
        bare(beyond + n, category, "")
        for category, many in sorted(left.items())
        for n in range(max(0, many - (counts[category] if "" not in counts else len(lost))))
    ]
    kept = [sample for place, sample in enumerate(samples) if place not in replaced]
    everything = replace(questions, samples=[*kept, *own.values(), *never])
    of_rows = [own.get(n) if place is None else samples[place] for n, place in enumerate(positions)]
    return Answered(everything, of_rows, len(lost))
