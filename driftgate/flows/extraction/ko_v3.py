r"""The rule set ``ko-v3``: ``ko-v2``, which also reads words alone and sees what the end leaves open.

Beside what ``ko-v2`` reads:

* an answer that the reply's end leaves open ("어느 것이 맞는지 판단하기 어렵습니다"), takes away ("C는 ... 정답이 될 수
  없습니다"), puts another beside ("D도 정답이 될 수 있습니다") or says twice in two ways is none;
* a choice's text alone that the last sentence which names a choice says of its subject ("... 항구 도시는 부산입니다"),
  known by code (:mod:`driftgate.flows.extraction._in_words`) because choices are no rule;
* a first line that goes through the choices ("A, C, D는 모두 올바른", "A는 ... 탈락") is no answer: the rest is
  read;
* a letter with a sentence beside it that speaks of its own choice alone ("②. ... 가격에 해당합니다");
* spoken endings ("A지!", "2번!"), "B가 가장 알맞습니다", "D가 가장 적절하다고 생각합니다";
* a choice under a condition ("-라면 B, -라면 C") or one that was only thought of ("B로 할까 했습니다만") is not seen
  at all (:mod:`driftgate.flows.extraction._supposed`), so what is said without a condition is the answer;
* "A로 확정하겠습니다", "B보다는 C가 정확한 답", "A만 남습니다", "D가 답이 됩니다", "[정답] B".
"""

from __future__ import annotations

from driftgate.flows.extraction._rule_set import Form, Place, RuleSet
from driftgate.flows.extraction.ko_v2 import KO_V2
from driftgate.flows.extraction.ko_v3_words import ADDED, CHANGED, FIT, SPOKEN

_OVER = r"{CELL}{CLOSING}번?(?:보다는?|(?:이|가)?\s?아닌|(?:이|가)?\s?아니라|말고|대신)\s"
"""A choice that another is preferred to."""

_RIGHT = (
    # "B가 가장 알맞습니다": what fits best is one, whatever is said of the others.
    Place(
        "fits",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:(?:보기|선택지|선지|설명)\s?)?(?:이|가)\s?(?:(?:보기|선택지|이|넷"
            r"|다섯)\s?중(?:에서?)?\s)?(?:가장|제일)\s"
            r"(?:[^\s.,]{1,10}\s){0,2}?" + FIT
        ),
        "agree",
        needs=("가장", "제일"),
        after_echo=False,
    ),
    Place(
        "right",
        r"(?P<said>{CELL}){CLOSING}번?\s?(?:(?:보기|선택지|선지|설명|쪽)\s?)?(?:이|가)\s?(?:더\s)?" + FIT,
        "sole",
        needs=("알맞", "적절", "적합", "적당", "타당", "정확", "올바", "옳", "맞", "합당", "합리", "가깝", "가까"),
        after_echo=False,
    ),
)

_BELIEVED = (
    Place(
        "believed",
        (
            r"(?P<said>{CELL}){CLOSING}번?(?:일|이\s?정답일|가\s?정답일|이\s?답일|가\s?답일)\s?(?:가능성"
            r"|확률)이\s(?:가장\s|더\s|제일\s|매우\s)?(?:높|큽|크|커)"
            r"|(?P<said_not>{CELL}){CLOSING}번?(?:이|가)?\s?(?:정답이\s|답이\s)?아닐까\s?(?:싶|생각|합니다|해요|하고)"
            r"|(?P<said_en>(?<=\b[Ii]t must be )[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z])"
            r"|(?<=\b[Ii]t has to be )[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z]))"
        ),
        "sole",
        needs=("가능성", "확률", "아닐까", "be "),
        after_echo=False,
    ),
    # "틀린 건 B예요"
    Place(
        "which_is",
        r"(?:옳|맞|알맞|적절|적합|올바|바른|틀린|잘못|아닌|먼|다른|해당|속하)[가-힣 ]{0,12}(?:건"
        r"|게)\s(?:바로\s)?{SAID}",
        "agree",
        needs=("건", "게"),
        after_echo=False,
    ),
    Place(
        "chosen",
        (
            r"(?P<said>{CELL}){CLOSING}번?(?:이|가)\s?(?:정답|답)(?:이지|이죠|이네|이야|이예요|이거든|이잖"
            r"|이\s?(?:됩니다|된다|돼요|되겠|맞습니다|맞아요)"
            r"|으로\s(?:보(?:입니다|인다|여요|임)|생각(?:됩니다|합니다|해요)|판단(?:됩니다|합니다)))"
        ),
        "agree",
        needs=("답이", "답으로"),
        after_echo=False,
    ),
    Place(
        "chosen",
        r"(?P<said>{CELL}){CLOSING}번?(?:을|를|으?로)?\s(?:고를게|고르겠|고를래|선택할게|택할게|택하겠|찍을게|찍겠"
        r"|갈게|가겠|정할게|정하겠)",
        "agree",
        needs=("게", "겠", "래"),
        after_echo=False,
    ),
)

