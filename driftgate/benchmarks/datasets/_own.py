"""A team's own questions, from a file with columns of any names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from driftgate.benchmarks.datasets._choices import Reading, answer_letter, check_choices, choice_columns
from driftgate.benchmarks.datasets._dataset import Dataset, DatasetConfig
from driftgate.benchmarks.datasets._distinct import check_distinct
from driftgate.benchmarks.datasets._encoding import known_encoding
from driftgate.benchmarks.datasets._rows import Row, as_text, describe, read_json, read_rows
from driftgate.benchmarks.datasets._upstream import choose_categories, passage_cluster
from driftgate.flows.errors import DriftgateError, nearest, seen
from driftgate.flows.letters import LETTERS
from driftgate.flows.path_settings import READ
from driftgate.flows.sample import OWN, Sample, make_sample
from driftgate.flows.text import as_name, composed_value, on_disk


class Columns(BaseModel):
    """Which column holds what; each can be named by its own name too, as in ``${data.COLUMN}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    question: str = "question"
    """Column of the question; a file of another kind of rows need not have one called so."""
    choices: str | list[str] | None = None
    """Column of a list of choices (in CSV a JSON list), or one column for each choice, such as ``[A, B, C, D]``.
    Without it a column called ``choices`` is taken; where there is none, the answer is text."""
    answer: str = "answer"
    """Column of the answer: with choices a letter (``B``, ``B)``, ``나``), a number from 1 (``2``, ``2번``, ``②``) or
    the choice's text; otherwise any text. Rows that have no single right answer need no column called so."""
    id: str | None = None
    """Column of the id, by which a sample is named; without it a column called ``id``, then ``FILE:POSITION``."""
    category: str | None = None
    """Column of the category; without it a column called ``category``, then the file's name."""
    super_category: str | None = None
    """Column of the super-category; without it a column called ``super_category``."""
    passage: str | None = None
    """Column of the text the question is about; without it a column called ``passage``."""
    cluster: str | None = None
    """Column that says which samples belong together; without it a column called ``cluster``, then the passage."""
    asked: list[str] = []
    """Further columns that the flow asks about, such as a link or a table. Rows that differ in one of them ask
    different questions; in any other column they may differ and still ask the same."""


class OwnConfig(DatasetConfig):
    """A team's own questions."""

    path: Annotated[str, READ]
    """The file, relative to the workspace."""
    shots_path: Annotated[str | None, READ] = None
    """File that few-shot examples are drawn from, with the same columns."""
    columns: Columns = Field(default_factory=Columns)
    """Which column holds what."""
    answer_as: Reading | None = None
    """How an answer with choices is written: ``letter``, ``number`` or ``text``; needed only where a row's answer
    could be read in two ways."""
    categories: list[str] | None = Field(default=None, min_length=1)
    """Only these categories; all of them where it is not given."""


class TextConfig(OwnConfig):
    """A team's own questions in a text file."""

    encoding: str | None = None
    """Encoding of the file and of the one with examples, such as ``cp949`` or ``utf-16``; without it UTF-8, or what a
    byte order mark at its beginning declares."""

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        return value if value is None else known_encoding(value)


def load_own(name: str, config: OwnConfig, folder: Path) -> Dataset:
    """Read a team's own file, and the one with its few-shot examples.

    Raises
    ------
    DriftgateError
        A file is absent or empty, or a row has no answer, an answer that is not among its choices, a column
        missing or cannot be parsed, asks the same as another row or has the id of another one.
    """
    suffix = f".{config.kind}"
    files = {"test": _locate(config.path, folder, suffix)}
    if config.shots_path is not None:
        files["dev"] = _locate(config.shots_path, folder, suffix)
    read = {split: _read(path, split, config) for split, path in files.items()}
    check_distinct(read.values())
    samples = {split: [sample for sample, _ in rows] for split, rows in read.items()}
    chosen = choose_categories(name, config.categories, (s.category for s in samples["test"]))
    return Dataset(
        name,
        [s for s in samples["test"] if s.category in chosen],
        [s for s in samples.get("dev", ()) if s.category in chosen] if config.categories else samples.get("dev", ()),
        source=config.path,
    )


def _locate(path: str, folder: Path, suffix: str) -> Path:
    file = on_disk(folder / Path(path).expanduser())
    if file.suffix.lower() != suffix and file.is_file():
        raise DriftgateError(f"{file} is not a {suffix} file", "set kind to csv, jsonl or parquet, as the file is")
    return file


def _read(path: Path, split: str, config: OwnConfig) -> list[tuple[Sample, Row]]:
    encoding = config.encoding if isinstance(config, TextConfig) else None
    rows = read_rows(path, encoding, settable=isinstance(config, TextConfig))
    layout = _Layout.of(config, rows, path)
    return [(layout.sample(row, split, position), row) for position, row in enumerate(rows)]


