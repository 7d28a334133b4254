r"""The rule set ``ko-v2``: ``ko-v1``, read to its end.

Beside what ``ko-v1`` reads, it takes a chat template's tokens and what was struck out off the reply, understands an
answer some lines below the words that announce it, reads the answer behind the repetition of its own question (known
by all its choices), and looks at what the reply says *behind* its first answer (``later``):

* ``take="last"``: a statement that settles the question ("정답은 C", "가장 가까운 것은 B"); the last one counts;
* ``take="agree"``: a statement that may settle it or explain ("옳지 않은 것은 B"); another letter there takes the
  answer away;
* ``take="sole"``: so it is only where the reply speaks of no third letter ("B가 맞습니다" may explain why A is wrong).

Behind words that correct ("아니, 정정합니다", "Wait") every such statement settles the question.
"""

from __future__ import annotations

from dataclasses import replace

from driftgate.flows.extraction._rule_set import Place, RuleSet
from driftgate.flows.extraction.ko_v1 import FORMS, PLACES, WORDS

_CHANGED = {
    "COPULA": (
        r"\s?(?:입니다|이다|이에요|예요|이야|임(?![가-힣])|라고\s?생각|인\s?것\s?같|요(?![가-힣])|选项|です|だ(?![가-힣]))"
    ),
    "CELL": (
        r"(?=[A-J\ue001-\ue00a1-9])(?:(?<![^\W_])(?<!['’°.+/\-])[A-J](?![A-Za-z0-9+#=^]|_(?!_?[\s.,:가-힣])|['’][A-Za-z])|{CIRCLED}"
        r"|(?<![\d.,-])(?:10|[1-9])번)"
    ),
    # Beside what ko-v1 knows: LaTeX's \\( \\), ticks and hands, a checked box.
    "OPEN": (
        r"(?:\[[xX]\]|[\s*_`\"'“”‘’「『《〈\[({<:=>→⇒#|$☞☛👉✅✔✓☑➡▶►▷●•◆■]"
        r"|\.{2,3}|[-–—]\s|\\[(\[]|\\(?:text|textbf|mathbf|mathrm|boldsymbol|fbox)\b"
        r"|(?:네\s?(?:개|가지)의?\s)?(?:보기|선택지)\s?중(?:에서?)?(?![가-힣])"
        r"|(?:보기|선택지|선지|옵션|알파벳|기호|번호|바로|아마도?)(?![가-힣])"
        r"|\b(?:[Oo]ption|[Cc]hoice|[Ll]etter)\b)*+"
    ),
    "CLOSE": r"(?:[*_`\"'“”‘’」』》〉\])}>$]|\s?[✅✔✓☑|]|\\[)\]]|번|항(?![가-힣]))*+",
    # "A와 B 중에서 B": two letters are among which one is chosen.
    "AMONG": (
        r"[A-J](?:,\s?[A-J]){2,9}\s?중(?:에서?|의)?\s*(?=\S)|[A-J]\s?(?:와|과|또는|,)\s?[A-J]\s?중(?:에서?|의)?\s*(?=\S)"
    ),
    "EXPLAINS": (
        r"\s*[-–—:.,(]\s*(?:왜냐|이유|설명|해설|풀이|따라서|그\s?이유|주어진|제시된|확신|신뢰도|[Cc]onfidence\b"
        r"|because\b|since\b|as\b|for\b|due\b|based\b|given\b|according\b|note\b|which\b|explanation\b|reason"
        r"|the\s|this\s|that\s|it\s)|\s+(?:왜냐|because\b|since\b)"
    ),
    # Not "I think".
    "LONE_LETTER": r"(?<![A-Za-z0-9'’°_])(?!I\s[a-z])[A-J](?![A-Za-z0-9'’_])",
    "HEAD_KO": (
        r"(?:정답|해답|최종답|(?<![가-힣])답|(?:최종|제|내|나의|저의)\s?(?:선택|결론)"
        r"|(?<![가-힣])(?:결론(?=은|\s?:)|최종(?=\s?:)))(?:안|변)?"
    ),
    "HEAD_EN": (
        r"\b(?:(?:answer|ans|choice|option|pick|selection|conclusion|verdict)\b"
        r"(?:\s(?:here|(?:in|for|to)\sth(?:is|e)\s[a-z]{1,12}))?|final(?=\s?:))"
    ),
}

