"""Read a file of recorded answers into columns with known meaning."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.benchmarks.datasets._labels import Label, read_label
from driftgate.benchmarks.datasets._rows import as_text, read_rows
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.text import as_name

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Mapping[str, str] = {
    "id": "the question's id",
    "category": "the question's category",
    "trial": "which repetition; only one may be in a file",
    "gold": "the right answer: a letter, a number from 1, or text",
    "prediction": "the answer that was read; blank where none could be, FILTERED or FAILED where there was no reply",
    "response": "the model's reply in full",
    "latency": "seconds the call took",
    "cost": "what the call cost",
    "input_tokens": "tokens of the prompt",
    "output_tokens": "tokens of the reply",
}
"""What a column of a recorded file may mean."""

FILTERED, FAILED = "FILTERED", "FAILED"
NUMBERS = ("latency", "cost", "input_tokens", "output_tokens")


@dataclass(frozen=True)
class RecordedRows:
    """The rows of one file.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row for each of the file's, shape (n, columns), with those of :data:`COLUMNS` that it has as text, blank
        where nothing stands.
    sha256 : str
        Of the file's bytes.
    """

    path: Path
    frame: pd.DataFrame
    sha256: str

    def lettered(self) -> RecordedRows:
        """The same with gold and prediction as letters, for questions with choices; other predictions stay."""
        return replace(self, frame=_as_letters(self.frame))

    def has(self, column: str) -> bool:
        """Whether the file has a column of that meaning."""
        return column in self.frame


def parse_mapping(text: str) -> dict[str, str]:
    """Read ``gold=answer,prediction=pred``.

    Raises
    ------
    DriftgateError
        A part is not ``MEANING=COLUMN``, or the meaning is not one of :data:`COLUMNS`.

    Examples
    --------
    >>> parse_mapping("gold=answer, prediction=pred")
    {'gold': 'answer', 'prediction': 'pred'}
    """
    mapping: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        meaning, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise DriftgateError(f"--map has '{part}'", "write MEANING=COLUMN, for example gold=answer")
        if meaning not in COLUMNS:
            raise DriftgateError(f"--map has the meaning '{meaning}'", nearest(meaning, COLUMNS))
        mapping[meaning] = as_name(column)
    return mapping


def read_recorded(path: Path, columns: Mapping[str, str]) -> RecordedRows:
    """Read a CSV or JSON Lines file of recorded answers.

    Parameters
    ----------
    columns : Mapping
        The file's column by meaning. One that no row has is an error.

    Raises
    ------
    DriftgateError
        The file cannot be read, is empty, lacks a column, or says neither what was right nor what was answered.
    """
    import pandas as pd

    rows = read_rows(path)
    known = {column for row in rows for column in row.values} if path.suffix != ".csv" else set(rows[0].values)
    for meaning, column in columns.items():
        if column not in known:
            raise DriftgateError(
                f"{path.name} has no column '{column}' for the {meaning}",
                f"{nearest(column, known)}; say which it is with --map {meaning}=COLUMN",
            )
    for needed in ("gold", "prediction or response"):
        if not any(option in columns for option in needed.split(" or ")):
            raise DriftgateError(
                f"no column of {path.name} is named as {needed}",
                f"say which it is with --map {needed.split(' or ')[0]}=COLUMN",
            )
    frame = pd.DataFrame(
        {meaning: [_text(row.values.get(column)) for row in rows] for meaning, column in columns.items()}, dtype=object
    )
    for column in ("gold", "prediction", "id", "category", "trial"):
        if column in frame:
            frame[column] = frame[column].str.strip()
    blank = frame.index[frame["gold"] == ""]
    if len(blank):
        raise rows[int(blank[0])].wrong("has no right answer", "fill it in or take the row out")
    if "trial" in frame and frame["trial"].nunique() > 1:
        found = ", ".join(sorted(frame["trial"].unique())[:5])
        raise DriftgateError(f"{path.name} holds several trials ({found})", "split it into one file a trial")
    for column in NUMBERS:
        if column in frame:
            frame[column] = _numbers(path, column, frame[column])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return RecordedRows(path, frame, digest)


def _as_letters(frame: pd.DataFrame) -> pd.DataFrame:
    """Gold and prediction as letters where the file labels its choices (``2``, ``2번``, ``B)``); text stays."""
    golds = {gold: _label(gold) for gold in frame["gold"].unique()}
    kinds = {label.kind if label else None for label in golds.values()}
    if len(kinds) > 1 or None in kinds:
        return frame.assign(**{name: _upper(frame[name]) for name in ("gold", "prediction") if name in frame})
    changed = frame.assign(gold=frame["gold"].map({gold: label.letter for gold, label in golds.items() if label}))
    if "prediction" in frame:
        said = frame["prediction"]
        labels = {text: _label(text) for text in said.unique() if text not in ("", FILTERED, FAILED)}
        letters = {text: label.letter for text, label in labels.items() if label and label.kind in kinds}
        changed["prediction"] = said.map(letters).fillna(said)
    return changed


def _upper(answers: pd.Series[str]) -> pd.Series[str]:
    """A single letter in upper case; anything longer as it stands."""
    return answers.where(answers.str.len() != 1, answers.str.upper())


def _label(text: str) -> Label | None:
    """The choice that a text names, if it names one and says no more."""
    label = read_label(text)
    return label if label and label.letter and not label.text else None


def _numbers(path: Path, column: str, said: pd.Series[str]) -> pd.Series[float]:
    import pandas as pd

    found = pd.to_numeric(said, errors="coerce")
    wrong = said.index[~found.between(0, sys.float_info.max) & (said != "")]
    if len(wrong):
        raise DriftgateError(
            f"{path.name} row {wrong[0] + 1} has the {column} '{said[wrong[0]]}'", "write a number of 0 or more"
        )
    return found


def _text(value: object) -> str:
    return "" if value is None else as_text(value) or str(value)
