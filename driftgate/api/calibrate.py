"""Hold a judge against people's labels: of samples of a run, or of texts of a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api import session
from driftgate.api._grading import check_limit, grade_texts
from driftgate.api._waiting import wait_for
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.calibration import Calibration, JudgedText, calibrate, corrected_in
from driftgate.benchmarks.compare import named_cells
from driftgate.benchmarks.costs import cell_frame
from driftgate.benchmarks.datasets._rows import Row, read_rows
from driftgate.benchmarks.labelled import JudgeSaid, said_by_judge, text_id, texts_of
from driftgate.benchmarks.reviewing import as_rows, human_labels
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators import JudgedEvaluator
from driftgate.ledger import (
    CellRow,
    Ledger,
    SampleLabel,
    add_calibration,
    check_texts,
    forgotten_in,
    sample_data,
)

if TYPE_CHECKING:
    import pandas as pd

_YES = {"1", "1.0", "true", "yes", "pass", "passed", "예", "통과"}
_NO = {"0", "0.0", "false", "no", "fail", "failed", "아니오", "탈락"}
_OURS = frozenset({"sample", "slice", "grade", "passed"})
"""The columns of a file that are no texts."""
_DRAWN = ("sample", "slice", "question", "reply", "grade", "passed")
"""The columns of a file that people fill in."""
_NOTHING = JudgeSaid(None, None)
"""Of a text without a label, of which the judge is not asked."""


@dataclass(frozen=True)
class Label:
    """A row of labels."""

    row: Row
    name: str
    """Of the sample, or of the row."""
    grade: float | None
    passed: bool | None
    slice: str
    texts: Mapping[str, str]
    """What stands in every other column."""


def calibrate_judge(
    workspace: OpenWorkspace,
    ledger: Ledger,
    judge: str,
    labels: Path | None = None,
    *,
    run: str = "",
    suite: str = "",
    max_cost: float | None = None,
    advance: Callable[[int, int], None] = lambda done, texts: None,
) -> Calibration:
    """Hold a judge against people's labels, and keep what was found.

    Where the labels have a column ``sample`` they are of a run's samples, and nobody is asked; else the judge grades
    each text with a label, which costs as much as so many of its grades do. Grades that an interrupted call has paid
    for are kept and not asked for again.

    Parameters
    ----------
    judge : str
        ``node.evaluator`` of a flow.
    labels : Path, optional
        CSV or JSON Lines: ``grade``, people's on the judge's scale, or ``passed``, or both; ``slice``, if anything is
        to be told apart; and ``sample``, or what the judge is given (``query``, ``response`` and so on). Without a
        file, what people said in the console of samples of the run.
    run : str
        ``RUN`` or ``RUN/PART``, a cell, of labels with a ``sample``; by default the newest complete benchmark.
    suite : str
        Of labels with texts: where the judge is; by default whichever suite has it.
    max_cost : float, optional
        Of labels with texts: what the grades may cost, in the currency of the judge's prices.
    advance : callable
        Told how many texts are graded, and of how many.

    Raises
    ------
    DriftgateError
        There is no such judge or sample, a row says nothing that can be read, too little was labelled, or the limit on
        cost is reached or cannot be kept.
    """
    if labels is None:
        return _of_review(ledger, only_judged_cell(ledger, run or "latest", judge), judge)
    rows = _labels(read_rows(labels))
    if any("sample" in label.row.values for label in rows):
        return _of_cell(ledger, only_judged_cell(ledger, run or "latest", judge), judge, rows)
    if run:
        raise DriftgateError(
            f"{labels} has no column 'sample', so that nobody knows which samples of run {run} are meant",
            f"draw some: driftgate calibrate {judge} {labels.name} --run {run} --draw 100",
        )
    return wait_for(_of_texts(workspace, ledger, judge, suite, rows, max_cost, advance))


def draw_labels(ledger: Ledger, judge: str, labels: Path, *, run: str = "", size: int = 100, seed: int = 0) -> int:
    """Write samples of a run's cell that people are to grade, drawn at random; returns how many.

    Raises
    ------
    DriftgateError
        The file is there already, no cell of the run has the judge, or the texts of the run are gone.
    """
    from driftgate.flows.plain import no_formula
    from driftgate.flows.private_text import write_text

    if labels.exists():
        raise DriftgateError(f"{labels} is there already", "name another file, or move it: it may hold people's grades")
    if size < 1:
        raise DriftgateError(f"--draw is {size}", "draw 100 or more")
    cell = only_judged_cell(ledger, run or "latest", judge)
    check_texts(ledger, cell.run_id)
    said = said_by_judge(ledger, cell, judge)
    known = [sample for sample, one in said.items() if one.passed is not None]
    drawn = sorted(random.Random(seed).sample(known, min(size, len(known))))
    if not drawn:
        raise DriftgateError(f"the judge {judge} graded nothing in {cell.name}", "see driftgate runs show")
    frame = cell_frame(ledger, cell).drop_duplicates("sample_id")
    names, slices = _names(frame), dict(zip(frame["sample_id"], frame["category"], strict=True))
    texts, data = texts_of(ledger, cell.id, judge.partition(".")[0], drawn), sample_data(ledger, drawn)

    import pandas as pd

    rows = [
        {
            "sample": names[sample],
            "slice": slices[sample],
            "question": str(data[sample].get("question") or data[sample].get("query") or ""),
            "reply": texts[sample] or "",
            "grade": "",
            "passed": "",
        }
        for sample in drawn
    ]
    table = pd.DataFrame(rows, columns=list(_DRAWN))
    write_text(labels, table.map(no_formula).to_csv(index=False))
    return len(drawn)


def only_judged_cell(ledger: Ledger, name: str, judge: str) -> CellRow:
    """The one cell of a run that has the judge.

    Raises
    ------
    DriftgateError
        None has it, or several.
    """
    cells = named_cells(ledger, [name])
    judged = [cell for cell in cells if judge in (cell.details.get("judges") or {})]
    if not judged:
        known = sorted({key for cell in cells for key in cell.details.get("judges") or {}})
        raise DriftgateError(f"no cell of '{name}' has a judge '{judge}'", nearest(judge, known))
    if len(judged) > 1:
        run = name.partition("/")[0]
        which = ", ".join(f"{run}/{cell.ordinal} ({cell.name})" for cell in judged[:6])
        raise DriftgateError(f"'{name}' names {len(judged)} cells with the judge {judge}", f"name one of: {which}")
    return judged[0]


def _labels(rows: Sequence[Row]) -> list[Label]:
    found: dict[str, Label] = {}
    for row in rows:
        name = _text(row, "sample") or f"row {row.number}"
        if name in found:
            raise row.wrong(f"labels the sample '{name}' a second time", "give one label for each sample")
        texts = {key: str(value) for key, value in row.values.items() if key not in _OURS}
        found[name] = Label(row, name, _grade(row), _passed(row), _text(row, "slice"), texts)
    if not any(label.grade is not None or label.passed is not None for label in found.values()):
        raise DriftgateError(
            f"{rows[0].file} holds no label", "fill in the column 'grade' (on the judge's scale) or 'passed' (1 or 0)"
        )
    return list(found.values())


def _text(row: Row, column: str) -> str:
    value = row.values.get(column)
    return "" if value is None or value != value else str(value).strip()


def _grade(row: Row) -> float | None:
    text = _text(row, "grade")
    try:
        return float(text) if text else None
    except ValueError:
        raise row.wrong(f"has the grade '{text}'", "expected a number on the judge's scale, or nothing") from None


def _passed(row: Row) -> bool | None:
    text = _text(row, "passed").lower()
    if text and text not in _YES | _NO:
        raise row.wrong(f"has '{text}' in the column 'passed'", "expected 1 or 0, true or false, or nothing")
    return None if not text else text in _YES


def _within(labels: Sequence[Label], scale: tuple[float, float]) -> None:
    for label in labels:
        if label.grade is not None and not scale[0] <= label.grade <= scale[1]:
            raise label.row.wrong(
                f"has the grade {label.grade:g}", f"expected one from {scale[0]:g} to {scale[1]:g}, the judge's scale"
            )


def _word(label: Label, threshold: float) -> bool | None:
    """Whether a text passes by people: what they say, else what their grade says."""
    if label.passed is not None or label.grade is None:
        return label.passed
    return label.grade >= threshold


def _names(frame: pd.DataFrame) -> dict[int, str]:
    """How a file names the samples of a cell: by the dataset's own id, or by the key where those are not unique."""
    own = frame["upstream_id"] if frame["upstream_id"].is_unique else frame["key"]
    return dict(zip(map(int, frame["sample_id"]), map(str, own), strict=True))