_ADDED = (
    # --- a chat template's tokens ---
    # "<|im_start|>assistant", "<|start_header_id|>assistant<|end_header_id|>", "<start_of_turn>model", "[|assistant|]"
    (
        "TURN_OPENS",
        (
            r"(?i)\A(?:\s*(?:<\|(?:im_start|start|start_header_id|begin_of_text|startoftext|assistant|channel|message"
            r"|end_header_id|start_of_role|end_of_role|header_start|header_end|bos|bot|beginoftext"
            r"|START_OF_TURN_TOKEN|CHATBOT_TOKEN|START_RESPONSE)\|>"
            r"|<\|?(?:start_of_turn|bos|s)\|?>|<s>|\[\|?assistant\|?\]|\[/INST\]"
            r"|(?<=>)\s*(?:assistant|model|final)\b|assistant(?=\s*[:\n])|model(?=\s*\n)))+\s*:?"
        ),
    ),
    # Where the reply ends, and another turn may begin; also cut short ("B<|im_e").
    (
        "TURN_ENDS",
        (
            r"(?i)<\|(?:im_end|im_start|end|eot_id|eom_id|endoftext|end_of_text|end_of_turn|eot|eos|return|call|user"
            r"|system|endofturn|end_of_sentence|start_header_id|start|header_start|start_of_role|im_sep|eom|fim_pad"
            r"|end▁of▁sentence|END_OF_TURN_TOKEN|END_RESPONSE)\|>"
            r"|<end_of_turn>|<start_of_turn>|<eos>|<eot>|<pad>|\[\|?endofturn\|?\]|\[\|user\|\]|\[INST\]"
            r"|</(?:final_?)?(?:answer|response|output)>\s*\Z|</s>(?=\s*(?:\Z|<|\[|\n))|<\|[a-z_▁]{0,20}\|?\Z"
        ),
    ),
    # gpt-oss: what it thinks aloud and what it says are channels.
    ("TURN_FINAL", r"(?is)\A.*<\|channel\|>\s*final\s*<\|message\|>"),
    ("TURN_ASIDE", r"(?i)<\|channel\|>\s*(?:analysis|commentary)\b"),
    ("STRUCK", r"~~[^~\n]{1,80}~~|(?i:<(s|del|strike)>[^<\n]{1,80}</\1>)"),
    # Thinking aloud between other marks than <think>.
    ("THOUGHT", r"(?is)\A.*(?:\[/THINK\]|◁/think▷|</(?:thoughts?|reasoning|reflection|analysis|scratchpad)>)"),
    ("THINKS", r"(?i)\A\s*(?:\[THINK\]|◁think▷|<(?:thoughts?|reasoning|reflection|analysis|scratchpad)>)"),
    ("FENCED", r"(?s)\A```[a-zA-Z]{0,12}\n(?P<inside>[^`]*?)\n?```\Z"),
    # --- taking back ---
    (
        "CORRECTS",
        (
            r"다시\s?(?:생각|보[니면았]|봤|봐|살펴|확인|검토|계산|읽|따져|풀)|재검토|정정|수정(?:하|합)|고쳐|바로잡|번복"
            r"|수정\s?:|실제로|사실은?(?=[\s,])|(?<![가-힣])아니(?:요|다|야)?(?=[,.!])|아닙니다[,.]|착각(?:했|하였)"
            r"|잘못\s?(?:보았|봤|보고|읽|계산(?:했|하였)|생각(?:했|하였)|골랐)"
            r"|라고\s?(?:생각했|생각하였|보았|봤)[가-힣]{0,4}(?:나|지만|는데)|줄\s?알았(?:으나|지만|는데)|실수(?:했|로|였|입)"
            r"|\b(?:[Ww]ait|WAIT|[Aa]ctually|[Cc]orrection|[Oo]n second thought|[Ss]orry|[Oo]ops|[Mm]y mistake"
            r"|[Rr]econsider|[Ll]et me re|[Ss]cratch that|[Oo]n reflection"
            r"|[Rr]evis(?:ed|ing)|(?:EDIT|Edit|UPDATE|Update)(?=\s?:))"
        ),
    ),
    # Whose choice it is, and which: "많은 학생이 B를 선택한다", "두 번째로 적절한 것은 C". And what is only supposed.
    (
        "OTHERS",
        (
            r"(?i)(?:학생|사람|수험생|응답자|이들|분들|\bpeople\b|\bstudents?\b|\bmany\b|\bsome\b)[^\n.]{0,20}\Z"
            r"|(?:번째로|다음으로|차선으로|쉬운|헷갈리는)\s?[^\n.]{0,14}\Z"
        ),
    ),
    ("SUPPOSED", r"(?:만약|만일)[^.\n]{0,120}\Z"),
    ("SUPPOSED_IF", r"(?i)\bif\b[^.\n]{0,120}\Z"),
    # Not said of the reply itself: "B가 정답이라고 생각할 수 있지만", "B가 정답이라면".
    (
        "SEEMS",
        (
            r"(?:으로\s?(?!선택(?!하기)|고르(?!기)|고릅|골라|골랐|제출|하겠|합니다|봅니다|판단|생각(?!하기)|택)"
            r"|이?라\s?(?:생각하기|고르기|선택하기|착각|오해)"
            r"|이?라고\s?(?:고르기|생각하기|생각할\s?수|착각|오해|볼\s?수도)"
            r"|처럼|일\s?(?:수도|것\s?같지)|이?라면"
            r"|이려면|이\s?되려면|이\s?될\s?수|이\s?아|이\s?없|은|률|지|인)"
        ),
    ),
)

