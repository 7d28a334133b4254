"""Particles, the copula and polite endings of Korean words: what may stand behind a word without changing what it says.

The rule is no morphological analysis. A list of nouns keeps it from the last syllable of a word (만족도, 휴가, 어린이).

Source: National Institute of Korean Language, Standard Korean Dictionary, for particles, their allomorphs by the final
consonant before them, the forms of the copula and the names of the cities.
"""

from __future__ import annotations

import re
from functools import lru_cache


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_AFTER_CONSONANT = (
    "은 이 을 과 으로 으로는 으로도 으로서 으로써 이나 이랑 이라도 "
    "이다 이고 이며 이야 이에요 이예요 이지 이지만 이므로 이라 이라서 이니까 이었다 이었습니다 이었어요 이었고 "
    "이었으며 이네요 이군요 이죠 이지요 이거든요 이랍니다 이었음 이요 이고요 이구요 이라고요 "
    "이오 이네 이로군 이로군요 이구나 이로구나 이로다 이라네 이라오 이거든"
)
_AFTER_VOWEL = (
    "는 가 를 와 로 로는 로도 로서 로써 랑 라도 야 예요 에요 라서 였다 였습니다 였어요 였고 였으며 네요 군요 랍니다 "
    "였음 라고요 거든요 요 죠 지요 고요 구요 로군 로군요 로구나"
)
_AFTER_ANY = (
    "의 에 에서 에게 께 께서 에는 에도 에서는 에서도 에게는 에게서 한테 도 만 까지 까지는 부터 부터는 보다 처럼 마다 "
    "으로부터 로부터 입니다 입니까 이라고 라고 이란 이라는 라는 인데 인데요 임 님 이십니다 이시다 이세요 이셨습니다 "
    "이십니까 이시고 이시며 십니다 셨습니다 이었다 이었습니다 이다 이고 이며 이야 이에요 예요 에요 이죠 이지요 "
    "이네요 이므로 "
    "이지만 이라서 일세 이올시다 올시다 이옵니다 인걸요"
)
_ENDINGS = sorted(
    [(e, True) for e in _AFTER_CONSONANT.split()]
    + [(e, False) for e in _AFTER_VOWEL.split()]
    + [(e, None) for e in _AFTER_ANY.split()],
    key=lambda entry: (-len(entry[0]), entry[0]),
)
ALONE = frozenset(_listed(
    "은 는 을 를 에 에서 으로 에게 에는 에서는 부터 까지 입니다 입니까 이다 이에요 예요 이고 이며 이야 "
    "이었습니다 인데요 님 씨 의 이오 이올시다 씨요 씨죠 씨지요 씨예요 씨입니다 님이요 님이죠 님이에요 님입니다"
))  # fmt: skip
"""What is a particle, an ending or a form of address also where a space stands before it."""
_CITIES = _listed(
    "서울 부산 대구 인천 광주 대전 울산 세종 수원 성남 용인 고양 화성 부천 안산 안양 남양주 평택 의정부 시흥 "
    "파주 김포 광명 군포 하남 오산 이천 안성 구리 의왕 양주 포천 여주 동두천 과천 춘천 원주 강릉 동해 태백 "
    "속초 삼척 청주 충주 제천 천안 공주 보령 아산 서산 논산 계룡 당진 전주 군산 익산 정읍 남원 김제 목포 여수 "
    "순천 나주 광양 포항 경주 김천 안동 구미 영주 영천 상주 문경 경산 창원 진주 통영 사천 김해 밀양 거제 양산 "
    "제주 서귀포"
)
_CITY = re.compile(rf"({'|'.join(_CITIES)})(?:특별자치시|특별시|광역시|시)")
_RANKED = re.compile("(?:특별자치|특별|광역)?시")
_NOUN = re.compile(
    r"(?:고양|호랑|원숭|거북|어린|젊은|늙은|지팡|달팽|놀|길|높|깊|넓|나|아|차|사|종|구|먹|풀|벌)이$"
    r"|(?:만족|정확|신뢰|완성|인지|선호|난이|중요|위험|긴급|집중|충성|호감|친밀|숙련|해상|기여|이해|활용|참여|심각|민감|특이|"
    r"노출|투명|청렴|성숙|건강|울릉|강원|경기|경상|전라|충청|경상[남북]|전라[남북]|충청[남북]|황해|평안|함경|온|습|농|강|밀|속|각|태|제|한|용)도$"
    r"|(?:민주|자본|사회|공산|자유|개인|이기|완벽|보수|진보|제국|민족|인종|합리|실용|낭만|사실|현실)주의$"
    r"|(?:국무|임원|화상|대책|전체|정기|간부|주간|월간|비상|긴급|본|실무|부서|팀)회의$"
    r"|(?:휴|허|추|여)가$|(?:고속|일반|포장|국|전용)도로$|(?:[가-힣]대|경|통|진|항|활주)로$"
    r"|(?:정신|학|안|부인|의학|치|피부|외|내)과$|(?:책|담|프레|모|게|타|선|신|후|전|해|위|부|취)임$"
    r"|(?:총|가|실|과|내|예비|대기)수요$"
    r"|(?:대|불|비|오|자|교|천|백)만$|(?:선생|하느|부모)님$|대한민국$"
)
_BOXES = re.compile(
    r"(?:보관|우편|사물|투표|보석|전투|잠수|순양|우체|수납|공구|구급|서류|현금|의견|건의|포|명|결|무)함$"
)
"""Nouns that end in 함, which is no form of 하다."""
_DENIED = re.compile(r"(?:않|못|안|아니|없|말)$")
_IRREGULAR = (
    ("되어요", "되다"), ("있어요", "있다"), ("없어요", "없다"), ("않아요", "않다"), ("아니에요", "아니다"),
    ("아니예요", "아니다"), ("아니야", "아니다"), ("아니오", "아니다"), ("아닙니다", "아니다"), ("해요", "하다"),
    ("돼요", "되다"), ("있어", "있다"), ("없어", "없다"), ("있음", "있다"), ("없음", "없다"), ("않음", "않다"),
    ("아님", "아니다"), ("있는데요", "있다"), ("못해", "못하다"), ("안돼", "안되다"),
)  # fmt: skip
_LONGEST = 60
"""Syllables of a word that is taken apart; nobody writes longer ones."""
_BIEUP, _NIEUN, _RIEUL = 17, 4, 8
"""Indices of final consonants in a Hangul syllable."""


