"""In which script is a text written: does a Korean answer stay Korean?"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial


def language(*, text: str | None, script: str = "hangul", minimum: float = 0.5) -> dict[str, float]:
    """Shares of the letters of a text by script.

    Parameters
    ----------
    text : str
        Any text; digits, punctuation, symbols and combining marks are no letters.
    script : {"hangul", "latin", "han", "kana"}
        The script that is wanted.
    minimum : float
        The share of it that is wanted.

    Returns
    -------
    dict
        ``hangul``, ``latin``, ``han``, ``kana``, ``other``: shares that add to 1, or all 0 where there is no letter;
        ``within``: the wanted script has its share.

    Notes
    -----
    The script is read off the character's name in the Unicode Character Database, in form NFC, so that decomposed
    Hangul counts syllables.

    Examples
    --------
    >>> found = language(text="API를 호출하라.")
    >>> found["hangul"], found["latin"], found["within"]
    (0.625, 0.375, 1.0)
    """
    counts = dict.fromkeys((*SCRIPTS, "other"), 0)
    for letter in unicodedata.normalize("NFC", text or ""):
        if letter.isalpha():
            counts[_script(letter)] += 1
    letters = sum(counts.values())
    shares = {name: count / letters if letters else 0.0 for name, count in counts.items()}
    return {**shares, "within": float(letters > 0 and shares[script] >= minimum)}


SCRIPTS = {
    "hangul": ("HANGUL",),
    "latin": ("LATIN", "FULLWIDTH LATIN"),
    "han": ("CJK",),
    "kana": ("HIRAGANA", "KATAKANA"),
}
"""How the names of a script's characters begin."""


def _script(letter: str) -> str:
    if letter.isascii():
        return "latin"
    name = unicodedata.name(letter, "")
    return next((script for script, begins in SCRIPTS.items() if name.startswith(begins)), "other")


def make(script: str = "hangul", minimum: float = 0.5) -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    script : {"hangul", "latin", "han", "kana"}
        The script that is wanted.
    minimum : float
        The share of letters that must be of it.
    """
    if script not in SCRIPTS:
        raise ValueError(f"script is '{script}', expected one of {', '.join(SCRIPTS)}")
    return partial(language, script=script, minimum=minimum)