_STEPS = r"(?:\s{0,8}:)?[*_`\s]{0,8}"  # the answer may stand some lines below the words that announce it

# fmt: off
_HEADS = (
    "답", "선택", "결론", "최종", "ans", "choice", "option", "pick", "selection", "conclusion", "verdict", "final",
    "答案", "正解", "解答", "respuesta", "réponse", "antwort", "resposta", "risposta", "ответ", "đáp án", "jawaban",
    "الإجابة", "الجواب", "उत्तर",
)
# fmt: on

_DECLARED = Place(
    "declared",
    (
        r"{HEAD_KO}{MARK}{PAREN}{MARK}(?:(?:번호|기호|선택지|보기)\s?)?"
        r"(?:(?:은|는|이(?![가-힣])|:|=|→|⇒|->|-\s|\|\s)"
        + _STEPS
        + r"|[ \t](?=[(\[*]{0,3}(?:[A-J](?:[)\].*번]|입니다|\s*$)|{CIRCLED}|[1-9]번)))\s*{SAID}"
        r"|(?i:{HEAD_EN}{MARK}{PAREN}{MARK}(?:(?:is|was|would be|should be|must be|will be)(?![a-z])|:|=|→|[-–]\s)"
        + _STEPS
        + r"\s*)(?=(?P<said_en>[^\n]{1,400}))"
        r"|(?:(?:正确)?答案|正解|解答|[Rr]espuesta|[Rr]éponse|[Aa]ntwort|[Rr]esposta|[Rr]isposta|[Оо]твет|[Đđ]áp án"
        r"|[Jj]awaban(?:nya)?|الإجابة|الجواب|उत्तर)(?:\s(?:correcta|correcte|correta|corretta|đúng|الصحيحة))?{MARK}"
        r"(?:是|为|為|は|:|=|es\b|est\b|ist\b|lautet\b|è|é|là\b|adalah\b|هي|هو|है)"
        + _STEPS
        + r"\s*(?=(?P<said_other>[^\n]{1,400}))"
        r"|(?:(?<=\n)|\A)[\s*#>-]{0,6}(?:최종\s)?선택{MARK}:[*_\s]{0,8}(?=(?P<said_choice>[^\n]{1,400}))"
    ),
    needs=_HEADS,
    after_echo=False,
)

_CHOSEN = Place(
    "chosen",
    (
        # "답을 C로 수정합니다", "B를 답으로 하겠습니다", "B. 부산이 정답입니다"
        r"(?:정답|답|선택)을\s(?P<said_to>{CELL}){CLOSING}번?(?:으?로)\s?(?:수정|변경|정정|바꾸|바꿉|고치|고칩|하겠|합니다)"
        r"|(?P<said_as>{CELL}){CLOSING}번?[을를]\s(?:정답|답)으로\s?(?:하|선택|제출|고릅|고르겠)"
        r"|(?P<said_own>{CELL}[.):]\s?[^\n.,:]{1,40}?)(?:이|가)\s?정답(?!{SEEMS})|"
        r"(?P<said>{CELL}){CLOSING}번?\s?(?:이|가|은|는|을|를|로|으로)?\s?(?:가장\s)?"
        r"(?:정답(?!{SEEMS})|(?<![가-힣])답(?:입니다|이다|이라(?!고|면)|이에요|이고|\.|\Z)"
        r"|(?:선택|고르|고릅|골라|골랐|택하|택합|꼽)(?!지|하지|할\s?수\s?없|하면|한다면|하기\s?쉽|한\s(?:이유|경우|사람)))"
        r"|(?:\b[Ii](?:['’](?:d|ll)|\s(?:would|will))?|\b[Ww]e|\b[Ll]et['’]s|\b[Mm]y)\s"
        r"(?:pick|choose|select|go\swith|answer|vote\sfor|guess)\s(?:is\s)?(?:[Oo]ption\s|[Cc]hoice\s|[Aa]nswer\s)?"
        r"[(\"'*`]{0,3}(?P<said_en>[A-J](?![A-Za-z0-9'’+#=^_])[^\n]{0,200})"
        r"|(?P<said_is>(?<![A-Za-z0-9'’°])[A-J]){CLOSING}\s(?:is|would\sbe|must\sbe|seems)\sthe\s"
        r"(?:most\s|only\s)?(?:correct|right|best|appropriate)?\s?(?:answer|choice|option|one)\b"
        r"|(?:应选|故选|我选|选择|選擇|选)\s?:?\s?(?P<said_zh>[A-J](?![A-Za-z0-9]))"
    ),
    "agree",
    needs=(*next(place.needs for place in PLACES if place.name == "chosen"), "选", "選"),
)

