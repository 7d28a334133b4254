"""Which letter an answer means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from driftgate.benchmarks.datasets._labels import Kind, plain, read_label
from driftgate.benchmarks.datasets._rows import Row, as_text
from driftgate.flows.letters import LETTERS
from driftgate.flows.text import as_name

Reading = Literal["letter", "number", "text"]
"""How an answer is written: ``B`` or ``나``, ``2`` or ``②``, or the choice's own text."""


def answer_letter(row: Row, answer: Any, choices: Sequence[str], reading: Reading | None = None) -> str:
    """The letter of the choice that ``answer`` means.

    Parameters
    ----------
    row : Row
        Named in the error message.
    answer : str or number
        A letter (``B``, ``B)``, ``나``), a number from 1 (``2``, ``2번``, ``②``), either with the choice's text
        after it (``② 부산``), or the text of a choice (white space around it set aside).
    choices : sequence of str
        In the order of their letters.
    reading : {"letter", "number", "text"}, optional
        How the answer is to be read; where it is not given, every reading that fits must mean the same choice.

    Raises
    ------
    DriftgateError
        The answer is none of the choices, or could be two of them.

    Examples
    --------
    >>> from pathlib import Path
    >>> row = Row({}, Path("q.csv"), 1, 2)
    >>> [answer_letter(row, answer, ["서울", "부산"]) for answer in ("2", "서울 ", "②", "나", "1번", "A)", "2. 부산")]
    ['B', 'A', 'B', 'B', 'A', 'A', 'B']
    >>> answer_letter(row, "2", ["3", "4", "2"])
    Traceback (most recent call last):
    driftgate.flows.errors.DriftgateError: q.csv row 1 (line 2) has the answer '2', which could mean B or C; ...
    """
    if reading:
        found = _READINGS[reading](answer, choices)
    else:
        found = set().union(*(read(answer, choices) for read in _READINGS.values()))
    if len(found) == 1:
        return found.pop()
    if found:
        remedy = "write it as a letter" if reading else "set answer_as to letter, number or text"
        raise row.wrong(f"has the answer '{answer}', which could mean {' or '.join(sorted(found))}", remedy)
    if answer is None or not str(answer).strip():
        raise row.wrong("has no answer", "fill it in or take the row out")
    last = len(choices)
    expected = {
        "letter": f"a letter from A to {LETTERS[last - 1]} (or 가, 나 and so on)",
        "number": f"a number from 1 to {last} (or 1번, ①)",
        "text": "the text of one of its choices",
    }
    raise row.wrong(
        f"has the answer '{answer}', which is none of its {last} choices",
        f"expected {expected[reading] if reading else ', '.join(expected.values())}",
    )


def check_choices(row: Row, choices: Sequence[Any]) -> list[str]:
    """Choices as text, as many as there are letters for, none of them blank.

    Raises
    ------
    DriftgateError
        There are fewer than two or more than ten, or one is blank or not text.
    """
    if not 2 <= len(choices) <= len(LETTERS):
        raise row.wrong(f"has {len(choices)} choices", f"from 2 to {len(LETTERS)} are expected")
    texts = [as_text(choice) for choice in choices]
    for letter, text in zip(LETTERS, texts, strict=False):
        if text is None or not text.strip():
            raise row.wrong(f"has no text for choice {letter}", "fill it in or take the row out")
    return [text for text in texts if text is not None]


def choice_columns(row: Row, columns: Sequence[str]) -> list[str]:
    """Choices that stand in a column each; the last ones may be blank where questions have fewer.

    Raises
    ------
    DriftgateError
        A column is missing, or :func:`check_choices` refuses the choices.
    """
    values = [row.get(column) for column in columns]
    while values and (values[-1] is None or not str(values[-1]).strip()):
        values.pop()
    return check_choices(row, values)


def _by_label(kind: Kind, answer: Any, choices: Sequence[str]) -> set[str]:
    label = read_label(as_text(answer) or "")
    if label is None or label.kind != kind or not 0 <= label.place < len(choices):
        return set()
    # A label with another choice's text beside it says two things.
    return {label.letter} if label.text in ("", plain(choices[label.place])) else set()


def _by_letter(answer: Any, choices: Sequence[str]) -> set[str]:
    return _by_label("letter", answer, choices)


def _by_number(answer: Any, choices: Sequence[str]) -> set[str]:
    # 2.0 is what spreadsheets and pandas make of a 2 in a column that has gaps.
    return _by_label("number", answer, choices)


def _by_text(answer: Any, choices: Sequence[str]) -> set[str]:
    text = as_name((as_text(answer) or "").strip())
    return {letter for letter, choice in zip(LETTERS, choices, strict=False) if as_name(choice.strip()) == text}


_READINGS: dict[Reading, Callable[[Any, Sequence[str]], set[str]]] = {
    "letter": _by_letter,
    "number": _by_number,
    "text": _by_text,
}