# One letter over another, what is left, what it comes down to.
_SETTLED = (
    Place(
        "chosen",
        (
            r"(?<![을를]\s)(?P<said>{CELL}){CLOSING}번?으?로\s(?:최종\s)?(?:확정|결정(?:하|합|했)|답(?:하|합|할)|제출|마무리|하겠(?:습"
            r"|다)|할게)(?!지|하지|하기|하려|할까|할\s?뻔)"
        ),
        needs=("확정", "결정", "답", "제출", "마무리", "하겠", "할게"),
        after_echo=False,
    ),
    Place(
        "chosen",
        (
            r"(?<!면\s)(?P<said>{CELL}){CLOSING}번?만(?:이)?\s(?:남(?:습|는|게|아|으므로|으니|네|죠)"
            r"|(?:정답|답)(?:입니다|이다|이에요|이\s?됩니다|이\s?된다))"
            rf"|{_OVER}(?P<said_over>{{CELL}}){{CLOSING}}번?(?:이|가)\s(?:더\s|가장\s)?"
            rf"(?:(?:(?!틀린|잘못|엉뚱)[가-힣]{{1,4}}\s)?(?:정답|답)(?!{{SEEMS}})|{FIT})"
        ),
        "agree",
        needs=("만 ", "만이 ", "보다", "아닌", "아니라", "말고", "대신"),
        after_echo=False,
    ),
    # "맞는 표기는 ‘A’입니다", "필요조건이 '아닌' 것은 C입니다"
    Place(
        "which_is",
        (
            r"(?:옳|맞|알맞|적절|적합|올바|바른|틀린|잘못|아닌|먼|다른|해당|속하)[가-힣 ]{0,12}"
            r"(?:표기|표현|용어|개념|항목|조건|사례|문항)[은는]\s*{SAID}"
            r"|['\"‘“](?:아닌|틀린|옳지\s?않은|잘못된|다른|먼)['\"’”]\s?(?:것|설명|보기|선택지|내용)[은는]\s*"
            r"(?=(?P<said_marked>[^\n]{1,400}))"
        ),
        "agree",
        after_echo=False,
    ),
)

_BRACKETED = Place(
    "declared",
    (
        r"(?:\A|\n)[ \t*]{0,4}[\[【<(]\s?(?:최종\s?)?(?:정답|해답|답)\s?[\]】>)][ \t*]{0,4}"
        r"(?=(?P<said>[^\n\s:=→-][^\n]{0,400}))"
    ),
    needs=("답",),
    after_echo=False,
)
"""The head in brackets and the answer beside it: "[정답] B"."""