@dataclass(frozen=True)
class _Layout:
    """Which columns of one file hold what."""

    columns: Columns
    choices: str | Sequence[str] | None
    optional: Mapping[str, str]
    """Column of each optional role the file has."""
    answer_as: Reading | None

    @classmethod
    def of(cls, config: OwnConfig, rows: Sequence[Row], path: Path) -> _Layout:
        columns = config.columns
        present = {column for row in rows for column in row.values}
        if not any(map(seen, present)):
            raise DriftgateError(f"{path} has no column with a name that can be seen", "name its columns")
        roles = {role: getattr(columns, role) for role in ("id", "category", "super_category", "passage", "cluster")}
        choices = columns.choices if columns.choices is not None else ("choices" if "choices" in present else None)
        if config.answer_as and choices is None:
            raise DriftgateError(
                f"answer_as is set, but {path} has no choices", "name their columns in columns.choices"
            )
        separate = choices if isinstance(choices, list) else [choices] if choices else []
        asked_for = [role for role in ("question", "answer") if role in columns.model_fields_set]
        # Nobody need have a column of the question; one that looks as if it were is a slip.
        asked_for += [r for r in ("question", "answer") if r not in present and r in map(seen, present)]
        needed = [getattr(columns, role) for role in asked_for] + ([columns.answer] if choices else [])
        for column in [*needed, *separate, *filter(None, roles.values()), *columns.asked]:
            if column not in present:
                raise DriftgateError(f"{path} has no column '{column}'", f"{nearest(column, present)} (set in columns)")
        roles |= {role: getattr(columns, role) for role in ("question", "answer") if getattr(columns, role) in present}
        optional = {role: column or role for role, column in roles.items() if column or role in present}
        layout = cls(columns, choices, optional, config.answer_as)
        if mapped := sorted(layout.taken & set(columns.asked)):
            raise DriftgateError(
                f"columns.asked names '{mapped[0]}', which columns gives a meaning of its own", "take it out of asked"
            )
        for role in ("question", "choices", "answer", "passage"):
            if role in present and role not in layout.taken:
                raise DriftgateError(
                    f"{path} has a column '{role}', but columns.{role} names another", "rename the column in the file"
                )
        return layout

    @property
    def named(self) -> dict[str, str]:
        """Columns that are kept as they are, under another name."""
        return {self.optional[role]: role for role in ("question", "passage") if self.optional.get(role, role) != role}

    @property
    def taken(self) -> set[str]:
        separate = self.choices if isinstance(self.choices, list) else [self.choices]
        return {*filter(None, separate), *self.optional.values()}

    def sample(self, row: Row, split: str, position: int) -> Sample:
        data: dict[str, Any] = {
            column: value for column, value in row.values.items() if column and column not in self.taken
        }
        if "question" in self.optional:
            data["question"] = row.text(self.columns.question)
        if self.choices is None:
            if "answer" in self.optional:
                data["answer"] = row.text(self.columns.answer) if not _has_no_answer(row, self.columns.answer) else ""
        else:
            choices = _read_choices(row, self.choices)
            data |= {
                "choices": choices,
                "answer": answer_letter(row, row.get(self.columns.answer), choices, self.answer_as),
            }
        passage = self._optional(row, "passage")
        if passage.strip():
            data["passage"] = passage
        category = row.text(self.optional["category"]) if "category" in self.optional else row.file.stem
        return make_sample(
            OWN,
            split,
            position,
            data,
            subset=row.file.stem,
            id=self._optional(row, "id").strip(),
            category=category.strip(),
            super_category=self._optional(row, "super_category").strip(),
            cluster=self._optional(row, "cluster").strip() or passage_cluster(passage),
            asked=self.columns.asked,
            columns={c: row.values[c] for c in self.taken - set(self.named) if row.values.get(c) is not None},
            named=self.named,
        )

    def _optional(self, row: Row, role: str) -> str:
        """A value that may be blank."""
        value = row.values.get(self.optional[role]) if role in self.optional else None
        if value is None:
            return ""
        text = as_text(value)
        if text is None:
            raise row.wrong(f"has {describe(value)} in column '{self.optional[role]}'", "write it as text")
        return text


def _read_choices(row: Row, columns: str | Sequence[str]) -> list[str]:
    if not isinstance(columns, str):
        return _told_apart(row, choice_columns(row, columns))
    value = row.get(columns)
    if isinstance(value, str):
        try:
            value = composed_value(read_json(value))  # an escape may say half a character
        except ValueError:
            value = None
    if not isinstance(value, list):
        raise row.wrong(f"has no list in column '{columns}'", 'write the choices as a JSON list: ["...", "..."]')
    return _told_apart(row, check_choices(row, value))


def _told_apart(row: Row, choices: list[str]) -> list[str]:
    """Choices of which no two are the same, for a right answer under one letter would be a wrong one under the other.

    Published questions are asked as they were published.
    """
    texts = [as_name(choice.strip()) for choice in choices]
    if again := next((n for n, text in enumerate(texts) if text in texts[:n]), None):
        first = LETTERS[texts.index(texts[again])]
        raise row.wrong(
            f"has the same text for choices {first} and {LETTERS[again]}", "correct one, or take the row out"
        )
    return choices


def _has_no_answer(row: Row, column: str) -> bool:
    """Whether a row says that no document holds its answer, and gives none."""
    return row.values.get("relevant") == [] and row.values.get(column) in (None, "")
