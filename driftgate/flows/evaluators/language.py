"""In which script is a text written: does a Korean answer stay Korean?"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import spoken
from driftgate.flows.thinking import without_thinking

_OPAQUE = re.compile(
    r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)"  # fenced code
    r"|`[^`\n]+`|\$\$[^$]{1,2000}\$\$|\$[^$\n가-힣]{1,300}\$|\\\(.{1,300}?\\\)|\\\[[^\]]{1,500}\\\]"  # code, formulas
    r"|</?[A-Za-z][^<>\n]{0,300}>"  # markup
    r"|(?:https?|ftp|file)://[^\s<>()\[\]가-힣]+|www\.[^\s<>()\[\]가-힣]+"
    r"|[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"
    r"|^[ \t]*(?:출처|참고 ?문헌|참고|인용|원문|references?|sources?)[ \t]*:[^\n]*$"
    r"|^[ \t]*\[\^?\d{1,3}\]:?[ \t][^\n]*$",
    re.MULTILINE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])(?<!\n\d\.)(?<!\n\d\d\.)\s+|\n+")
_QUOTED = re.compile(
    r"(?:\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|'[^'\n]{1,400}'|‘[^’\n]{1,400}’)(?=\s?[가-힣])"
    r"|[『《「〈][^』》」〉\n]{1,200}[』》」〉]"
    r"|(?<=[가-힣A-Za-z0-9])\s?\([^()가-힣\n]{1,200}\)"  # the original, or the long form, behind a word
)
_NAMES = re.compile(
    r"[A-Za-z0-9~]*(?:[/\\][\w.~-]+){2,}/?"  # paths
    r"|\b(?:pip3?|npm|npx|yarn|git|docker|kubectl|uv|apt(?:-get)?|brew|curl|conda|sudo|ssh|python3?)(?: [\w./=:-]+)+"
    r"|[A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[A-Za-z]+(?:[.:]{1,2}[A-Za-z_][\w]*)+(?:\(\))?|\w+\(\)|--?[a-z][\w-]+"
    r"|(?=[A-Za-z-]*\d)[A-Za-z][A-Za-z0-9+.-]*|[a-z]+[A-Z][A-Za-z]*|[A-Z]+[a-z]+[A-Z][A-Za-z]*",  # identifiers, models
    re.ASCII,
)
_ITEM = re.compile(r"[ \t]*(?:\d{1,3}[.)]|[-*•·])[ \t]+")
_IN_BRACKETS = re.compile(r"\([^()\n]{1,100}\)")
_LATIN_WORDS = re.compile(r"[A-Za-z][A-Za-z'’&.+#-]*(?:[ \t]+(?:[A-Za-z][A-Za-z'’&.+#-]*|&|\d+))*")
_NAME = re.compile(r"(?:[A-Z][\w'’&.+#-]*|&|\d+|of|the|and|for|in|de|van|von|al\.?|et)(?:[ \t]+|$)")


def language(*, text: str | None, script: str = "hangul", minimum: float = 0.5) -> dict[str, float]:
    """Shares of the letters of what a text says, by script.

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

    Raises
    ------
    DriftgateError
        The text is not there, of which a limit on a share of another script would be kept, or too long to be read.

    Notes
    -----
    The script is read off the character's name in the Unicode Character Database, in form NFC, so that decomposed
    Hangul counts syllables.

    What is the same in every language does not count: thoughts, code, formulas, markup, addresses, references, and in
    a sentence with Hangul also names (``Microsoft Azure``, ``API``, ``get_user``, a Latin word with a Korean particle),
    quotations and titles, and the original in brackets behind a Korean word. A sentence of Latin words alone counts,
    however they are written, and so do Latin words in a Korean sentence that are no name.

    Examples
    --------
    >>> found = language(text="`pip install x`로 설치하고 docs.example.com의 API를 호출하라.")
    >>> found["hangul"], found["within"]
    (1.0, 1.0)
    >>> found = language(text="답은 seven or eight")
    >>> round(found["hangul"], 2), found["within"]
    (0.14, 0.0)
    """
    said = unicodedata.normalize("NFC", without_thinking(spoken(text)) or "")
    counts = dict.fromkeys((*SCRIPTS, "other"), 0)
    korean = _HANGUL.search(said) is not None
    for sentence in _SENTENCE.split(_OPAQUE.sub(" ", said)):
        own = _own_words if _HANGUL.search(sentence) else _listed_words if korean else str
        for letter in own(sentence):
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
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")


def _own_words(sentence: str) -> str:
    """A sentence with Hangul without quotations and names in other scripts."""
    shorter = _QUOTED.sub(" ", sentence)
    if not _HANGUL.search(shorter):
        return sentence  # it consists of what it quotes
    return _LATIN_WORDS.sub(_words, _NAMES.sub(" ", shorter))


def _listed_words(sentence: str) -> str:
    """An item of a list in a Korean text, less where it is a name alone (``1. Clean Code (Robert C. Martin)``)."""
    item = _ITEM.match(sentence)
    return sentence if item is None else _LATIN_WORDS.sub(_words, _IN_BRACKETS.sub(" ", sentence[item.end() :]))


def _words(match: re.Match[str]) -> str:
    """Latin words that stand together, less those that are a name."""
    words = match[0]
    if match.string[match.end() : match.end() + 1].strip() and _HANGUL.match(match.string, match.end()):
        words = re.sub(r"\S+$", "", words)  # one with a particle is used as a name
    if _NAME.sub("", f"{words} ").strip():
        return words
    return " "


def _script(letter: str) -> str:
    if letter.isascii():
        return "latin"
    name = unicodedata.name(letter, "")
    return next((script for script, begins in SCRIPTS.items() if name.startswith(begins)), "other")


@dataclass(frozen=True)
class Language:
    """:func:`language` with its settings."""

    script: str = "hangul"
    minimum: float = 0.5

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read."""
        return reading_id("language")

    def __call__(self, *, text: str | None) -> dict[str, float]:
        """Shares of the letters of a text by script; see :func:`language`."""
        return language(text=text, script=self.script, minimum=self.minimum)


def make(script: str = "hangul", minimum: float = 0.5) -> Language:
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
    return Language(script, minimum)