_CLOSES = (
    # Said of what was asked, whatever was said of others before: "오줌을 만드는 곳은 B입니다".
    Place(
        "closes",
        rf"[가-힣](?:는|은|운|한|된|인|던|른)\s(?:곳|사람|인물|기관|나라|도시|지역|계층|현상|작품|학자|왕)[은는]\s"
        rf"[(\[*]{{0,3}}(?P<said>{{CELL}}){{CLOSING}}번?(?=\s?(?:{SPOKEN}[)*]{{0,3}}[.!~]*(?:\s|\Z)|이고|이며))"
        r"(?![\s\S]{0,400}(?:하지만|그러나|그런데|그렇지만|반면|다만))",
        "agree",
        after_echo=False,
    ),
    # "... 이므로 A를 투여해야 합니다."
    Place(
        "closes",
        r"(?:므로|니까|으니|라서|때문에|따라서|그러므로|그래서),?\s[(\[*]{0,3}(?P<said>{CELL}){CLOSING}번?[을를]\s"
        r"[가-힣]{1,5}(?:해야|하여야|써야)\s?(?:합니다|한다|해요)[.!]*\s*\Z",
        "sole",
        needs=("야",),
        after_echo=False,
    ),
    # "... 니까 A지!", "... 이므로 2번!", "사람은 C 에릭슨입니다."
    Place(
        "closes",
        (
            r"(?:(?:므로|니까|으니|라서|어서|아서|해서|때문에|따라서|그러므로|그래서|그럼|결국|즉|역시|정답|바로"
            r"|아마|(?:고르|꼽|선택하|택하)(?:자면|라면|면)),?\s)"
            rf"(?P<said>{{CELL}}{{CLOSING}}(?=번?\s?{SPOKEN}[)*]{{0,3}}(?:[.!~…,]|\s*\n|\s*\Z)|번?[.!~…]+\s*\Z))"
            rf"|(?:[가-힣][은는]|므로|니까|으니|라서|어서|아서"
            rf"|때문에),?\s(?=[(\[*]{{0,3}}"
            rf"(?P<said_own>{{CELL}}{{CLOSING}},?\s?[^\n.!?]{{1,60}}){SPOKEN}[)*]{{0,3}}[.!~]*\s*\Z)"
        ),
        "agree",
        after_echo=False,
    ),
    Place(
        "closes",
        rf"[가-힣][은는]\s[(\[*]{{0,3}}(?P<said>{{CELL}}){{CLOSING}}번?(?=\s?{SPOKEN}[)*]{{0,3}}[.!~]*\s*\Z)",
        "sole",
        after_echo=False,
    ),
    # A short reply's last words: "당연히 3번이죠", "이건 D야".
    Place(
        "closes",
        rf"\A[^\n.?]{{0,24}}?(?<![^\s(\[*\"'])(?P<said>{{CELL}}){{CLOSING}}번?"
        rf"(?=\s?{SPOKEN}[)*]{{0,3}}(?:[\s.!?~…^\u110f\u1112]*\Z|[.!~]+\s))",
        "sole",
        after_echo=False,
    ),
)  # fmt: skip

_NEITHER = Place(
    "declared",
    r"(?:{CELL}{CLOSING}번?(?:도|,)\s?){1,9}(?:(?:모두|다|둘\s다)\s)?(?:아닌|아니라|아니고)\s(?:바로\s)?(?P<said>{CELL})"
    r"(?!{CLOSING}번?(?:도|은|는|이|가)\s?(?:아니|아닙|아닌))",
    needs=("아닌", "아니"),
    after_echo=False,
)
"""What is told from several others: "정답은 A도 B도 아닌 C입니다"."""

