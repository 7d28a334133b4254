"""The language of a reply, and of one in capitals or in small letters."""

from __future__ import annotations

from driftgate.flows.instructions._parameters import Text


def response_language(reply: str, *, language: Text) -> bool:
    """The whole of it is in one language, by its ISO 639-1 code.

    The package py3langid decides, whose 97 languages are those that IFEval names. A reply without a letter is in none;
    upstream takes it for kept.
    """
    return bool(reply) and detected(reply) == language.strip().lower().partition("-")[0]


def detected(text: str) -> str:
    """The language of a text; empty where it has no letter.

    Examples
    --------
    >>> detected("오늘 API 회의는 3시입니다."), detected("Das ist eine kurze Antwort."), detected("3.14")
    ('ko', 'de', '')
    """
    from py3langid import classify

    letters = " ".join("".join(letter if letter.isalpha() or letter == "'" else " " for letter in text).split())
    return str(classify(letters)[0]) if letters else ""


CHECKS = {"response_language": response_language}