@lru_cache(maxsize=65536)
def stem(word: str, *, after: str = "") -> str:
    """A Korean word without particles, copula and politeness; of a verb its plain form.

    Parameters
    ----------
    word : str
        One word in Hangul.
    after : str
        What stands directly before it, such as ``API`` or ``15일``: then all of it may be an ending.

    Examples
    --------
    >>> [stem(w) for w in ("서울에서는", "서울이었습니다", "서울시", "홍길동님입니다", "가능합니다", "있어요")]
    ['서울', '서울', '서울', '홍길동', '가능', '있다']
    >>> [stem(w) for w in ("만족도", "연차휴가", "아닙니다", "못합니다", "만")]
    ['만족도', '연차휴가', '아니다', '못하다', '만']
    >>> stem("입니다", after="15일"), stem("이상입니다", after="15일")
    ('', '이상')
    """
    if len(word) > _LONGEST:
        return word
    while (shorter := _without_ending(word, after)) != word:
        word = shorter
    return _plain_verb(word)


def is_ending(rest: str, before: str) -> bool:
    """Whether all that a word goes on with, after ``before``, leaves what it says as it is.

    Examples
    --------
    >>> [is_ending(rest, "가능") for rest in ("", "합니다", "은", "하지만", "성", "하지")]
    [True, True, True, True, False, False]
    """
    if not rest or stem(rest, after=before) == "":
        return True
    if before.endswith(_CITIES) and (rank := _RANKED.match(rest)):
        return is_ending(rest[rank.end() :], rank[0])
    return _GOES_ON.fullmatch(rest) is not None