_PLAINLY = (
    # "A 말고 C요", "It's not A but C.", "changing my answer to E"
    Place(
        "declared",
        (
            r"{CELL}{CLOSING}번?\s?말고\s(?P<said>{CELL}){CLOSING}번?(?=\s?(?:이?요|입니다|예요|이에요)?[.!~]*\s*\Z)"
            r"|\bnot\s(?:[Oo]ption\s)?[A-J],?\sbut\s(?:[Oo]ption\s)?(?P<said_en>[A-J](?![A-Za-z0-9'’]))"
            r"|\b(?:chang|switch|updat|revis)(?:e|ing)\s(?:my\s)?(?:final\s)?(?:answer|choice)\sto\s(?P<said_to>[A-J](?![A-Za-z0-9'’]))"
        ),
        needs=("말고", "but", "to"),
        after_echo=False,
    ),
    # "C를 골랐습니다. ...", "저라면 E를 고르겠어요", "그러므로 4번을 고른다"
    Place(
        "chosen",
        (
            r"(?:\A|(?:그러므로|따라서|그래서|결국|즉|저라면|저는|나라면|나는),?\s)[(\[*]{0,3}(?P<said>{CELL}){CLOSING}번?[을를]\s"
            r"(?:고르겠|고른다|고릅니다|골랐|선택(?:합니다|한다|했|하겠)|택(?:합니다|한다|했|하겠)|찍겠|찍었)"
            r"|(?:생각했|보았|봤|착각했|골랐|했)(?:으나|지만|는데)[^\n.]{0,80}?(?P<said_then>{CELL}){CLOSING}번?(?:이|가)\s(?:맞|옳|정답|답)"
        ),
        needs=("고르", "고른", "고릅", "골랐", "선택", "택", "찍", "으나", "지만", "는데"),
        after_echo=False,
    ),
    # "남는 것은 B", "맞는 것은 B 하나입니다", "답은 보기 가운데 C에 해당합니다", "∴ D", "답 ➡ C"
    Place(
        "which_is",
        (
            r"남는\s?(?:것|건|보기|선택지|답)(?:은|는)?\s(?P<said>{CELL})"
            r"|(?:맞는|옳은|정답인|해당하는|알맞은)\s?(?:것|보기|건|선택지)[은는]?\s(?P<said_one>{CELL}){CLOSING}번?\s(?:하나|뿐|밖에)"
            r"|(?:정답|(?<![가-힣])답)[은는이]\s[^\n.]{0,24}?(?P<said_of>{CELL}){CLOSING}번?에\s?해당(?:합니다|한다|해요|됩니다)"
            r"|∴\s?(?P<said_so>{CELL}){CLOSING}(?=[.\s]*\Z)|{HEAD_KO}\s?(?:➡️?|➜|⟶|»)\s?(?P<said_arrow>{CELL})"
        ),
        needs=("남는", "하나", "뿐", "밖에", "해당", "∴", "➡", "➜", "⟶", "»"),
        after_echo=False,
    ),
    # "흔히 B로 착각하지만 실제로는 A이다.", "모르겠지만 찍자면 E!", "마지막 것, 곧 E가 되겠습니다"
    Place(
        "closes",
        (
            r"(?:실제로는?|실은|사실은|찍자면|찍는다면|굳이\s고르자면|굳이\s고른다면),?\s(?P<said>{CELL}){CLOSING}"
            rf"(?=번?(?:\s?{SPOKEN})?[)*]{{0,3}}[.!~…]*\s*\Z)"
            r"|(?P<said_will>{CELL}){CLOSING}번?(?:이|가)\s(?:되겠습니다|되겠네요|되겠어요)[.!~]*\s*\Z"
        ),
        needs=("실제", "실은", "사실은", "찍", "굳이", "되겠"),
        after_echo=False,
    ),
)

_SMALL = Form(
    "letter",
    r"{OPEN}(?P<letter>[a-j])(?![a-z]|['’.][a-z])(?=[)\].:]{0,2}\s?(?:번|입니다|이다|이에요|예요|에요|이고)"
    r"|[)\].:]{1,2}\s){CLOSE}",
)
"""A small letter with more behind it; the reader takes it with its own choice's text or with an ending alone."""

IN_WORDS = Place("in_words", "", "agree", after_echo=False)
"""A choice's text alone, said of the subject: found by :mod:`driftgate.flows.extraction._in_words`, no pattern."""

