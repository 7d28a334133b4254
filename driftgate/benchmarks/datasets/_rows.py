"""Read files of rows: CSV, JSON, JSON Lines and Parquet, with each row's place for error messages.

Text is composed as :mod:`driftgate.flows.text` says and otherwise kept as it stands in the file: nothing becomes a
number, a date or a missing value by guessing.
"""

from __future__ import annotations

import csv
import datetime
import importlib
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from driftgate.benchmarks.datasets._encoding import decode
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.text import as_name, composed_value, composed_whole, on_disk

_LONGEST_FIELD = 2**24  # characters; the csv module's own limit of 131,072 is too short for long passages


@dataclass(frozen=True, slots=True)
class Row:
    """One row and where it stands."""

    values: Mapping[str, Any]
    file: Path
    number: int
    """Place among the data rows, from 1."""
    line: int | None = None
    """Line of the file it begins on, from 1; None where the format has no lines."""

    @property
    def place(self) -> str:
        """For error messages, for example ``questions.csv row 3 (line 5)``."""
        return f"{self.file} row {self.number}" + (f" (line {self.line})" if self.line else "")

    def wrong(self, found: str, remedy: str) -> DriftgateError:
        """An error that names this row."""
        return DriftgateError(f"{self.place} {found}", remedy)

    def get(self, column: str) -> Any:
        """The value of a column the row must have.

        Raises
        ------
        DriftgateError
            There is no such column.
        """
        try:
            return self.values[column]
        except KeyError:
            raise self.wrong(f"has no column '{column}'", nearest(column, self.values)) from None

    def text(self, column: str) -> str:
        """The text of a column, unchanged; a number is written as JSON writes it.

        Raises
        ------
        DriftgateError
            There is no such column, it is blank, or it is neither text nor a number.
        """
        value = self.get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise self.wrong(f"has nothing in column '{column}'", "fill it in or take the row out")
        text = as_text(value)
        if text is None:
            raise self.wrong(f"has {describe(value)} in column '{column}' where text is expected", "write it as text")
        return text


