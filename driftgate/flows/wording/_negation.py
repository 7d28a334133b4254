"""Do two texts deny the same? Clause by clause, as a text may deny one thing and grant another.

A rule, not a parse: it knows what denies by a list (안, 못, 않다, 없다, 아니다, 불가, 금지, 미-, 비-, not) and counts
twice as not at all. Clauses of the two texts are held against each other by the words they share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from driftgate.flows.wording._plain import prose
from driftgate.flows.wording._spaces import alike
from driftgate.flows.wording._tokens import tokens

_NO_DENIAL = re.compile(
    r"(?:틀림|어김|상관|관계|문제|변함|끊임|빠짐|다름|거침|손색|남김|아낌|말할\s?것도)\s?없|수\s?밖에\s?없"
    r"|밖에\s?(?:없|안(?=\s)|[가-힣]{0,4}지\s?(?:않|못))|뿐(?:만|만이)?\s?아니|다름\s?아닌|못지\s?않|머지\s?않|아니면|아니나"
    r"|not only|no (?:later|more|less|fewer|earlier) than|no\.\s?(?=\d)"
)
"""What looks like a denial and is none: 3일밖에 없다 is no more than 3일뿐이다."""
_PREFIXED = (
    r"불(?=가능|필요|포함|참(?:석|가)|일치|합격|충분|완전|명확|분명|확실|이행|만족|성실|허가)"
    r"|미(?=포함|도착|사용|가입|결제|납(?:부|입)?|달(?!러)|지급|제공|적용|확인|등록|참석|제출|공개|지원|수령|배송|승인|개봉|설치|발급|신청|이수"
    r"|접종|완료|충족|반영|처리|해당|응답|준수|도래|사용|인증|열람)"
    r"|비(?=공개|대면|회원|활성|정상|정기|정규|과세|급여|흡연|영리|상업|가입|방수|해당|전문|공식|허가|노출)"
    r"|무(?=효|응답|제한|이자|혐의|보험|사고|면허|허가|단결근|첨가|설탕|향(?![가-힣])|관용)"
    r"|부(?=적합|적격|정확|적절|도덕|동의)"
)
"""A prefix that denies the noun behind it."""
_INSIDE = r"(?!\s+[가-힣]+(?:을|를|에|에서|의|와|과)(?:\s|$))"
"""건물 안 주차장에 is inside and denies nothing: a noun with its particle follows."""
_DENIAL = re.compile(
    rf"(?<![가-힣])(?:{_PREFIXED})"
    r"|지(?:는|도|를|가)?\s?(?:않|못|마(?=[세십시라]|$|\s)|말(?=[아고라기자것]))[가-힣]*"
    r"|않[가-힣]*|아니[가-힣]*|아닙니[가-힣]*|아닌|아닐|아님|아뇨|없[가-힣]*"
    rf"|(?<![가-힣])(?:안|못)(?=\s+[가-힣]){_INSIDE}|(?<![가-힣])안(?=[되된됩될됨돼됐하한할합해했])"
    r"|(?<=[이가은는도면선])안(?=[되된됩될돼])|(?<=면)안(?=\s[되된됩될돼])|(?<![가-힣])못(?=[하한할합해했쓰씁가갑갈옵먹받들보봅])|(?<=[을를이가])\s?못\s?(?=[하한할합해했])"
    r"|불가(?!능|분|사의|피|항력)[가-힣]*|금지[가-힣]*|금(?=[합하]니|하고|하며|한다|함)|불허[가-힣]*|제외[가-힣]*|뺀|빼고|거[절부](?=[가-힣])"
    r"|(?<=기)(?:가|는)?\s?어렵[가-힣]*|어렵습니다|삼가[가-힣]*|피하(?=[시세십기고며])|피해\s?(?=주|야)"
    r"|휴[무관업진](?!\s?수당)|쉽니다|쉰다|쉬(?=지|고|며|는|어요)|무료|무상|공짜"
    r"|\bun(?=available|able|paid|used|signed|limited|necessary)|\bim(?=possible)|\bnon-"
    r"|\bin(?=valid|complete|correct|eligible|active)|\b(?:not|no|never|cannot|without|neither|nor|none|nobody|nothing)\b|n't\b"
)
_SENTENCE = re.compile(r"(?<=[^\d\s])[.!?。;](?=\s|$)|(?<=\d)[.!?。;](?=\s+\D|$)|\n")
_NOUN = "(?<!광)(?<!신)(?<!보)(?<!창)(?<!사)(?<!경)(?<!권)(?<!재)(?<!참)(?<!공)(?<!최)(?<!원)(?<!다)(?<!라)"
"""Not behind the first syllable of a noun in 고 (광고, 신고, 사고), nor in what somebody says (다고, 라고)."""
_CLAUSE = re.compile(
    rf"(?<=[가-힣])(?:{_NOUN}고|며|지만|으나|하나|되나|[하시으]되|[는은인한]데|므로|으니|이니|니까|[어아여해라]서)(?:요)?,?\s+"
    r"(?!있|계|싶|나서|나면|난\s)"
    r"|아니라,?\s+|^(?:네|예|아니[요오]|아뇨)[,.]?\s+|\b(?:but|while|whereas)\b"
)
"""Where a clause ends that stands beside the next one; one that is a condition of the next belongs to it."""
_ALIKE = 0.3
"""Share of wording from which on two clauses are about the same."""
_WEAK = frozenset([
    "수", "것", "하다", "되다", "있다", "이다", "경우", "때", "등", "및", "또는", "그", "이",
    "the", "a", "an", "is", "are", "be", "to", "of",
])  # fmt: skip
"""Words that clauses about different things share."""


@dataclass(frozen=True, slots=True)
class _Clause:
    parts: frozenset[str]
    """Syllable pairs of its words, its denials aside."""
    denied: bool


def agree_in_negation(one: str, other: str) -> bool:
    """Whether neither text denies what the other grants.

    Clauses that share wording must both deny or both grant; of those that share none with any, the ones of both
    texts must hold a denial or none. What only one text speaks of is no disagreement.

    Examples
    --------
    >>> agree_in_negation("이월할 수 없다.", "이월은 불가합니다."), agree_in_negation("이월됩니다.", "이월되지 않는다")
    (True, False)
    >>> agree_in_negation("신청하지 않으면 안 됩니다.", "신청해야 합니다."), agree_in_negation("미결제", "결제")
    (True, False)
    >>> agree_in_negation("A는 되고 B는 안 됩니다.", "A는 안 되고 B는 됩니다.")
    False
    >>> agree_in_negation("부산이 아니라 서울", "서울"), agree_in_negation("3일밖에 없다", "3일뿐이다")
    (True, True)
    """
    ours, theirs = map(_clauses, alike(prose(one), prose(other)))
    left, right = set(range(len(ours))), set(range(len(theirs)))
    for _, i, j in sorted(_about_the_same(ours, theirs), key=lambda pair: (-pair[0], pair[1], pair[2])):
        if i in left and j in right:
            if ours[i].denied != theirs[j].denied:
                return False
            left.discard(i)
            right.discard(j)
    if not left or not right:
        return True
    return any(ours[i].denied for i in left) == any(theirs[j].denied for j in right)


def _about_the_same(ours: Sequence[_Clause], theirs: Sequence[_Clause]) -> Iterator[tuple[float, int, int]]:
    """Dice's coefficient of clauses that share enough wording, and their places."""
    places: dict[str, list[int]] = {}
    for j, clause in enumerate(theirs):
        for part in clause.parts:
            places.setdefault(part, []).append(j)
    for i, clause in enumerate(ours):
        shared = Counter(j for part in clause.parts for j in places.get(part, ()))
        for j, common in shared.items():
            likeness = 2 * common / (len(clause.parts) + len(theirs[j].parts))
            if likeness >= _ALIKE:
                yield likeness, i, j


@lru_cache(maxsize=4096)
def _clauses(text: str) -> Sequence[_Clause]:
    read = (_Clause(_parts(clause), denied) for clause, denied in _read(text.casefold()))
    return tuple(dict.fromkeys(read))


def _read(text: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a text without their denials, and whether what is left is denied."""
    for sentence in _SENTENCE.split(text):
        place = 0
        for end in [*(match.end() for match in _CLAUSE.finditer(sentence)), len(sentence)]:
            clause = _NO_DENIAL.sub(" ", sentence[place:end])
            place = end
            if clause.strip():
                rest, denials = _DENIAL.subn(" ", clause)
                yield rest, denials % 2 == 1


def _parts(text: str) -> frozenset[str]:
    found: set[str] = set()
    for token in tokens(text):
        if token.stated is not None:
            found.add(repr(token.stated.key))
        elif token.stem and token.stem not in _WEAK:
            word = token.stem
            hangul = token.kind == "hangul" and len(word) > 2
            found.update(word[i : i + 2] for i in range(len(word) - 1)) if hangul else found.add(word)
    return frozenset(found)