_GOES_ON = re.compile(
    r"(?:하|되|해|돼)?(?:다|며|고|지만|므로|니|니까|여|여서|서|요|면|는데|는데요|였다|였습니다|시다|십니다|세요|죠|지요|네요)"
    r"|(?:하|하시|되)(?:면|려면|기|도록|거나|더라도|십시오|셔야|어야|겠습니다)|해야|돼야|해도|해서|했을|하여야|합니다|합니까|됩니다|한다|된다|한|할|함|됨|했다|했습니다|했고|했으며|됐다|됐습니다|되었습니다|되었다|하게|히|하는|되는"
    r"|이라면|라면|이라면서|일|하나|되나|이자|이었던|였던|씩|쯤|정도|간|째|짜리|가량|들|들이|들은|들을|들의|들과|들이다|들입니다|뿐|뿐입니다|뿐이다"
    r"|(?:씨|님|군|양)(?:이|가|은|는|을|를|의|께|께서|에게|에서|에|와|과|도|로|입니다|이다|이에요)?"
)


def _without_ending(word: str, after: str) -> str:
    if city := _CITY.fullmatch(word):
        return city[1]
    if not after and (_NOUN.search(word) or _IRREGULAR_FORMS.search(word)):
        return word
    if after and word == "요":
        return ""  # "3개요"; behind a word of Hangul it may be the word's own (수요)
    for ending, after_consonant in _ENDINGS:
        if not word.endswith(ending):
            continue
        rest = word[: -len(ending)]
        if ending in ("이요", "이오", "이네") and _NOUN.search(rest + "이"):
            continue  # "고양이요", "고양이네"
        shortest = 0 if after else (2 if len(ending) == 1 or ending in ("고요", "구요") else 1)  # 최고요
        if len(rest) < shortest or _DENIED.search(rest):
            continue
        if ending == "요" and rest.endswith(("아", "어")):
            continue  # "먹어요": a verb, whose plain form is looked for
        if _fits(rest or after, ending, after_consonant):
            return rest
    return word


_IRREGULAR_FORMS = re.compile("(?:" + "|".join(form for form, _ in _IRREGULAR) + ")$")


def _fits(rest: str, ending: str, after_consonant: bool | None) -> bool:
    if not "가" <= rest[-1:] <= "힣":
        return True  # how a number or a Latin word ends when it is spoken is not known
    final = (ord(rest[-1]) - 0xAC00) % 28
    if ending.startswith("로"):
        return final in (0, _RIEUL)
    return after_consonant is None or after_consonant == bool(final)


def _plain_verb(word: str) -> str:
    if len(word) < 2:
        return word
    for form, plain in _IRREGULAR:
        if word.endswith(form):
            return _without_do(word[: -len(form)] + plain)
    if word.endswith(("아요", "어요")) and len(word) > 2 and (ord(word[-3]) - 0xAC00) % 28:
        return word[:-2] + "다"
    if word.endswith("습니다"):
        return _without_do(word[:-3] + "다") if len(word) > 3 else word
    if word.endswith("니다") and len(word) > 2:
        base = _opened(word[-3], _BIEUP)
        return _without_do(word[:-3] + base + "다") if base else word
    if word.endswith("는다") and len(word) > 2:
        return word[:-2] + "다"
    if word.endswith("다") and (base := _opened(word[-2], _NIEUN)):
        return _without_do(word[:-2] + base + "다")
    if word.endswith("함") and len(word) > 2 and not _BOXES.search(word):
        return _without_do(word[:-1] + "하다")
    if word.endswith("됨"):
        return word[:-1] + "되다"
    return _without_do(word)


def _opened(syllable: str, final: int) -> str:
    """A syllable without this final consonant; empty where it has another or none."""
    place = ord(syllable) - 0xAC00
    return chr(ord(syllable) - final) if 0 <= place < 11172 and place % 28 == final else ""


def _without_do(word: str) -> str:
    rest = word.removesuffix("하다")
    return rest if rest != word and len(rest) >= 2 and not _DENIED.search(rest) else word
