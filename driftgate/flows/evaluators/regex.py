"""Does a text fit a regular expression?"""

from __future__ import annotations

from collections.abc import Callable

from driftgate.flows.evaluators._replies import is_silent

SECONDS = 1.0
"""How long one text may be searched; a pattern that backtracks without end is an error of its sample."""


def make(pattern: str = ".", full: bool = False, ignore_case: bool = False) -> Callable[..., dict[str, float | str]]:
    """Make the evaluator, which takes ``text``.

    Parameters
    ----------
    pattern : str
        A regular expression of the package regex, a superset of Python's.
    full : bool
        The whole text must fit, surrounding white space aside; otherwise a part is enough.
    ignore_case : bool
        Upper and lower case are the same.

    Notes
    -----
    Returns ``matches`` and the text that was ``found`` (its first group where the pattern has one). A dot also stands
    for the end of a line. An empty text matches nothing, whatever the pattern.

    Examples
    --------
    >>> make(r"정답은 ([A-D])입니다")(text="그러므로 정답은 B입니다.")
    {'matches': 1.0, 'found': 'B'}
    >>> make("[A-D]", full=True)(text="답: B")
    {'matches': 0.0, 'found': ''}
    """
    import regex

    flags = regex.DOTALL | (regex.IGNORECASE if ignore_case else 0)
    compiled = regex.compile(pattern, flags)

    def search(*, text: str | None) -> dict[str, float | str]:
        subject = (text or "").strip() if full else text or ""
        match = (compiled.fullmatch if full else compiled.search)(subject, timeout=SECONDS)
        if match is None or is_silent(text):
            return {"matches": 0.0, "found": ""}
        return {"matches": 1.0, "found": str((match.group(1) if compiled.groups else match.group()) or "")}

    return search
