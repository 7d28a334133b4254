"""Read files of rows: CSV, JSON, JSON Lines and Parquet, with each row's place for error messages.

Text is kept exactly as it stands in the file: nothing becomes a number, a date or a missing value by guessing.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from driftgate.flows.errors import DriftgateError, nearest

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


def read_rows(path: Path) -> list[Row]:
    """Read a file of rows; its suffix says how.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.json`` (a list of objects), ``.jsonl`` or ``.parquet`` file; text is UTF-8 with or without
        a byte order mark.

    Raises
    ------
    DriftgateError
        The file is absent, empty, not UTF-8, of another kind, or a row of it cannot be parsed.
    """
    if path.is_dir():
        raise DriftgateError(f"{path} is a folder where a file is expected", "name the file in it")
    if not path.is_file():
        siblings = [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DriftgateError(f"{path} does not exist", nearest(path.name, siblings) if siblings else "check the path")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DriftgateError(f"{path} is not a kind of file that can be read", f"known: {', '.join(_READERS)}")
    rows = list(reader(path))
    if not rows:
        raise DriftgateError(f"{path} has no rows", "check that it is the right file and that it was written whole")
    return rows


def row_files(folder: Path, pattern: str) -> list[Path]:
    """Files of rows below a folder whose name without suffix fits ``pattern``, sorted by path."""
    found = (path for suffix in _READERS for path in folder.glob(f"{pattern}{suffix}") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _read_text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise DriftgateError(f"{path} line {line} is not UTF-8", "save the file as UTF-8") from None


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    lines = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    header: list[str] | None = None
    number, line = 0, 1
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
            line = lines.line_num + 1
    except csv.Error as problem:
        raise DriftgateError(
            f"{path} row {number + 1} (line {line}) is not valid CSV: {problem}",
            "close its double quotes, and write a double quote within text twice",
        ) from None


def _check_header(header: list[str], path: Path) -> list[str]:
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise DriftgateError(f"{path} has two columns called '{twice[0]}'", "rename one of them")
    return header


def _read_json_lines(path: Path) -> Iterator[Row]:
    whole = _read_text(path)
    if whole.lstrip().startswith("["):  # KoBALT ships a JSON list under the name train.jsonl
        yield from _rows_of_list(whole, path)
        return
    number = 0
    # Only a line feed ends a line: str.splitlines would also cut at U+2028, which JSON allows within text.
    for line, text in enumerate(whole.split("\n"), start=1):
        if not text.strip():
            continue
        number += 1
        place = f"{path} row {number} (line {line})"
        yield Row(_check_object(_parse_json(text, place), place), path, number, line)


def _read_json(path: Path) -> Iterator[Row]:
    yield from _rows_of_list(_read_text(path), path)


def _rows_of_list(text: str, path: Path) -> Iterator[Row]:
    rows = _parse_json(text, str(path)) if text.strip() else []
    if not isinstance(rows, list):
        raise DriftgateError(f"{path} holds {describe(rows)} where a list of rows is expected", "check the file")
    for number, value in enumerate(rows, start=1):
        yield Row(_check_object(value, f"{path} row {number}"), path, number)


def _parse_json(text: str, place: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as problem:
        where = f" at line {problem.lineno}" if problem.lineno > 1 else ""
        raise DriftgateError(
            f"{place} is not valid JSON: {problem.msg}{where} column {problem.colno}", "correct it or take it out"
        ) from None
    except ValueError as problem:
        raise DriftgateError(f"{place} is not valid JSON: {problem}", "write null, or take it out") from None
    except RecursionError:
        raise DriftgateError(f"{place} is nested too deeply to be a row", "correct it or take it out") from None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a JSON number")


def _check_object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DriftgateError(
            f"{place} is {describe(value)} where an object is expected", 'write it as {"question": ...}'
        )
    return value


def _read_parquet(path: Path) -> Iterator[Row]:
    parquet: Any = importlib.import_module("pyarrow.parquet")
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as problem:  # pyarrow's errors derive from these two
        raise DriftgateError(f"{path} is not valid Parquet: {problem}", "download or write it again") from None
    for number, values in enumerate(rows, start=1):
        yield Row(values, path, number)


_READERS = {".csv": _read_csv, ".json": _read_json, ".jsonl": _read_json_lines, ".parquet": _read_parquet}
