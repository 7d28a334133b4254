"""The clauses of a Korean sentence: what it joins by 고, 며, 지만, 는데, 하여 and their like, each as a sentence."""

from __future__ import annotations

import re
from functools import lru_cache

_NO_NOUN = "".join(f"(?<!{one})" for one in "광신보창사경권재참공최원다라해예중금잔망초려자냐")
"""Not behind the first syllable of a noun in 고 (광고, 해고, 예고), nor in what somebody says (다고, 라고)."""
_BY = "".join(f"(?<!{one})" for one in "위대관의통인비더향반속")
"""위하여, 대해서 and their like go with a noun and end no clause."""
_BY_DO = "(?<=하)" + "".join(f"(?<!{one}하)" for one in "위대관의통인비더향반속")
_HELPED = (
    r"(?!있|계[시신십]|싶|나서|나면|난\s|말[고아았]|주[시세었기며지고면는신실십셔]|줍|준|줄|줘|드[리려립린릴]|보[면시았기세고는니십]|봅|본|볼|봐|봤"
    r"|두[어었고는면십]|둔|둡|놓|버[리렸린려]|왔|온다|오[고며는면]|갔|간다|가[고며는면지]|야|낸|냈|내[고는며])"
)
"""A helping verb goes on with the clause."""
_BUT = (
    r"(?<![ ,]하)(?<!그렇)(?<!까)지만|으나|(?<=[가-힣][하되])나|(?<=[있없하되])는데|(?<!그러)므로"
    r"|으니까?|(?<=[가-힣][하되이])니까?"
)
_THEN = rf"{_BY_DO}여|(?<=되)어|{_BY}해서|돼서"
_JOIN = re.compile(
    rf"(?<=[가-힣])(?:(?P<go>{_NO_NOUN}(?<!그리)고)|(?P<and>며)|(?P<but>{_BUT})|(?P<is>인데)|(?P<then>{_THEN})),?\s+"
    r"(?!있|계|싶|나서|나면|난\s)"
)
_WITH = re.compile(r"[가-힣](?:은|는|이|가|을|를|에|에서|에게|으로|로|와|과|의|도|만|까지|부터)[ ,]|\d")
"""A noun with its particle, or a quantity."""
_AS_HELPED = re.compile(_HELPED)


@lru_cache(maxsize=4096)
def clauses(sentence: str) -> tuple[str, ...]:
    """The clauses that stand beside one another in a sentence, each with a verb in its plain form.

    A condition (면), a reason of a word (때문에) and what describes a noun belong to their clause. The rule is no
    parse: a clause has a noun with its particle or a quantity, and a verb that another helps (열고 있다, 공개하여
    드립니다) ends none.

    Parameters
    ----------
    sentence : str
        As :func:`driftgate.flows.wording.prose` gives it.

    Examples
    --------
    >>> clauses("도서관은 9시에 문을 열고 10시에 닫으며, 월요일에는 쉽니다.")
    ('도서관은 9시에 문을 열다', '10시에 닫다', '월요일에는 쉽니다.')
    >>> clauses("성당은 1892년에 착공하여 1898년에 준공되었다."), clauses("중고 제품은 교환하고 있습니다.")
    (('성당은 1892년에 착공하다', '1898년에 준공되었다.'), ('중고 제품은 교환하고 있습니다.',))
    """
    found: list[str] = []
    place = 0
    for join in _JOIN.finditer(sentence):
        clause = sentence[place : join.start()]
        if join["then"] and not _AS_HELPED.match(sentence, join.end()):
            continue
        if not _tells(clause) or join.end() == len(sentence):
            continue
        found.append(_plain_form(clause, join))
        place = join.end()
    return (*found, sentence[place:])


def _tells(clause: str) -> bool:
    """Whether a verb has a noun or a quantity with it: 시작하고 15분이 지나면 is one clause."""
    return _WITH.search(clause) is not None


def _plain_form(clause: str, join: re.Match[str]) -> str:
    if join["then"]:
        return clause + ("하다" if join["then"] == "해서" else "되다" if join["then"] == "돼서" else "다")
    if join["is"]:
        return f"{clause}이다"
    if join["go"] is None and clause.endswith("으") and _closed(clause[-2:-1]):
        clause = clause[:-1]
    return f"{clause}다"


def _closed(syllable: str) -> bool:
    """Whether a syllable ends in a consonant."""
    return "가" <= syllable <= "힣" and (ord(syllable) - 0xAC00) % 28 > 0
