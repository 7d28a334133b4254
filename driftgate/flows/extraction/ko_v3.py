r"""The rule set ``ko-v3``: ``ko-v2``, which also reads words alone and sees what the end leaves open.

Beside what ``ko-v2`` reads:

* an answer that the reply's end leaves open ("어느 것이 맞는지 판단하기 어렵습니다"), takes away ("C는 ... 정답이 될 수
  없습니다"), puts another beside ("D도 정답이 될 수 있습니다") or says twice in two ways is none;
* a choice's text alone that the last sentence which names a choice says of its subject ("... 항구 도시는 부산입니다"),
  known by code (:mod:`driftgate.flows.extraction._in_words`) because choices are no rule;
* a first line that goes through the choices ("A, C, D는 모두 올바른", "A는 ... 탈락") is no answer: the rest is
  read;
* a letter with a sentence beside it that speaks of its own choice alone ("②. ... 가격에 해당합니다");
* spoken endings ("A지!", "2번!"), "B가 가장 알맞습니다", "D가 가장 적절하다고 생각합니다".
"""

from __future__ import annotations

from dataclasses import replace

from driftgate.flows.extraction._rule_set import Form, Place, RuleSet
from driftgate.flows.extraction.ko_v2 import KO_V2

_SPOKEN = (
    r"(?:입니다|이다|이에요|예요|이예요|에요|이야|야|이지요?|지요?|이죠|죠|이네요?|네요?|이?요|임|이?랍니다"
    r"|이?거든요?|이고요"
    r"|이?겠(?:습니다|네요|죠|지요|어요|다)|(?:인|일)\s?(?:듯|것|거)(?:\s?같)?(?:합니다|하다|해요?|습니다|아요?|다"
    r"|입니다|이다|예요|이에요|야)?"
    r"|으?로\s?(?:찍(?:을게요?|을래요?|습니다|겠습니다|었습니다|었어요)|갈게요?|가겠습니다|갑니다|하죠|하자|할래요?"
    r"|정하겠습니다|정할게요?|제출합니다)"
    r"|\s?같(?:습니다|아요?|다|음)"
    r"|이었습니다|였습니다|이었다|였다"
    r"|(?:이?라고|으?로)\s?(?:합니다|한다|해요|하겠습니다|할게요|부릅니다|부른다|불러요|생각합니다|생각해요"
    r"|생각됩니다|봅니다|본다|봐요"
    r"|보입니다|보여요|보인다|판단합니다|판단됩니다|추정됩니다|설명됩니다|정리됩니다|(?:부를|할|볼|설명할"
    r"|말할)\s수\s있(?:습니다|다|어요)))"
    r"(?![가-힣])"
)
"""Endings behind which a sentence ends and that make a noun what is said of the subject."""

_ENDED = r"[\s.!~…*_`\"'”’)\]^\u110f\u1112]*\Z"

_SUBJECT = (
    r"(?:어느|무엇|무슨|뭐가|뭔지|어떤|하나(?:로|를|만)|확답|단언|둘(?!레)|두\s?(?:개|가지|값|보기|선택지|답)|정답"
    r"|(?<![가-힣])답|보기|선택지|선지"
    r"|(?<![가-힣])가운데|(?<![가-힣])중(?:에서?)?\s|최종|[는인일]지(?=[\s,]))"
)
_CANNOT = (
    r"(?:모르겠|알\s?수(?:가|는|도)?\s?없"
    r"|(?:판단|결정|선택|특정|단정|확정|결론|정하|정할|정해|고르|고를|가리|가릴|꼽|드리|말하|말씀|답하|답변"
    r"|확신)[가-힣]{0,6}\s?"
    r"(?:[가-힣]{1,4}\s)?(?:수(?:가|는|도)?\s?없|어렵|어려[워운]|힘들|힘드|못|곤란|애매|않)|헷갈립|헷갈려|애매합"
    r"|힘듭|어려[운울]|(?:판단|결론|답|결정)(?:을|은)?\s?(?:보류|유보|내리지\s못|내릴\s수\s없|내리기\s어렵)|애매해"
    r"|불분명|불명확)[가-힣]{0,8}"
)
"""That somebody does not settle: "하나로 정할 수 없습니다", "판단하기 어렵습니다", "모르겠습니다"."""

_UNSURE = r"(?:분명|확실|명확)(?:하지(?:는|가)?|치)\s?않[가-힣]{0,6}"
"""Said of an answer that stands, too ("확실하지는 않습니다"), so it counts only of which of several it is."""

