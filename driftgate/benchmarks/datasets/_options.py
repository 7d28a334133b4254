"""Rows with a list of options and the number of the right one, as KMMLU-Redux and KMMLU-Pro have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driftgate.benchmarks.datasets._choices import answer_letter, check_choices
from driftgate.benchmarks.datasets._rows import Row, describe
from driftgate.benchmarks.datasets._upstream import UpstreamConfig, first_rows

TEST_FILES = "*test*"
"""Files of the one split, whichever folder of the repository they lie in."""


def option_rows(name: str, config: UpstreamConfig, folder: Path) -> tuple[Iterator[Row], str]:
    """The rows of a dataset's test files, and where they were read from.

    Raises
    ------
    DriftgateError
        The folder is absent or has no such files, or one cannot be read.
    """
    return first_rows(name, config, folder, [TEST_FILES], "test-00000-of-00001.parquet or its like")


def question_of(row: Row) -> dict[str, Any]:
    """The question, its choices and the letter of the right one.

    Raises
    ------
    DriftgateError
        A column is missing or blank, ``options`` is no list, or ``solution`` is the number of none of them.
    """
    options = row.get("options")
    if not isinstance(options, list):
        raise row.wrong(f"has {describe(options)} in column 'options' where a list is expected", "check the file")
    choices = check_choices(row, options)
    return {
        "question": row.text("question"),
        "choices": choices,
        "answer": answer_letter(row, row.get("solution"), choices, "number"),
    }