_CONCLUDED = Place(
    "concluded",
    (
        r"(?:따라서|그러므로|그래서|결론적으로|결국|최종적으로|\b[Tt]herefore,?|\b[Tt]hus,?|\b[Hh]ence,?|\bSo,?)\s"
        r"[^\n]{0,120}?"
        r"(?P<said>{CELL}){CLOSING}(?:입니다|이다|에\s해당|\sis\sthe\b)"
        r"|(?:따라서|그러므로|결론적으로|결국|\b[Ii]n\s(?:conclusion|summary)|\b[Tt]herefore|\b[Tt]hus|\b[Hh]ence|\b[Ff]inally|\b[Ss]o),?\s"
        r"[(\[*\"']{0,3}(?P<said_bare>{CELL}){CLOSING}[.!]?[ \t]*(?:\n|\Z)"
        r"|\b(?:[Tt]herefore|[Tt]hus|[Hh]ence|[Ss]o),?\s(?:I think\s)?(?:it['’]s|it\s(?:is|must\sbe|has\sto\sbe))\s"
        r"[(\[*\"']{0,3}(?P<said_en>[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z])[^\n]{0,60})"
    ),
    needs=(
        "따라서",
        "그러므로",
        "그래서",
        "결론적으로",
        "결국",
        "최종적으로",
        "therefore",
        "thus",
        "hence",
        "so",
        "conclusion",
        "summary",
        "finally",
    ),
    after_echo=False,
)

_BEST = Place(
    "best",
    (
        r"(?:가장|제일)\s?[가-힣]{1,8}\s?(?:것|답변?|선택지?|옵션|보기|설명|항목|번호|내용|문장|표현|단어)[은는]\s*{SAID}"
        r"|\b(?:best|closest|nearest|most\s[a-z]{1,14}|correct|right)\s(?:one|fit|match|statement|description|alternative)"
        r"\s(?:here\s)?(?:is|would\sbe|must\sbe|seems\sto\sbe)" + _STEPS + r"(?=(?P<said_en>[^\n]{1,400}))"
        r"|(?P<said_fits>{CELL}){CLOSING}\s(?:fits|matches|works)\s(?:best|better)\b"
    ),
    needs=("가장", "제일", "best", "better", "closest", "nearest", "most", "correct", "right"),
    after_echo=False,
)


_BELIEVED = Place(
    "believed",
    (
        r"(?P<said>{CELL}){CLOSING}번?(?:이?라고\s?(?:생각|봅니다|본다|판단)|(?:일|인)\s?(?:것|듯)(?:\s?같|입니다|이다|합니다)"
        r"|(?:으?로)\s?(?:보입니다|보인다|판단|생각))"
        r"|(?=[Ii])\b[Ii]\s(?:think|believe|guess|would\ssay)\s(?:that\s)?(?:it['’]s\s|it\sis\s)?"
        r"[(\[\"'*]{0,3}(?P<said_en>[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z])[^\n]{0,60})"
        r"|\A(?:[Ii]t['’]s|[Ii]t\sis)\s[(\[\"'*]{0,3}(?P<said_it>[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z])[^\n]{0,60})"
    ),
    "sole",
    needs=(
        *("라고", "것 같", "것같", "것입니다", "것이다", "것으로", "것 입니다", "듯", "보입니다", "보인다", "판단"),
        *("로 생각", "로생각", "think", "believe", "guess", "say", "it's", "it’s", "it is"),
    ),
    after_echo=False,
)


def _v1(name: str) -> Place:
    return next(place for place in PLACES if place.name == name)


_ANNOUNCED = replace(
    _v1("announced"),
    pattern=_v1("announced").pattern.replace("다음과", "(?:다음과|아래와)"),
    needs=("다음과", "아래와"),
)