def _of_cell(ledger: Ledger, cell: CellRow, judge: str, labels: Sequence[Label]) -> Calibration:
    check_texts(ledger, cell.run_id)  # else nobody knows how long they were, and a ruler would be admitted
    about: Mapping[str, Any] = cell.details["judges"][judge]
    low, high = map(float, about["scale"])
    threshold = float(about.get("threshold", 3.0))
    _within(labels, (low, high))
    names = _names(cell_frame(ledger, cell).drop_duplicates("sample_id"))
    by_name = {name: sample for sample, name in names.items()}
    by_name |= {f"'{name}": sample for name, sample in by_name.items()}  # as a file of ours keeps it from a spreadsheet
    unknown = [label for label in labels if label.name not in by_name]
    if unknown:
        raise unknown[0].row.wrong(
            f"is of a sample '{unknown[0].name}' that {cell.name} of run {cell.run_id} does not have "
            f"({len(unknown)} of {len(labels)} rows are)",
            "name the run that was labelled with --run RUN/PART",
        )
    gone = forgotten_in(ledger, cell.id)
    for label in labels:
        if (at := gone.get(by_name[label.name])) is not None:
            raise label.row.wrong(
                f"labels the sample '{label.name}', whose text was forgotten on {at:%Y-%m-%d}", "take the row out"
            )
    said = said_by_judge(ledger, cell, judge)
    samples = {by_name[label.name]: label for label in labels}
    texts = texts_of(ledger, cell.id, judge.partition(".")[0], samples)
    judged = [_judged(label, said[sample], len(texts[sample] or ""), threshold) for sample, label in samples.items()]
    words = {sample: one.passed for sample, one in zip(samples, judged, strict=True)}
    known = {sample: one.passed for sample, one in said.items()}
    corrected = corrected_in(cell.name, known, words)
    made = calibrate(judge, str(about["pin_id"]), judged, (low, high), threshold, corrected)
    kept = [SampleLabel(sample, word, text_id(texts[sample])) for sample, word in words.items()]
    add_calibration(ledger, judge, made.pin, made.as_json(), cell_id=cell.id, labels=kept)
    return made