_FIT = (
    r"(?:알맞|적절|적합|적당|타당|정확|올바|옳|맞|합당|합리적|가깝|가까|유력|바람직|어울|무난|근접|그럴듯|일치|부합)"
    r"(?:습니다|다(?![가-힣])|아요|어요|합니다|하다(?![가-힣])|해요|함(?![가-힣])|릅니다|르다(?![가-힣])|워요|다고"
    r"|하다고|르다고"
    r"|입니다|이다(?![가-힣])|(?:은|는|한|른|운|인)\s?(?:것|거|답|정답|선택|보기|듯)|(?:을|할|를|울|일)\s?(?:것|거"
    r"|듯|테)|지\s?않을까|하지\s?않을까"
    r"|아\s?보|어\s?보|해\s?보|워\s?보)"
)

_GOES_THROUGH = (
    # --- what the end of a reply leaves open; each is searched in one sentence ---
    ("SENTENCE", r"(?:(?<![\s(\[*][A-J])(?<!\A[A-J])(?<!\s\d)(?<!\A\d)[.!?。]+[*_`\"'”’)\]]{0,4}(?=\s|\Z)|\n)\s*"),
    (
        "UNDECIDED",
        (
            rf"{_SUBJECT}[^\n]{{0,60}}?{_CANNOT}{_ENDED}"
            rf"|(?:어느|둘|하나|[는인일]지(?=[\s,]))[^\n]{{0,40}}?{_UNSURE}{_ENDED}"
            r"|\A[^가-힣A-Za-z]*(?:(?:잘|저도|저는|전|솔직히|사실|아직|그래서|그런데|근데|하지만|그렇지만|다만|결국"
            r"|정확히는?|확실히는?|음|역시|아무래도|도무지|여전히|정말|아니(?:요|다|야)?|아)[\s,.]{0,3}){0,5}"
            rf"{_CANNOT}{_ENDED}"
            # Behind the letter itself: "정답은 A라고 단정하기 어렵습니다".
            rf"|\A[)\]*\"'’”]{{0,4}}번?(?:이?라고|으?로|이|가|을|를)\s(?:[가-힣]{{1,5}}\s)?(?:만\s)?{_CANNOT}{_ENDED}"
            r"|\A[)\]*\"'’”]{0,4}번?(?:이?라고|으?로)(?:만|는)?\s(?:볼|할|말할|단정할|생각할)\s수(?:는|가"
            r"|도)?\s없[가-힣]{0,6}" + _ENDED
        ),
    ),
    # Behind the answer's own text: "남해는 ... 정답이 될 수 없습니다".
    (
        "DENIES_IT",
        (
            r"[)\]*_`\"'”’」』]{0,4}[은는이가도]\s(?:(?:[^\n.]{0,60}?\s)?(?:정답|(?<![가-힣])답)(?:이|은"
            r"|으로)?\s?(?:(?:이?라고\s)?(?:될|할|볼|일)\s?수\s?없"
            r"|일\s수\s없|아니(?!라)|아닙|아님|아닌\s?것)|아닌\s?(?:것|듯)\s?같)"
        ),
    ),
    (
        "NO_ANSWER",
        (
            r"(?<!외에\s)(?<!외에는\s)(?:정답|(?<![가-힣])답|(?:맞는|옳은|알맞은|해당하는|적절한|올바른)\s?(?:것"
            r"|보기|선택지|답))[이은는도가]?\s"
            rf"(?:(?:보기|선택지)(?:에|에는|\s중에)?\s)?없(?:습니다|다|어요|음|네요|는\s?것)[가-힣\s]{{0,14}}{_ENDED}"
        ),
    ),
    ("BUT_FOR", r"(?:외에|외의|이외|밖에|말고|나머지|다른\s(?:보기|것|선택지)).{0,20}?(?:없)"),
    (
        "SEEKS_ON",
        (
            r"(?:정답|(?<![가-힣])답|보기|선택지|문제|처음)[^\n]{0,30}다시\s(?:찾|풀|고르|골라|생각|검토|살펴|계산"
            r"|봐)[가-힣\s]{0,12}"
            rf"(?:합니다|한다|해요|하겠습니다|겠습니다|겠다|필요[가-힣]{{1,5}}){_ENDED}"
            rf"|(?:정보|조건|자료|검토|설명)(?:이|가)?\s(?:더\s)?(?:필요|부족)[가-힣]{{1,5}}{_ENDED}"
        ),
    ),
    (
        "BOTH",
        (
            r"(?:둘|두\s?(?:값|개|가지|보기|선택지|답)(?:이|가)?)\s?(?:다|모두)(?:[^\n]{0,16}(?:정답"
            r"|(?<![가-힣])답)(?!이?\s?(?:아니|아닙|아님|될\s?수\s?없))"
            r"|\s?(?:맞|옳|가능하|나올\s수)[^\n]{0,14})[^\n]{0,8}" + _ENDED + r"|(?:모두|전부|다)\s(?:정답"
            r"|답)(?:입니다|이다|이에요|이\s?될|으로)"
        ),
    ),
    ("PLURAL", r"(?:정답|(?<![가-힣])답)[은이]\s?(?:두\s?(?:개|가지)|둘(?!레)|여럿|여러\s?개|복수)"),
    (
        "WITHDRAWN",
        (
            r"(?:위의?|앞의?|앞선|처음(?:의|에)?|제|이전|내|먼저)\s?(?:[가-힣]{1,3}\s)?(?:정답|답|답변|선택"
            r"|판단)[은는이가을를]?\s"
            r"(?:잘못|틀렸|틀린|틀립|오답|취소|철회|옳지|맞지|아닙|아니었|무효)"
            r"|(?<![가-힣])(?:이|위|위의|제|내|방금|이런)\s(?:풀이|계산|추론|판단)[은는이가]\s?(?:틀렸|틀린|잘못)"
            r"|(?<![가-힣])제가\s[^\n]{0,20}잘못\s?(?:말했|답했|골랐|계산했|판단했|생각했|적었)"
        ),
    ),
    (
        "UNDECIDED_EN",
        (
            r"(?i)\b(?:can(?:no|['’])t|can not|unable to|hard to|difficult to|impossible to"
            r"|not possible to)\s(?:\w{1,12}\s)?"
            r"(?:determine|decide|tell|choose|settle|pick|be (?:determined|decided|sure))\b"
            r"|\b(?:not sure|don['’]t know|do not know|unclear|uncertain|undecided)\b[^.\n]{0,12}\b(?:which|what"
            r"|between|whether)\b"
            r"|\bnone of the (?:options|choices|above|answers)\b[^.\n]{0,20}\b(?:is|are|seems?)\b|\b(?:could|may"
            r"|might) be either\b"
            r"|\b(?:both|either) (?:of them |options |answers |choices )?(?:is|are|could be|may be|can be"
            r"|seems?) (?:correct|right|possible)\b"
        ),
    ),
    # The same words twice with another letter and nothing between: "정답: A", "정답: D".
    (
        "TWICE",
        (
            r"\A{OPEN}(?:[A-J]|{CIRCLED}|\d{1,2}번?){CLOSE}\s?(?:입니다|이다|이에요"
            r"|예요)?[\s.,*]*{HEAD_KO}{MARK}(?:은|는|:)?[\s*]*\Z"
        ),
    ),
    # "A... 아니, B입니다", "A → 수정: C": what is meant stands behind.
    (
        "INSTEAD_OF_IT",
        (
            r"\s?(?:입니다|이다|이에요|예요|인가)?[\s.,…?!→\-]*(?:아니(?:요|다|야)?|수정|정정|잠깐"
            r"|앗)(?![가-힣])[\s,.!:…]+"
        ),
    ),
    # --- a first line that goes through the choices ---
    (
        "LISTED",
        (
            r"\A{OPEN}{CELL}{CLOSING}번?(?:\s*(?:,|/|·|및|와|과|그리고"
            r"|,\s?그리고)\s*[(\[*]{0,3}{CELL}{CLOSING}번?){1,8}"
            r"\s?(?:[은는도이가]|모두|전부|둘\s다|다)(?=[\s,])"
        ),
    ),
    (
        "RULED_OUT",
        (
            r"\A(?:\s?[:.)\-–—]|[)\]])?\s?(?!나머지)[^\n.,]{0,60}?(?:탈락|제외|배제|소거|지우|지웁|지운|오답|아웃)"
            r"|\A(?:은|는|이|가|도)\s[^\n.,]{0,60}?(?:아닙니다|아니다|아님|아니고|아니며|아니에요|해당하지\s않"
            r"|될\s?수\s?없|맞지\s않|관계없|관련\s?없|무관)"
        ),
    ),
    (
        "JUDGED",
        (
            r"\A\s?[:.)\]\-–—]{0,2}\s?(?:은|는)?\s?(?:옳|맞(?:음|다|는|습|아)|틀[리린립렸림]|올바|참(?![가-힣])"
            r"|거짓|적절|부적절|잘못|[○×✗✓✅❌⭕])"
        ),
    ),
    # --- a choice's text as what is said of the subject ---
    (
        "SAID_OF",
        (
            rf"\A[)\]*_`\"'”’」』]{{0,4}}(?:\s?\([^()\n]{{1,20}}\))?(?:{_SPOKEN}"
            r"|(?:이|가)\s?(?:바로\s)?(?:되겠습니다|되겠네요|됩니다|된다|돼요|(?:정답|답)(?:입니다|이다|이에요"
            r"|이지요?|이죠|일\s?것[가-힣]{1,4}|이\s?됩니다|이라고\s?[가-힣]{2,6})"
            r"|맞(?:습니다|다|아요)|옳(?:습니다|다|아요)|(?:가장|제일)\s" + _FIT + r"[가-힣\s]{0,10})"
            r"|(?:을|를)\s?(?:말합니다|말한다|말해요|뜻합니다|뜻한다|의미합니다|의미한다|가리킵니다|가리킨다"
            r"|(?:정답|답)으로\s[가-힣]{2,6}|선택(?:합니다|하겠습니다|했습니다)"
            r"|고르(?:면\s됩니다|겠습니다)|고릅니다|골랐습니다|꼽(?:습니다|을\s수\s있습니다))"
            r"|에\s?해당(?:합니다|한다|해요|됩니다|하겠습니다))" + _ENDED
        ),
    ),
    # The sentence does not say what is asked: "오답은 ...", "이 문제의 주제는 ...", "예를 들면 ...".
    (
        "NOT_ASKED",
        (
            r"(?:참고로|예를\s?들|예컨대|예시|반대로|다음으로|두\s?번째로|일부|경우에"
            r"|(?:많은|대부분의?|다른|몇몇)\s[^\n.]{0,16}(?:사람|학생|수험생|응답자)"
            r"|(?:사람|학생|수험생|응답자)(?:들)?[이은]?\s[^\n.]{0,12}(?:고르|선택|생각|꼽|찍|헷갈))"
        ),
    ),
    # Of its clause alone: "A는 탈락이니까 B" says B.
    (
        "RULES_OUT",
        (
            r"오답|(?:정답|답)[이은]?\s?(?:아닌|아니)|제외|탈락|배제|틀린\s?답|함정|매력적인|주제|단원|분야|출처"
            r"|처음에|이전에|흔히|보통은|얼핏|언뜻"
        ),
    ),
    # Something else is named in one breath: "서울과 부산입니다".
    (
        "JOINED",
        (
            r"(?:[가-힣A-Za-z)](?:와|과|랑|하고|이나|거나)|(?<!그러)(?<=[가-힣])나|및|또는|혹은|아니면|[,·/+~&]"
            r"|\bvs\.?|보다는?)\s*[(\[*_`\"'“‘「『]{0,4}\Z"
        ),
    ),
    (
        "CONCLUDES",
        (
            r"(?:므로|니까|으니|라서|어서|아서|해서|때문에|지만|는데|으나|아니라|아니고|따라서|그러므로|그래서|결국"
            r"|결론적으로|즉|(?<![가-힣])(?:정답은?|답은))[,:]?\s"
        ),
    ),
    ("CONCLUDES_REPLY", r"\A[\s*_#>-]*(?:따라서|그러므로|그래서|결국|결론적으로|즉|최종적으로|종합하면)"),
    ("FINISHED", r"(?:[.!?。~…^]|다|요|음|임|함|죠|지|네|야)[*_`\"'”’)\]\s]*\Z"),
    (
        "AFTER_NOUN",
        r"(?:[은는이가을를의에도와과로만]|으로|에서|에게|까지|부터|보다|처럼|이?라|이?나|이?며|이?고|입니|이다|이에"
        r"|예요|이야|이지|이었|였|일\s|인\s|이므|이니|이기|뿐|밖)",
    ),
    ("PROSE", r"(?:니다|[가-힣]다|[가-힣]요|[가-힣]죠)(?=[.!\s]|\Z)"),
)  # fmt: skip

