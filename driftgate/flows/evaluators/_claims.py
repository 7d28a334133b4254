"""What a turn claims, as far as rules can read it: quantities, dates, names and yes or no, each with what it is about.

A claim is about the word that carries a topic's or a subject's particle (배송비는, 회의가), with the words that belong
to it; where a sentence has none, it is about what was asked. Questions, conditions and corrections claim nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from driftgate.flows.evaluators._speech_levels import is_formula
from driftgate.flows.evaluators._text import sentences
from driftgate.flows.evaluators._turns import Turn
from driftgate.flows.quantities.prose import Stated
from driftgate.flows.wording import Token, denies, prose, tokens

ClaimKind = Literal["quantity", "name", "negation"]


@dataclass(frozen=True)
class Claim:
    """One thing that a turn says."""

    turn: Turn
    kind: ClaimKind
    head: str
    """The word that it is about; empty where neither the sentence nor the question before names one."""
    about: frozenset[str]
    """The words that belong to the head."""
    words: frozenset[str]
    """The other words of the clause that carry meaning; of yes and no, what they are said of too."""
    stated: Stated | None = None
    name: str = ""
    denied: bool = False
    text: str = ""

    @cached_property
    def limits(self) -> frozenset[str]:
        """The nouns that say of which of several things it is said."""
        return self.about | {word for word in self.words if not _VERB.search(word)}

    @cached_property
    def measure(self) -> tuple[str, str]:
        """What kind of thing is stated; two claims with different ones have nothing to do with one another."""
        if self.stated is None:
            return (self.kind, "")
        if self.stated.kind == "range":
            return ("number", str(self.stated.key[0]))
        return (self.stated.kind, str(self.stated.key[0]) if self.stated.kind == "number" else "")


def claims_of(turn: Turn, question: str = "") -> list[Claim]:
    """What a turn claims.

    Parameters
    ----------
    question
        What the user said just before, of which a sentence without a topic speaks.

    Examples
    --------
    >>> [(c.kind, c.head, sorted(c.about)) for c in claims_of(Turn(2, "assistant", "반품 배송비는 6,000원입니다."))]
    [('quantity', '배송비', ['반품'])]
    >>> [(c.kind, c.head, c.denied) for c in claims_of(Turn(2, "assistant", "주차는 불가능합니다."))]
    [('negation', '주차', True)]
    """
    found: list[Claim] = []
    asked = tokens(question)
    before = topic_of(asked)
    carried = {word for place in range(len(asked)) if (word := _carrier(asked, place, _PARTICLES))}
    for sentence in sentences(prose(turn.text)):
        if _HYPOTHETICAL.search(sentence):
            continue
        topic: tuple[str, frozenset[str]] | None = None
        clauses = _CLAUSES.split(_EVEN_IF.sub("", _SUMS_UP.sub("", sentence)))
        if is_question(sentence):  # what it gives as a reason it claims all the same
            clauses = [clause for clause in clauses[:-1] if _REASON.search(clause)]
        for clause in clauses:
            said = tokens(clause)
            own = topic_of(said)
            if own and topic and not own[1] and {own[0], topic[0]} <= _SINGLE:
                own = own[0], topic[1]  # of the return ticket: where it begins, and where it ends
            topic = own or topic
            head, about = topic or before or ("", frozenset())
            if before is not None and head == before[0]:
                about |= before[1]
            about |= carried - {head} if head in carried else frozenset()
            answers = not topic and len(said) <= _SHORT and _WHO.search(question) is not None
            found += _of_clause(turn, clause, said, head, about, named=bool(topic) or answers)
    return found


def is_question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip().endswith("?") or _ASKS.search(sentence.rstrip(" .!~")) is not None


def corrects(text: str) -> bool:
    """Whether a turn says that something said before is no longer so."""
    return _CORRECTS.search(text) is not None


def content(said: Sequence[Token]) -> frozenset[str]:
    """The words that carry meaning, yes and no made one."""
    return frozenset(w for t in said if t.stated is None and (w := _meaning(t)) and w not in _EMPTY)


def topic_of(said: Sequence[Token]) -> tuple[str, frozenset[str]] | None:
    """The first word with a topic's or a subject's particle, and the words of Hangul or Latin just before it.

    A place (객실에는) is a topic only where there is no other.
    """
    for particles in (_PARTICLES, _OF_PLACES):
        for place in range(len(said)):
            if (head := _carrier(said, place, particles)) and head not in _NO_TOPIC:
                return head, _before(said, place)
    return None


def _before(said: Sequence[Token], place: int) -> frozenset[str]:
    """The words just before a topic, back to another one."""
    own: set[str] = set()
    for at in reversed(range(place)):
        token = said[at]
        if token.kind not in ("hangul", "latin") or token.stem in _NO_TOPIC or _carrier(said, at, _PARTICLES):
            break
        if token.stem and token.stem not in _EMPTY and token.text not in _SPEAKER:
            own.add(token.stem)
    return frozenset(own)


def _predicated(said: Sequence[Token], head: str, about: frozenset[str]) -> tuple[str, frozenset[str]]:
    """What yes or no is said of: of a topic and a subject the subject (이 제품은 방수가 됩니다)."""
    carried = [(place, own) for place in range(len(said)) if (own := _carrier(said, place, _PARTICLES))]
    last = carried[-1] if carried else None
    if last is None or last[1] == head or last[1] in _NO_TOPIC or said[last[0]].text[-1:] not in ("이", "가"):
        return head, about
    return last[1], about | _before(said, last[0]) | ({head} - {""})


def _of_clause(
    turn: Turn, clause: str, said: Sequence[Token], head: str, about: frozenset[str], *, named: bool
) -> Iterator[Claim]:
    words, end = content(said) - {head} - about, clause.rstrip(" .!~,")
    denied = denied_in(clause)
    stated = [t.stated for t in said if t.stated is not None and t.stated.kind != "name"]
    days = [Stated("name", (day,)) for day in _WEEKDAY.findall(clause)]
    if not denied:
        for one in (*stated, *days):
            yield Claim(turn, "quantity", head, about, words - set(_WEEKDAY.findall(clause)), one, text=clause)
    if _CONDITION.search(clause):  # yes or no is then said of something else
        return
    if name := _name_in(clause, said, head if named else ""):
        words = frozenset(word for word in words if not word.startswith(name))
        yield Claim(turn, "name", head, about, words, name=name, denied=denied, text=clause)
    elif (head or len(words) >= 2) and _PREDICATE.search(end) and (words & _DECIDED or not (stated or days)):
        of = frozenset(str(one.key) for one in (*stated, *days))
        head, about = _predicated(said, head, about)
        yield Claim(turn, "negation", head, about | of, words - {head} - about, denied=denied, text=clause)


def denied_in(clause: str) -> bool:
    """Whether what a clause ends in denies, also by a word that is the opposite of another (유료, 품절, 휴무, 제외)."""
    end = " ".join(clause.split()[-_TAIL:])
    opposite = _OPPOSITE.search(end) is not None and _PRIVATIVE.search(end) is None
    return denies(end) != opposite


def _meaning(token: Token) -> str:
    """A word without what makes it polite or denied, so that yes and no are said of one thing."""
    word = token.stem or ""
    if word in ("안", "못") or not word or token.text in _SPEAKER:
        return ""
    for pattern, one in _SAME:
        if pattern.fullmatch(word):
            return one
    return _DENYING.sub("", word)


def _carrier(said: Sequence[Token], place: int, particles: Sequence[str]) -> str:
    """The word that carries one of these particles there; empty where none does."""
    token = said[place]
    if token.text in _SPEAKER or _ADNOMINAL.search(token.text):
        return ""
    if token.kind == "hangul" and token.stem and token.text.removeprefix(token.stem) in particles:
        return token.stem
    if token.kind == "hangul" and token.text[1:] in particles and token.text[:1] in _SHORT_NOUNS:
        return token.text[:1]
    after = said[place + 1] if place + 1 < len(said) else None
    glued = token.kind == "latin" and after is not None and after.glued and after.text in particles
    return token.stem or token.text if glued else ""


def _name_in(clause: str, said: Sequence[Token], head: str) -> str:
    """The name or noun that a clause says of a head that has only one (이름, 목적지, 담당자)."""
    if introduced := _INTRODUCED.search(clause):
        name = introduced[1] or introduced[2]
        return "" if name in _NO_NAMES else name
    if head not in _SINGLE or is_formula(clause) or not _COPULA.search(clause.rstrip(" .!~,")):
        return ""
    last = next((t.stem for t in reversed(said) if t.stem and t.stated is None), "")
    name = _AS.sub("", last)
    return "" if name in (head, *_NO_NAMES) else name


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PARTICLES = ("은", "는", "이", "가", "께서는", "께서", "도")
_OF_PLACES = ("에는", "에서는", "까지는", "부터는", "으로는", "로는", "엔", "에도", "에서도")
_ADNOMINAL = re.compile(
    r"(?:하|되|있|없|받|찾|만드|걸리|보이|남|않|모르|돌아[오가]|나[오가]|들어[오가]|올라가|내려가|다니|바꾸"
    r"|지나|열리|닫히|빌리)는$"
    r"|^[오가보쓰타주먹]는$"
)
"""Forms of verbs that stand before a noun and end as a topic does."""
_SPEAKER = _listed("저는 나는 전 난 제가 내가 저도 나도 저희는 저희가 우리는 우리가 저희도")
_NO_TOPIC = _listed(
    "저 제 나 내 저희 우리 고객 고객님 그 이 저것 이것 그것 그건 이건 여기 거기 네 예 것 수 때 경우 현재 "
    "지금 오늘 내일 "
    "어제 모두 전부 총 다 아 참 일단 먼저 그럼 그러면 그리고 또한 다만 단 따라서 그래서 물론 사실"
)
_EMPTY = _listed(
    "이다 입니다 것 수 등 및 또는 더 약 총 최대 최소 정도 가량 쯤 네 예 아 저희 저 제 우리 고객 고객님 그 이 "
    "모두 각각 현재 "
    "지금 참고 말씀 안내 확인 감사 하다 드리다 주다 보다 말하다 대해 대한 위해 통해 따라 기준 바로 그럼 할 될 한 된 "
    "이니 이니까 라서 이라서 이라 인데"
)
_HYPOTHETICAL = re.compile(r"만약|만일|혹시|예를 들|가령|이라면|다면 |었으면|았으면|할까|될까")
_CONDITION = re.compile(
    r"[가-힣](?:으면|시면|하면|되면|지면|가면|오면|라면|다면|려면)(?:[ ,]|$)|경우|(?:을|할|될|한|인|는) 때"
    r"|없이|제외하|빼고"
    r"|외에는|[가-힣]에 한해|에만|만 (?:가능|됩|돼|할)"
)
_CLAUSES = re.compile(
    r"(?<=[가-힣][고며])[,\s]+|(?<=지만)[,\s]+|(?<=는데)[,\s]+|(?<=니까)[,\s]+|(?<=[시으이]니)[,\s]+|,\s+|;\s*"
)
_ASKS = re.compile(
    r"(?:까요|나요|가요|는지요|습니까|입니까|됩니까|합니까|을까|할까|될까|어때요|얼마예요|뭐예요|뭔가요"
    r"|어디예요|언제예요)$"
)
_CORRECTS = re.compile(
    r"정정|바로잡|잘못 (?:말씀|안내|알려|말했)|착오|(?:수정|변경|취소|추가|연장|조정)(?:해|하|했|합|된|됐|되"
    r"|할|으로)|바꿔|바꾸|바꿨|바뀌|바뀐"
    r"|옮겨|옮기|옮겼|늘려|늘었|줄여|줄었|이제|더는|아까는|앞서는|다시 확인해 보니|아니라"
)
_PREDICATE = re.compile(r"(?:다|요|죠|어|아|해|돼|야|지|음|함|됨|고|며|지만|는데|니까|니)$")
_COPULA = re.compile(
    r"(?:이?니까|이?시?니|입니다|이에요|예요|이야|야|이다|이고|고|이며|였습니다|이었습니다|이세요|세요|이시고"
    r"|이시네요|시네요|이시군요|이시죠|으로|로)$"
)
_INTRODUCED = re.compile(
    r"(?:이름|성함|성명)(?:은|이|는)?\s*([가-힣]{2,4}?)(?=이라고|라고|입니다|이에요|예요|이야|야|이고|이세요"
    r"|으로|로|[ ,.]|$)"
    r"|(?:^|\s)(?:저는|난|나는|전)\s+([가-힣]{2,4}?)(?:이라고|라고)"
)
_AS = re.compile(r"(?<=.)(?:이?니까|이?시니)$")
_WHO = re.compile(r"누구|어디|이름|성함|뭐|무엇|어느")
_REASON = re.compile(r"(?:니까|[시으이]니)$")
_EVEN_IF = re.compile(r"^[가-힣A-Za-z0-9 ]*?(?:[셔어아해여]도)\s+")
_SHORT_NOUNS = frozenset("역값방집책차물약병팀반층키옷밥표길문몸꿈돈눈손발비곳앱빵술국김배떡점줄칸컵통폰향형힘")
"""Nouns of one syllable, from which the reader of words takes no particle."""
_SUMS_UP = re.compile(r"(?:정리|요약|종합|말씀드리|예를 들)(?:하|드리)?면,?\s*")
_SHORT, _TAIL = 3, 3
_NO_NAMES = _listed("무엇 뭐 어떻게 혹시 제가 고객 어디 누구 어느 무슨")
_SINGLE = _listed(
    "이름 성함 성명 담당자 예약자 주문자 수령인 받는사람 목적지 출발지 도착지 장소 주소 도시 지역 지점 매장 "
    "브랜드 모델 색상 색 "
    "사이즈 좌석 직업 회사 학교 전공 부서 호텔 숙소 메뉴 회의실 은행 카드사 결제수단 상품 제목 국적 고향 "
    "반려견 강아지 고양이 "
    "작가 감독 저자 수도 대표 팀장 진료과 의사 역 노선 항공사 요금제 언어 등급"
)
_WEEKDAY = re.compile(r"[월화수목금토일]요일")
_OPPOSITE = re.compile(
    r"유료|품절|휴무|휴업|매진|마감(?:되|됐|입|이에)|미포함|불포함|별도(?:입|예|이)|닫(?:습|아|는)|비활성"
    r"|불필요|금지|제외(?:됩|돼|되|입)"
)
_PRIVATIVE = re.compile(r"불포함|불필요|금지")
"""Words that are read as denying already."""
_SAME = (
    (
        re.compile(
            r"(?:불)?가능(?:하다|합니다|해요)?|(?:안)?되다|되지|돼요|됩니다|불가(?:하다)?|허용(?:되다|하다)?"
            r"|금지(?:되다|하다)?"
        ),
        "가능",
    ),
    (re.compile(r"[있없](?:다|어요|으시니|으셔서|으니|습니다|으시다|으십니다|으시군요)?"), "있다"),
    (re.compile(r"(?:불)?필요(?:하다|해요|합니다|없다)?"), "필요"),
    (re.compile(r"(?:불|미)?포함(?:되다|돼요|됩니다|하다)?|제외(?:되다|하다)?|별도"), "포함"),
    (re.compile(r"무료|유료"), "무료"),
    (re.compile(r"영업(?:하다|해요)?|휴무|휴업|열다|열어요|닫다|닫아요|문"), "영업"),
    (re.compile(r"재고|품절(?:되다)?"), "재고"),
)
_DECIDED = frozenset(one for _, one in _SAME)
"""Predicates that are affirmed or denied."""
_DENYING = re.compile(r"^[불미](?=[가-힣]{2,}$)|(?:하지|되지|이지)$|(?:않다|못하다|아니다|하다|되다)$")
_VERB = re.compile(r"(?:다|요|죠|니다|시니|해|돼|고|며|서)$|^(?:가능|필요|포함|무료|영업|재고)$")