_DENIED = (
    Place(
        "denied",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:은|는|이|가|도)\s(?:(?!{CELL}|나머지|다른)[^\n.]){0,60}?(?:정답"
            r"|(?<![가-힣])답)(?:이|은|으로)?\s?"
            r"(?:일\s수\s?(?:는\s)?없|(?:이?라고\s)?(?:될|할|볼|말할|생각할)\s?수\s?(?:는\s?)?없|(?:이?라고\s)?(?:하기"
            r"|보기)\s?(?:에?는?\s)?(?:어렵|힘들)|아니|아닙|아님|아닌\s것|맞지\s?않)"
            r"|(?P<said_is_not>{CELL}){CLOSING}번?(?:이|가)\s(?:아님|아닙니다|아니다|아니네|아니에요|아닌데)"
            r"|(?:정답|(?<![가-힣])답)[은는:]?\s?(?P<said_head>{CELL}){CLOSING}번?[은는이가]?\s?(?:아닙|아님"
            r"|아니(?!라|고|며|면)|아닌\s?(?:것|듯))"
            r"|(?:잠깐|잠시만|앗|(?<![가-힣])아니(?:요|다|야)?"
            r"|다시\s[가-힣]{1,4})[,.!…]?\s(?:[가-힣]{1,5}\s){0,3}(?P<said_again>{CELL}){CLOSING}번?[은는이가]\s"
            r"(?:(?!{CELL})[^\n.]){0,40}?(?:맞지\s?않|아닙|아니네|아니에|틀렸|틀린|틀리|옳지\s?않|부적절"
            r"|해당하지\s?않|어긋)"
            r"|(?P<said_seems>{CELL}){CLOSING}번?(?:도\s(?:아니|아닙|아닌)|\s?(?:은|는|이|가|도)?\s?(?:아닌\s?(?:것"
            r"|듯|거)|아닐\s?(?:것|수도"
            r"|거|듯)|아니었|틀린\s?(?:것|듯|거)\s?같"
            r"|(?:잘못|틀리게)\s?(?:고른|골랐|선택|판단|답)))"
        ),
        take="agree",
        needs=("답", "아닌", "아닐", "아니", "아님", "아닙", "틀린", "잘못", "틀리게"),
    ),
    # Another is as right: "D도 정답이 될 수 있습니다".
    Place(
        "rival",
        (
            r"(?P<said>{CELL}){CLOSING}번?(?:도|\s?또한|\s?역시)\s(?:(?!{CELL})[^\n.]){0,30}?"
            r"(?:(?:정답|(?<![가-힣])답)(?:이|으로|일)?\s?(?:될\s?수\s?있(?!지만|으나|는데)|가능"
            r"|볼\s?수\s?있(?!지만|으나|는데)|수\s?있(?!지만|으나|는데)|수도\s?있(?!지만|으나|는데)|입니다|인정|맞)"
            r"|맞을\s?수\s?(?:도\s)?있(?!지만|으나|는데)|맞는\s?(?:것|듯)\s?같|가능(?:합니다|하다|해\s?보))"
            r"|(?P<said_may>{CELL}){CLOSING}번?(?:이|가)?\s?(?:(?:정답|답)?일|이\s?될)\s?(?:수도?"
            r"|가능성도)\s?있(?!지만|으나|는데)"
        ),
        take="agree",
        needs=("도", "또한", "역시", "답", "있"),
    ),
)


def _instead(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """The places of ko-v2 with those of ko-v3 beside them."""
    found: list[Place] = []
    for place in places:
        if place.name == "believed":  # before what needs a sole letter in a looser way
            found += (*_SETTLED, *_RIGHT, *_BELIEVED)
        if place.name == "declared":
            found.append(_NEITHER)
        if place.name == "announced":
            found += (_BRACKETED, *_PLAINLY)
        found.append(place)
    return (*found, *_CLOSES, IN_WORDS)


KO_V3 = RuleSet(
    name="ko-v3",
    places=_instead(KO_V2.places),
    forms=(*KO_V2.forms, _SMALL),
    words=(*ADDED, *((name, CHANGED.get(name, pattern)) for name, pattern in KO_V2.words)),
    reader=3,
    later=(*KO_V2.later, _NEITHER, *_SETTLED[:2], _BRACKETED, _RIGHT[0], *_DENIED),
)
