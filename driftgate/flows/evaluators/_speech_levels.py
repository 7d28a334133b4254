"""The speech level of a Korean sentence, by its last word: 합니다체, 해요체, 반말 or 한다체.

The rule is no morphological analysis: it knows the endings, and lists the nouns that end in the same syllables. A
sentence that ends in a noun, as a heading or an entry of a list does, has none.

Source: National Institute of Korean Language, "Standard language etiquette" (표준 언어 예절, 2011), on 상대 높임법.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftgate.flows.evaluators._text import sentences
from driftgate.flows.wording import prose

FORMAL, POLITE, CASUAL, PLAIN = "합니다체", "해요체", "반말", "한다체"
LEVELS = (FORMAL, POLITE, CASUAL, PLAIN)
_BIEUP, _RIEUL, _SSANG_SIOT = 17, 8, 20
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|「[^」]*」|『[^』]*』|'[^'\n]{2,}'")
_TRAILING = re.compile(r"[^가-힣A-Za-z0-9]+$")
_LAUGH = re.compile(r"[ㄱ-ㅎㅏ-ㅣ~^;:)(!?.…]+$")
_ASIDE = re.compile(r"\([^()]*\)\s*[.!?…]*$")
_LAST = re.compile(r"[가-힣]+$")
_END = 400
"""Characters at the end of a sentence that show its level; the patterns take the square of what they are given."""
_FORMULA = re.compile(
    r"(?:안녕하|감사|고맙|죄송|미안|반갑|환영|수고하|실례|축하)(?:세요|십니까|합니다|습니다|드립니다|해요|드려요|하십시오|하겠습니다)$|오세요$"
)
"""What everybody says in either of the two polite levels."""
_NOT_POLITE = re.compile(r"(?:^|[^가-힣])(?:필|수|주|개|중|소|강|동|민)요$")
_POLITE = re.compile(r"(?:요|죠|쥬)$")
_NOUNS_IN_DA = re.compile(r"(?:바다|캐나다|판다|우간다|르완다|소다|수다|람다|이판사판다)$")
_CASUAL = re.compile(
    r"(?:"
    r"[가-힣]*잖아|[가-힣]+거든|[가-힣]*더라|[가-힣]*구나|[가-힣]*(?:다|라|냐|자)니까|[가-힣]+(?:는|은|던|인|한|운|단|란)데"
    r"|[가-힣]*(?:하|되|이|렇|겠|었|았|했|있|없|맞|좋|같|많|크|쁘|났|됐|갔|왔)(?:지|네|냐|니)"
    r"|[가-힣]*(?:는|이|겠|었|았|했|좋|있|없|맞)군"
    r"|[가-힣]*(?:하|가|보|먹|만들|쓰|두|주|시작하|정하|마시|놀|만나|알아보)자"
    r"|[가-힣]*(?:뭐|거|게|누구|여기|저기|거기|아니|얘기|때문|이|최고|별로|그거|이거|저거)야"
    r"|[가-힣]*(?:몰|달|올|골|불|빨|눌)라|[가-힣]*(?:봐|줘|돼|져|려|써|커|꺼|떠|켜|쳐)"
    r"|[가-힣]+하지\s?마|[가-힣]*마라|[가-힣]+(?:하|가|보|먹)렴"
    r"|응|그래|아니|어|글쎄|고마워|미안|반가워|안녕|잘\s?가|알겠어|몰라"
    r")$"
)
_NOUNS_IN_HAE = re.compile(
    r"(?:^|[^가-힣])(?:이|오|피|방|손|침|재|공|새|올|지난|상|저|폐|양|견|독|남|동|서|황|북|다음)해$"
)
_NOUNS_IN_EO = re.compile(
    r"(?:국|영|중국|한국|외국|모국|일본|독일|단|언|용|신조|유행|검색|외래|고유|표준|주|목적|서술|합성|순우리|은|줄임|높임|"
    r"핵심|금칙|연관|수식|장|숭|광|문|인|잉|연|고등|상|악|송|붕|방|수|키워드)어$"
)
_NOUNS_IN_A = re.compile(r"(?:동남|아세|동북|남|여|유|육|영|태|고|자|미)아$|(?:아시|코리)아$")
_FORBIDS = re.compile(r"지\s?(?:마|말자)$")
_NOUNS_IN_GE = re.compile(r"(?:가|무|집|조|지|화)게$")


def level_of(sentence: str) -> str | None:
    """The speech level of a sentence; None where its last word shows none.

    Examples
    --------
    >>> [level_of(s) for s in ("내일 갑니다.", "내일 가요!", "내일 갈게 ㅎㅎ", "내일 간다.", "신청이 필요")]
    ['합니다체', '해요체', '반말', '한다체', None]
    >>> [level_of(s) for s in ("그건 별로야.", "한국어", "도와드릴까요?", "어서 오십시오.", "다시 해 봐")]
    ['반말', None, '해요체', '합니다체', '반말']
    """
    text = _ASIDE.sub("", _QUOTED.sub(" ", sentence)[-_END:]).strip()
    while (cut := _TRAILING.sub("", _LAUGH.sub("", text).strip())) != text:
        text = cut
    last = _LAST.search(text)
    if last is None:
        return None
    word = last[0]
    if _is_formal(word):
        return FORMAL
    if _POLITE.search(word) and not _NOT_POLITE.search(word):
        return POLITE
    if _is_casual(word, text):
        return CASUAL
    if word.endswith("다") and len(word) > 1 and not _NOUNS_IN_DA.search(word):
        return PLAIN
    return None


def is_formula(sentence: str) -> bool:
    """Whether a sentence is a greeting or thanks, which go with either polite level."""
    text = _TRAILING.sub("", sentence[-_END:])
    return _FORMULA.search("".join(text.split())) is not None


def levels_in(text: str) -> list[tuple[str, str]]:
    """The sentences of a text with a speech level of their own, greetings and thanks left out, each with its level."""
    found = []
    for sentence in sentences(prose(text)):
        level = level_of(sentence)
        if level is not None and not (level in (FORMAL, POLITE) and is_formula(sentence)):
            found.append((sentence, level))
    return found


def commonest(levels: Sequence[str]) -> str:
    """The level of most sentences; of as many, the more polite."""
    return max(LEVELS, key=lambda level: (levels.count(level), -LEVELS.index(level)))


def _is_formal(word: str) -> bool:
    if len(word) > 2 and word.endswith(("니다", "니까", "시다")) and _final(word[-3]) == _BIEUP:
        return True
    return word.endswith(("십시오", "십시요", "소서"))


def _is_casual(word: str, text: str) -> bool:
    if _CASUAL.match(word):
        return True
    if _FORBIDS.search(text):
        return True
    last, before = word[-1], word[-2:-1]
    if last == "해":
        return len(text) > 1 and not _NOUNS_IN_HAE.search(text)
    if last == "어":
        return bool(before) and bool(_final(before)) and not _NOUNS_IN_EO.search(word)
    if last == "아":
        return bool(before) and bool(_final(before)) and not _NOUNS_IN_A.search(word)
    if last in ("게", "걸", "까", "래"):
        return bool(before) and _final(before) == _RIEUL and not _NOUNS_IN_GE.search(word)
    return False


def _final(syllable: str) -> int:
    place = ord(syllable) - 0xAC00
    return place % 28 if 0 <= place < 11172 else 0