def _of_review(ledger: Ledger, cell: CellRow, judge: str) -> Calibration:
    """By what people said in the console."""
    names = _names(cell_frame(ledger, cell).drop_duplicates("sample_id"))
    gone = forgotten_in(ledger, cell.id)
    kept = [one for one in human_labels(ledger, cell.id, judge) if one.sample_id not in gone]
    rows = as_rows(kept, names)
    if not any(row["grade"] is not None or row["passed"] is not None for row in rows):
        raise DriftgateError(
            f"nobody has labelled samples of {cell.name} for the judge {judge}",
            f"label some on the page /review/{cell.run_id}/{cell.ordinal} of driftgate serve, or give a file",
        )
    return _of_cell(ledger, cell, judge, _labels([Row(row, Path("review"), n) for n, row in enumerate(rows, 1)]))


async def _of_texts(
    workspace: OpenWorkspace,
    ledger: Ledger,
    judge: str,
    suite: str,
    labels: Sequence[Label],
    max_cost: float | None,
    advance: Callable[[int, int], None],
) -> Calibration:
    evaluator = _evaluator(workspace, ledger, judge, suite)
    check_limit(evaluator, max_cost)
    scale = (evaluator.kind.lowest, evaluator.kind.highest)
    _within(labels, scale)
    for label in labels:
        absent = [name for name in evaluator.kind.inputs if not label.texts.get(name, "").strip()]
        if absent:
            raise label.row.wrong(
                f"has nothing in {', '.join(absent)}",
                f"the judge {judge} reads {', '.join(evaluator.kind.inputs)}; or name samples of a run in 'sample'",
            )
    evaluator.open()
    labelled = [label for label in labels if label.grade is not None or label.passed is not None]
    texts = [_given(evaluator, label) for label in labelled]
    graded, asked = await grade_texts(ledger, judge, evaluator, texts, max_cost, advance)
    said = {label.name: one for label, one in zip(labelled, graded, strict=True)}
    judged = [
        _judged(label, said.get(label.name, _NOTHING), _length(evaluator, label), evaluator.threshold)
        for label in labels
    ]
    made = replace(calibrate(judge, evaluator.pin_id, judged, scale, evaluator.threshold), asked=asked)
    add_calibration(ledger, judge, made.pin, made.as_json())
    return made


def _given(evaluator: JudgedEvaluator, label: Label) -> dict[str, str]:
    """What the judge reads of a row: what it has to, and what else it takes and the row has."""
    kind = evaluator.kind
    return {name: label.texts[name] for name in (*kind.inputs, *kind.optional) if label.texts.get(name, "").strip()}


def _length(evaluator: JudgedEvaluator, label: Label) -> int:
    """Characters of what is graded: of the response, where there is one."""
    names = evaluator.kind.inputs
    return len(label.texts["response"]) if "response" in names else sum(len(label.texts[name]) for name in names)


def _judged(label: Label, said: JudgeSaid, length: int, threshold: float) -> JudgedText:
    word = _word(label, threshold)
    return JudgedText(label.name, label.grade, word, said.grade, said.passed, length, label.slice, said.error)


def _evaluator(workspace: OpenWorkspace, ledger: Ledger, judge: str, suite: str) -> JudgedEvaluator:
    """The judge as a suite of the workspace has it."""
    suites = workspace.config.suites
    if suite and suite not in suites:
        raise DriftgateError(f"the workspace has no suite '{suite}'", nearest(suite, suites))
    known: dict[str, JudgedEvaluator] = {}
    found: dict[str, JudgedEvaluator] = {}
    for name in [suite] if suite else suites:
        planned = session.plan_suite(workspace, ledger, name, suites[name], asks=False)
        for cell in planned.cells:
            known |= cell.evaluators.judged
            if judge in cell.evaluators.judged:
                found.setdefault(cell.evaluators.judged[judge].pin_id, cell.evaluators.judged[judge])
    if not found:
        raise DriftgateError(f"no suite has a judge '{judge}'", nearest(judge, known))
    if len(found) > 1:
        raise DriftgateError(
            f"the suites have {len(found)} judges '{judge}', each with a pin of its own", "give --suite"
        )
    return next(iter(found.values()))