_CHANGED = {
    "SEEMS": dict(KO_V2.words)["SEEMS"].replace("처럼|", r"처럼|이?라(?:는|고\s?(?:하는|보는|주장하는))|", 1),
    "ANOTHER": (
        dict(KO_V2.words)["ANOTHER"].replace("및|", r"및|이면서|이자|인\s동시에|", 1).replace("혹은|", "혹은|동시에|")
    ),
    "CORRECTS": dict(KO_V2.words)["CORRECTS"] + r"|(?<![가-힣])(?:잠깐|잠시만)(?=[,.!…\s])",
    "COPULA": dict(KO_V2.words)["COPULA"].removesuffix(")")
    + (
        r"|에요|야(?![가-힣])|이?(?:지|지요|죠|네|네요|거든|거든요|랍니다|고요|구나)(?![가-힣])|(?:인|일)\s?(?:듯"
        r"|것|거)|이?겠(?:네|죠|지|습))"
    ),
    "PARTICLE": dict(KO_V2.words)["PARTICLE"].replace(
        "이다|",
        r"이다|에요(?![가-힣])|야(?![가-힣])|이?(?:지|지요|죠|네|네요|거든|거든요|랍니다|고요|구나)(?![가-힣])"
        r"|일\s?(?:거|듯)|인\s?(?:거|듯)|이?겠|",
        1,
    ),
}  # fmt: skip

