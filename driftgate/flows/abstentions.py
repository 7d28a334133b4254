"""Does a reply say that the documents do not hold the answer? Decided by a list of phrases that is data."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from driftgate.flows.phrases import Phrases, any_of, read_phrases
from driftgate.flows.quantities.prose import stated_in

FILE = Path(__file__).parent / "abstention_phrases.yaml"
_LONGEST = 2000
_SENTENCES = re.compile(r"(?<=[.!?。])\s+|\n+")


def is_abstention(reply: str) -> bool:
    """Whether a reply says that it does not know, and then says nothing else.

    A reply that goes on to answer all the same does not abstain, nor does an empty one.

    Examples
    --------
    >>> is_abstention("제공된 문서에서 기숙사 월세에 관한 내용을 찾을 수 없습니다. 총무팀에 문의해 주세요.")
    True
    >>> is_abstention("문서에는 없지만 기숙사 월세는 보통 30만 원입니다.")
    False
    >>> is_abstention("수습 기간에는 병가가 없습니다.")
    False
    """
    listed, pointers, turns = _rules()
    plain = " ".join(unicodedata.normalize("NFKC", reply[:_LONGEST]).replace("’", "'").split(" "))
    said = [" ".join(part.split()) for part in _SENTENCES.split(plain) if part.strip()]
    opening = int(listed.rules["opening"])
    for number, sentence in enumerate(said[:opening]):
        found = listed.pattern.search(sentence)
        if found is None:
            continue
        rest = sentence[found.end() :]
        turned = turns.search(sentence[max(found.start(), found.end() - 4) :])
        after = [*([rest] if turned else []), *said[number + 1 :]]
        before = said[:number]
        return not any(_answers(text, pointers) for text in (*before, *after))
    return False


def _answers(text: str, pointers: re.Pattern[str]) -> bool:
    """Whether a sentence beside the one that abstains says something of the matter."""
    if stated_in(text):
        return pointers.search(text) is None
    listed, _, _ = _rules()
    words = re.findall(r"\w+", text)
    return len(words) > 2 and pointers.search(text) is None and listed.pattern.search(text) is None


@cache
def _rules() -> tuple[Phrases, re.Pattern[str], re.Pattern[str]]:
    listed = read_phrases(FILE)
    pointers = any_of(phrase for language in listed.rules["pointers"].values() for phrase in language)
    return listed, pointers, any_of([listed.rules["turns"]])


def abstention_rules_id() -> str:
    """Hash of the rules, to be kept beside what they decided: 12 hexadecimal digits."""
    return read_phrases(FILE).id