_INSTEAD_OF = {place.name: (place,) for place in (_DECLARED, _ANNOUNCED, _CHOSEN)} | {
    "right": (_v1("right"), _BELIEVED),
    "concluded": (_CONCLUDED, _BEST),
}
_LATER = (
    _DECLARED,
    replace(_CHOSEN, take="last"),
    _CONCLUDED,
    _BEST,
    replace(_v1("heading"), take="last"),
    # Behind a correction alone: "아니, 정정합니다. B입니다.", "Wait, it's C."
    Place(
        "corrected",
        (
            r"(?P<said>{CELL}){CLOSING}번?(?=\s?(?:입니다|이다|이에요|예요|임(?![가-힣])|(?:이|가)\s?(?:더\s?|가장\s)?"
            r"(?:맞|옳|정답(?!{SEEMS})|답|적절|적합|타당|정확|올바)|(?:으?로)\s?(?:정정|수정|변경|바꾸|바꿉|고치|고칩|하겠)"
            r"|[.!]?\s*(?:\n|\Z)|\s(?:is|fits)\s(?:the|correct|right|better|best)\b))"
            r"|(?P<said_own>{CELL}[.):]\s?[^\n.]{1,40}?)(?:입니다|이다)"
            r"|\b(?:it['’]s|it\sis|should\sbe|must\sbe|that['’]s|to)\s[(\[*\"']{0,3}"
            r"(?P<said_en>[A-J](?![A-Za-z0-9'’+#=^_]|\s[a-z])[^\n]{0,60})"
        ),
        take="last",
    ),
    # In the choice's own words, which stand in front: "부산이 정답입니다".
    Place(
        "by_text",
        r"(?P<said>이|가)\s?(?:정답(?!{SEEMS})|(?:옳은|맞는|올바른)\s?답)",
        needs=("정답", "답"),
    ),
    # The choices one below the other, and one of them marked: "B. 부산 - 정답".
    Place(
        "marked",
        r"(?m)^[ \t*-]{0,4}(?P<said>{CELL})[.:)][^\n]{0,80}?(?:[-–—:(→]\s?\(?|✅\s?)정답\)?[*.]{0,3}[ \t]*$",
        needs=("정답",),
    ),
    replace(_v1("which_is"), take="agree"),
    Place("which_is", r"[가-힣]\s(?:것|선택지|보기|옵션|항목|답)[은는]\s*{SAID}", take="agree"),
    # Of the first answer: it is taken away.
    Place(
        "denied",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:은|는|이|가|도)?\s?(?:(?:정답|답)(?:이|은)?\s?(?:아니|아닙|아님|될\s?수\s?없)"
            r"|오답)|\b(?:answer|choice|option)\s(?:is|was)\s(?:not|never)\s(?P<said_en>[A-J](?![A-Za-z0-9]))"
            r"|(?P<said_is>(?<![A-Za-z0-9'’°])[A-J]){CLOSING}\s(?:is|was)(?:\snot|n['’]t)\sthe\s(?:correct\s|right\s)?answer"
        ),
        take="agree",
        needs=("정답", "답", "not", "never"),
    ),
    # The reply's very last words: "... 이므로 B이다."
    Place(
        "ends",
        (
            r"(?:(?:므로|니까|서|면|때문에|즉,?|결과)\s|\A|\n\s{0,4}|[.!?]\s)(?P<said>{CELL}){CLOSING}"
            r"(?:입니다|이다|이에요|예요|임)[.!]?\s*\Z"
        ),
        take="agree",
    ),
    replace(_v1("right"), take="sole"),
    Place(
        "right",
        r"(?P<said>{CELL}){CLOSING}번?(?:이|가)\s더\s(?:맞|옳|적절|적합|정확|타당|올바|낫|나은|가깝)",
        take="agree",
        needs=("더",),
    ),
    Place("right", r"[A-J]보다는?\s(?P<said>{CELL}){CLOSING}번?(?:이|가)", take="sole", needs=("보다",)),
)

# "__B__" is B in bold.
_BOLD = FORMS[0].pattern.replace("0-9_°", "0-9°").replace("|/[", r"|_(?!_?(?:[\s.,:]|\Z))|/[")

KO_V2 = RuleSet(
    name="ko-v2",
    places=tuple(chosen for place in PLACES for chosen in _INSTEAD_OF.get(place.name, (place,))),
    forms=(replace(FORMS[0], pattern=_BOLD), *FORMS[1:]),
    words=tuple((name, _CHANGED.get(name, pattern)) for name, pattern in (*WORDS, *_ADDED)),
    reader=2,
    later=_LATER,
)