def as_text(value: Any) -> str | None:
    """Text unchanged, a number as JSON writes it, None for anything else.

    Examples
    --------
    >>> as_text(" 가 "), as_text(0.5), as_text(7), as_text(["a"])
    (' 가 ', '0.5', '7', None)
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return None


def describe(value: Any) -> str:
    """What a value is, in JSON's words.

    Examples
    --------
    >>> describe([1]), describe(None), describe(2.5)
    ('a list', 'null', 'a number')
    """
    if value is None:
        return "null"
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), f"a {type(value).__name__}")


def read_rows(path: Path, encoding: str | None = None, *, settable: bool = False) -> list[Row]:
    """Read a file of rows; its suffix says how.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.json`` (a list of objects), ``.jsonl`` or ``.parquet`` file.
    encoding : str, optional
        Of a text file; where it is not given UTF-8, or what a byte order mark declares.
    settable : bool
        Whether the encoding can be set, for an error's remedy.

    Raises
    ------
    DriftgateError
        The file is absent, empty, not in its encoding, of another kind, or a row of it cannot be parsed.
    """
    path = on_disk(path)
    if path.is_dir():
        raise DriftgateError(f"{path} is a folder where a file is expected", "name the file in it")
    if not path.is_file():
        siblings = [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DriftgateError(f"{path} does not exist", nearest(path.name, siblings) if siblings else "check the path")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        rows = list(_read_parquet(path))
    elif suffix in _TEXTS:
        rows = list(_TEXTS[suffix](path, decode(path, path.read_bytes(), encoding, settable=settable)))
    else:
        raise DriftgateError(f"{path} is not a kind of file that can be read", f"known: {', '.join(SUFFIXES)}")
    if not rows:
        raise DriftgateError(f"{path} has no rows", "check that it is the right file and that it was written whole")
    return rows


def row_files(folder: Path, pattern: str) -> list[Path]:
    """Files of rows below a folder whose name without suffix fits ``pattern``, sorted by path."""
    found = (path for suffix in SUFFIXES for path in folder.glob(f"{pattern}{suffix}") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def csv_rows(path: Path, text: str) -> Iterator[Row]:
    """Yield the rows of a table in text, whichever of the usual marks parts its columns.

    Raises
    ------
    DriftgateError
        A row cannot be parsed.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    text = composed_whole(text)
    delimiter, begin = _delimiter(text)
    lines = csv.reader(io.StringIO(text[begin:], newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    number, skipped = 0, 1 if begin else 0
    line = 1 + skipped
    try:
        for fields in lines:
            if not fields:  # a blank line
                pass
            elif header is None:
                header = _check_header(fields, path)
            else:
                number += 1
                row = Row(dict(zip(header, fields, strict=False)), path, number, line)
                if len(fields) != len(header):
                    raise row.wrong(
                        f"has {len(fields)} fields where the header has {len(header)}",
                        "put text that holds a comma or a line break in double quotes",
                    )
                yield row
            line = lines.line_num + 1 + skipped
    except csv.Error as problem:
        raise DriftgateError(
            f"{path} row {number + 1} (line {line}) is not valid CSV: {problem}",
            "close its double quotes, and write a double quote within text twice",
        ) from None


def _delimiter(text: str) -> tuple[str, int]:
    r"""What parts the columns, and where the header begins.

    Spreadsheets say it in a first line ``sep=;``. Where nothing says it, it is a comma; but no file of questions has
    one column only, so a header that commas leave whole and tabs, semicolons or bars part is parted by these.

    Examples
    --------
    >>> _delimiter("sep=;\nq;a\n"), _delimiter("q,a;b\n"), _delimiter("q\ta\n")
    ((';', 6), (',', 0), ('\t', 0))
    """
    said = _SEPARATOR.match(text)
    if said:
        return said[1], said.end()
    first = _FIRST_LINE.match(text)
    header = first[1] if first else ""
    parted = {delimiter: len(next(csv.reader([header], delimiter=delimiter), [])) for delimiter in ",\t;|"}
    return ("," if parted[","] > 1 else max(parted, key=lambda delimiter: parted[delimiter])), 0


def _check_header(header: list[str], path: Path) -> list[str]:
    names = [as_name(column) for column in header]
    twice = sorted({column for column in names if column and names.count(column) > 1})
    if twice:
        raise DriftgateError(f"{path} has two columns called '{twice[0]}'", "rename one of them")
    return names


def _read_json_lines(path: Path, whole: str) -> Iterator[Row]:
    if whole.lstrip().startswith("["):  # KoBALT ships a JSON list under the name train.jsonl
        yield from _read_json(path, whole)
        return
    number = 0
    # Only a line feed ends a line: str.splitlines would also cut at U+2028, which JSON allows within text.
    for line, text in enumerate(whole.split("\n"), start=1):
        if not text.strip():
            continue
        number += 1
        place = f"{path} row {number} (line {line})"
        yield Row(_check_object(_parse_json(text, place), place), path, number, line)


def _read_json(path: Path, text: str) -> Iterator[Row]:
    rows = _parse_json(text, str(path)) if text.strip() else []
    if not isinstance(rows, list):
        raise DriftgateError(f"{path} holds {describe(rows)} where a list of rows is expected", "check the file")
    for number, value in enumerate(rows, start=1):
        yield Row(_check_object(value, f"{path} row {number}"), path, number)


def _parse_json(text: str, place: str) -> Any:
    try:
        return read_json(text)
    except json.JSONDecodeError as problem:
        where = f" at line {problem.lineno}" if problem.lineno > 1 else ""
        raise DriftgateError(
            f"{place} is not valid JSON: {problem.msg}{where} column {problem.colno}", "correct it or take it out"
        ) from None
    except _Twice as problem:
        raise DriftgateError(f"{place} has two columns called '{problem}'", "rename one of them") from None
    except ValueError as problem:
        raise DriftgateError(f"{place} is not valid JSON: {problem}", "write null, or take it out") from None
    except RecursionError:
        raise DriftgateError(f"{place} is nested too deeply to be a row", "correct it or take it out") from None


class _Twice(ValueError):
    """An object has a key twice, of which Python would keep the last."""


def read_json(text: str) -> Any:
    """A JSON value, of which nothing is lost or changed when it is read.

    Raises
    ------
    ValueError
        It is no JSON, an object in it has a key twice, or a number is none or too large to be kept.
    """
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_all_of)


def _all_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return found


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"the number {number} is too large")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a JSON number")


def _check_object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DriftgateError(
            f"{place} is {describe(value)} where an object is expected", 'write it as {"question": ...}'
        )
    row: Mapping[str, Any] = composed_value(value)
    if len(row) < len(value):
        names = [as_name(key) for key in value]
        twice = next(key for key in names if names.count(key) > 1)
        raise DriftgateError(f"{place} has two columns called '{twice}'", "rename one of them")
    return row


def _read_parquet(path: Path) -> Iterator[Row]:
    if not installed("pyarrow"):
        raise MissingExtra("parquet", f"reading {path}")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as problem:  # pyarrow's errors derive from these two
        raise DriftgateError(f"{path} is not valid Parquet: {problem}", "download or write it again") from None
    for number, values in enumerate(rows, start=1):
        yield Row(_check_object(_json_value(values), f"{path} row {number}"), path, number)


def _json_value(value: Any) -> Any:
    """A value of a Parquet column as JSON has it; pandas writes a gap in a column of numbers as NaN."""
    if isinstance(value, dict):
        return {str(key): _json_value(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


_FIRST_LINE = re.compile(r"(?:[ \t]*[\r\n]+)*([^\r\n]*)")
_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?(?:\r\n|\r|\n)', re.IGNORECASE)
_TEXTS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".csv": csv_rows,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
}
SUFFIXES = (*_TEXTS, ".parquet")
"""Of the files that can be read."""
