"""The one exception family a person is meant to read.

Every error that reaches the command line is a :class:`DriftgateError`: one sentence that says what was
found and what was expected, and a remedy that says what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

from driftgate.flows.scrubbing import told

OutsideFault = Literal[
    "endpoint_down",
    "credentials_refused",
    "too_slow",
    "model_not_served",
    "requests_refused",
    "throttled",
    "filtered",
]
"""What of the outside world kept a question from its answer."""
Fault = Literal["", OutsideFault]
"""Whose fault of the outside world an error is; empty where it is none, or nobody knows."""


class DriftgateError(Exception):
    """An error in words for the person who runs the command; secrets and personal data are blanked in them.

    Parameters
    ----------
    message : str
        One sentence: what was found, what was expected.
    remedy : str, optional
        What to do next.
    fault : Fault, optional
        What of the outside world it is, where its class does not say so already.

    Examples
    --------
    >>> str(DriftgateError("the suite names model 'gpt5'", "did you mean 'gpt-5'?"))
    "the suite names model 'gpt5'; did you mean 'gpt-5'?"
    """

    fault: Fault = ""
    """What of the outside world it is, for programs: nothing reads the message."""

    def __init__(self, message: str, remedy: str = "", *, fault: Fault | None = None) -> None:
        message, remedy = told(message), told(remedy)
        super().__init__(message, remedy)
        if fault is not None:
            self.fault = fault
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class StoppedByUser(Exception):
    """The user stopped the command and was told how to go on; no part of it is to be done any more."""


def nearest(name: str, names: Iterable[str]) -> str:
    r"""Say which known name was probably meant, or list what there is.

    Examples
    --------
    >>> nearest("kmlu", ["click", "kmmlu"])
    "did you mean 'kmmlu'?"
    >>> nearest("zzz", ["click", "kmmlu"])
    'known: click, kmmlu'
    >>> nearest("question", ["answer", "question\u200b"])
    "did you mean 'question\\u200b'? It holds white space or characters that cannot be seen"
    """
    known = sorted(names)
    alike = [one for one in known if one != name and seen(one) == seen(name)]
    if alike:
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in alike[0])
        return f"did you mean '{shown}'? It holds white space or characters that cannot be seen"
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(known)}" if known else "none is known"


def check_known(what: str, name: str, names: Iterable[str]) -> None:
    """See that a name is one of those that are known: of one that nothing has, nothing found is no good news.

    Parameters
    ----------
    what : str
        What has the name, such as ``monitor``.

    Raises
    ------
    DriftgateError
        It is not.

    Examples
    --------
    >>> check_known("monitor", "assistan", ["assistant", "search"])
    Traceback (most recent call last):
    driftgate.flows.errors.DriftgateError: there is no monitor 'assistan'; did you mean 'assistant'?
    """
    known = list(names)
    if name not in known:
        raise DriftgateError(f"there is no {what} '{cut(name)}'", nearest(name, known))


def cut(text: str, most: int = 80) -> str:
    """A text that somebody gave, as it may stand in a sentence: of a long one the beginning.

    Examples
    --------
    >>> cut("nightly"), cut("x" * 100_000, 4)
    ('nightly', 'xxxx… (100,000 characters)')
    """
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def seen(name: str) -> str:
    """What of a name can be seen."""
    return "".join(character for character in name if character.isprintable() and not character.isspace())