_RIGHT = (
    # "B가 가장 알맞습니다": what fits best is one, whatever is said of the others.
    Place(
        "fits",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:(?:보기|선택지|선지|설명)\s?)?(?:이|가)\s?(?:(?:보기|선택지|이|넷"
            r"|다섯)\s?중(?:에서?)?\s)?(?:가장|제일)\s"
            r"(?:[^\s.,]{1,10}\s){0,2}?" + _FIT
        ),
        "agree",
        needs=("가장", "제일"),
        after_echo=False,
    ),
    Place(
        "right",
        r"(?P<said>{CELL}){CLOSING}번?\s?(?:(?:보기|선택지|선지|설명|쪽)\s?)?(?:이|가)\s?(?:더\s)?" + _FIT,
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
        r"(?P<said>{CELL}){CLOSING}번?(?:을|를|으?로)?\s(?:고를게|고르겠|고를래|선택할게|택할게|택하겠|찍을게|찍겠"
        r"|갈게|가겠|정할게|정하겠)",
        "agree",
        needs=("게", "겠", "래"),
        after_echo=False,
    ),
)

_CLOSES = (
    # "... 니까 A지!", "... 이므로 2번!", "사람은 C 에릭슨입니다."
    Place(
        "closes",
        (
            r"(?:(?:므로|니까|으니|라서|어서|아서|해서|때문에|따라서|그러므로|그래서|그럼|결국|즉|역시|정답|바로"
            r"|아마|(?:고르|꼽|선택하|택하)(?:자면|라면|면)),?\s)"
            rf"(?P<said>{{CELL}}{{CLOSING}}(?=번?\s?{_SPOKEN}[)*]{{0,3}}(?:[.!~…,]|\s*\n|\s*\Z)|번?[.!~…]+\s*\Z))"
            rf"|(?:[가-힣][은는]|므로|니까|으니|라서|어서|아서"
            rf"|때문에),?\s(?=[(\[*]{{0,3}}"
            rf"(?P<said_own>{{CELL}}{{CLOSING}},?\s?[^\n.!?]{{1,60}}){_SPOKEN}[)*]{{0,3}}[.!~]*\s*\Z)"
        ),
        "agree",
        after_echo=False,
    ),
    Place(
        "closes",
        rf"[가-힣][은는]\s[(\[*]{{0,3}}(?P<said>{{CELL}}){{CLOSING}}번?(?=\s?{_SPOKEN}[)*]{{0,3}}[.!~]*\s*\Z)",
        "sole",
        after_echo=False,
    ),
    # A short reply's last words: "당연히 3번이죠", "이건 D야".
    Place(
        "closes",
        rf"\A[^\n.?]{{0,24}}?(?<![^\s(\[*\"'])(?P<said>{{CELL}}){{CLOSING}}번?"
        rf"(?=\s?{_SPOKEN}[)*]{{0,3}}[\s.!?~…^\u110f\u1112]*\Z)",
        "sole",
        after_echo=False,
    ),
)  # fmt: skip

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
            r"|(?P<said_seems>{CELL}){CLOSING}번?\s?(?:은|는|이|가|도)?\s?(?:아닌\s?(?:것|듯|거)|아닐\s?(?:것|수도"
            r"|거|듯)|아니었|틀린\s?(?:것|듯|거)\s?같"
            r"|(?:잘못|틀리게)\s?(?:고른|골랐|선택|판단|답))"
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
            found += (*_RIGHT, *_BELIEVED)
        found.append(place)
    return (*found, *_CLOSES, IN_WORDS)


KO_V3 = RuleSet(
    name="ko-v3",
    places=_instead(KO_V2.places),
    forms=(*KO_V2.forms, _SMALL),
    words=(*_GOES_THROUGH, *((name, _CHANGED.get(name, pattern)) for name, pattern in KO_V2.words)),
    reader=3,
    later=(*KO_V2.later, replace(_RIGHT[0]), *_DENIED),
)
