"""The rule set ``ko-v1``, as stored runs were read by it: never edited."""

from __future__ import annotations

from driftgate.flows.extraction._rule_set import Form, Place, RuleSet

# Filled in from the top: a macro may use those that stand below it.
WORDS = (
    # --- guards, which the reader asks for by name ---
    ("BARE", r"{OPEN}(?:[A-J]|{CIRCLED}|(?:10|[1-9])\s?번){CLOSE}\s?(?:입니다|이다)?[.!]?\s*\Z"),
    # "A가 아니라", "A는 오답", "A is not": what was just named is not the answer.
    (
        "NEGATED",
        (
            r"\s*(?:이|가|은|는|도)?\s*(?:정답|답|옳은 것|맞는 것)?(?:이|은|는)?\s*"
            r"(?:아니|아닙|아닌|아님|오답|틀린|틀렸|틀립|틀림|제외|배제)"
            r"|\s+(?:is|are|was)\s*(?:not\b|n't|incorrect|wrong)"
        ),
    ),
    # "not A but B": the negation stands in front.
    ("NOT", r"(?:not|isn't|n't)\s+(?=[(\[*]{0,3}[A-J]\b)"),
    # After a negated letter: the way to the one that is meant.
    (
        "INSTEAD",
        r"[^A-J\n\ue001-\ue00a]{0,24}?(?:아니라|아니고|아닌|오답이고|오답이며|틀리고|but|,)\s*(?:(?:정)?답은)?",
    ),
    # "A, B", "A 또는 B", "A and B": more than one choice named in one breath.
    (
        "ANOTHER",
        (
            r"\s*(?:,|/|·|&|~|및|와|과|나|이나|또는|혹은|이거나|이랑|랑|\bor\b|\band\b)\s*(?:또는|혹은|and\b|or\b)?\s*"
            r"[(\[*\"'`]{0,3}(?:[A-J](?![A-Za-z0-9'’+#=^])|{CIRCLED}|[1-9]번)"
        ),
    ),
    (
        "ANOTHER_BEFORE",
        (
            r"(?:[A-J]|{CIRCLED}|번)[)\]*\"'`]{0,3}\s*(?:,|/|·|&|~|및|와|과|또는|혹은|\bor\b|\band\b)\s*"
            r"[(\[*\"'`]{0,3}\Z"
        ),
    ),
    # Another choice's label in running text: "A: 뜨임, B: 풀림" lists the choices, it does not answer.
    ("LABEL", r"(?:^|[\s,;/])[(\[]?([A-J])\s?[:.)\]](?!\w)"),
    # The next line is labelled too: the choices are being listed.
    ("LISTING", r"\A[^\n]*\n\s*[-(\[*]{0,3}([A-J])\s?[:.)\]]"),
    ("BARE_LINE", r"(?m)^[ \t(\[*]*([A-J])[ \t)\].*]*$"),
    ("LONE_LETTER", r"(?<![A-Za-z0-9'’°_])[A-J](?![A-Za-z0-9'’_])"),
    # "A, B, C, D 중에서": names the letters in use.
    ("AMONG", r"[A-J](?:,\s?[A-J]){2,9}\s?중(?:에서?|의)?\s*(?=\S)"),
    # What may follow a letter that was announced ("정답은 B로 보입니다").
    (
        "PARTICLE",
        (
            r"\s?(?:입니다|이다|이며|이고|이에요|예요|이야|임|이라고|라고|이라|이므로|이었|인\s?것|일\s?것|일\s?가능"
            r"|로|으로|가|이|을|를|은|는|도|에\s?해당|이\s?됩니다|가\s?됩니다|뿐|만)(?=[\s.,;:!?)]|\Z|[가-힣])"
        ),
    ),
    # What makes a letter an answer by itself ("B입니다").
    ("COPULA", r"\s?(?:입니다|이다|이에요|예요|이야|임(?![가-힣])|라고\s?생각|인\s?것\s?같|요(?![가-힣]))"),
    # Text after the letter that explains it, so it need not be the choice's own text.
    (
        "EXPLAINS",
        (
            r"\s*[-–—:.,(]\s*(?:왜냐|이유|설명|해설|풀이|따라서|그\s?이유|주어진|제시된|because\b|since\b|as\b|for\b"
            r"|due\b|based\b|given\b|according\b|note\b|which\b|explanation\b|reason|the\s|this\s|that\s|it\s)"
            r"|\s+(?:왜냐|because\b|since\b)"
        ),
    ),
    # What may follow an announced letter in English ("the answer is C as ...", not "is A dog").
    ("CONNECTIVE", r"\s+(?:because|since|as|is|for|due|based|given|with|in|by|according|which|that|but|so|though)\b"),
    # A question that is one of several, by its number: the few-shot examples of the prompt are being answered.
    (
        "NUMBERED",
        (
            r"{QUESTION}\s?#?\d{1,3}(?:\s?번|\s?의|\s?에|은|는|\s?[:.,)\n]|\Z)"
            r"|(?:제\s?\d{1,2}|[첫두세네]\s?번째|\d{1,3}번)\s?(?:질문|문제|문항)"
            r"|(?:\A|\n)[ \t]*\d{1,2}[.)][ \t]*\(?[A-J]\)?[ \t]*\n[ \t]*\d"
            r"|\n[ \t]*\d{1,2}[.)][ \t]*\(?[A-J]\)?[ \t]*(?:\n|\Z)"
        ),
    ),
    # A reply that begins by repeating a question; whose question, cannot be seen from the reply.
    (
        "ECHO",
        (
            r"\s*(?:#{1,6}\s?)?{QUESTION}\s?[:.]|[^\n]{0,300}\?\s*(?:[A-J][:.)\s]|정답|->|→|\\|\n|\Z)"
            r"|[^\n]{0,80}관한\s설명으로\s"
        ),
    ),
    ("NEXT_QUESTION", r"\n[ \t]*(?:#{1,6}\s?)?{QUESTION}\s?\d{0,3}\s?[:.]"),
    # --- parts of patterns ---
    # A choice's letter or number as a place pattern may point at it before a predicate ("B가 정답").
    (
        "CELL",
        (
            r"(?:(?<![A-Za-z0-9가-힣'’°.])[A-J](?![A-Za-z0-9+#=^_]|['’][A-Za-z])|{CIRCLED}"
            r"|(?<![\d.,-])(?:10|[1-9])번)"
        ),
    ),
    ("CLOSING", r"[)\]*\"'`]{0,4}"),
    ("SAID", r"(?=(?P<said>[^\n]{1,400}))"),
    ("HEAD_KO", r"(?:정답|해답|(?<![가-힣])답)(?:안|변)?"),
    ("HEAD_EN", r"\b(?:answer|choice|option|pick|selection)\b"),
    ("PAREN", r"(?:\s?\([^()\n]{0,20}\))?"),
    ("MARK", r"[*_`\s\])】>\"']{0,6}"),
    ("QUESTION", r"(?:질문|문제|문항|Question|Q)\s?(?:\([^()\n]{0,12}\))?"),
    # Before the letter: brackets, quotes, markdown, LaTeX, and nouns for "option". A dash only when it is a bullet.
    (
        "OPEN",
        (
            r"(?:[\s*_`\"'“”‘’「『《〈\[({<:=>→⇒#|$]|[-–—]\s|\\(?:text|textbf|mathbf|mathrm|boldsymbol)\b"
            r"|(?:보기|선택지|선지|옵션|알파벳|기호|번호|바로|아마도?)(?![가-힣])"
            r"|\b(?:[Oo]ption|[Cc]hoice|[Ll]etter)\b)*+"
        ),
    ),
    ("CLOSE", r"(?:[*_`\"'“”‘’」』》〉\])}>$]|번|항(?![가-힣]))*+"),
    ("CIRCLED", "[\ue001-\ue00a]"),
)

# fmt: off
_CHOOSING = (
    "답", "선택", "고르", "고릅", "골라", "골랐", "택하", "택합", "꼽", "pick", "choose", "select", "with", "answer",
    "vote", "guess", "choice", "option",
)
# fmt: on

PLACES = (
    Place(
        "tag",
        r"(?i)<\s?(?:final_?answer|answer|정답|답)\s?>(?P<said>[^<]{1,400})",
        "agree",
        needs=("<",),
        after_numbered=True,
    ),
    Place(
        "json",
        (
            r"(?i)[\"'](?:final_?answer|answer|answer_?letter|choice|label|정답|답|답변)[\"']\s{0,3}:\s{0,3}"
            r"[\"']?(?P<said>[^\"'\n}]{1,300})"
        ),
        "agree",
        needs=('"', "'"),
        after_numbered=True,
    ),
    Place(
        "boxed",
        r"\\boxed\s?\{(?P<said>[^{}\n]{0,60}(?:\{[^{}\n]{0,60}\})?[^{}\n]{0,20})\}",
        needs=("\\boxed",),
        after_numbered=True,
    ),
    Place(
        "heading",
        (
            r"(?m)^[#*\s\[【<(]{0,8}(?:(?:[Ff]inal|FINAL|최종)\s)?(?:ANSWER|[Aa]nswer|정답|해답|답안?)"
            r"[\s*:\])】>]{0,6}\n\s{0,8}{SAID}"
        ),
        needs=("answer", "답"),
        after_numbered=True,
    ),
    Place(
        "declared",
        (
            r"{HEAD_KO}{MARK}{PAREN}{MARK}(?:(?:번호|기호|선택지|보기)\s?)?"
            r"(?:은|는|이(?![가-힣])|:|=|→|⇒|->|-\s|\s(?=[(\[*]{0,3}[A-J](?:[)\].*번]|입니다|\s*$)))\s*{SAID}"
            r"|(?i:{HEAD_EN}{MARK}{PAREN}{MARK}(?:is|was|:|=|→|would be|should be|must be|will be)(?![a-z])\s*)"
            r"(?=(?P<said_en>[^\n]{1,400}))"
        ),
        needs=("답", "answer", "choice", "option", "pick", "selection"),
        after_echo=False,
    ),
    Place(
        "announced",
        r"{HEAD_KO}[은는]?\s다음과\s같[^\n:]{0,10}(?:\n|:)\s{0,8}(?!\d){SAID}",
        headed=False,
        needs=("다음과",),
        after_echo=False,
    ),
    Place("first_line", r"\A{SAID}", headed=False, after_echo=False, after_numbered=True),
    Place(
        "chosen",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:이|가|은|는|을|를|로|으로)?\s?(?:가장\s)?"
            r"(?:정답(?!이?\s?아|은|률|지|인)|(?<![가-힣])답(?:입니다|이다|이라|이에요|이고|\.|\Z)"
            r"|(?:선택|고르|고릅|골라|골랐|택하|택합|꼽)(?!지))"
            r"|(?:\b[Ii](?:['’](?:d|ll)|\s(?:would|will))?|\b[Ww]e|\b[Ll]et['’]s|\b[Mm]y)\s"
            r"(?:pick|choose|select|go\swith|answer|vote\sfor|guess)\s(?:is\s)?(?:[Oo]ption\s|[Cc]hoice\s|[Aa]nswer\s)?"
            r"[(\"'*`]{0,3}(?P<said_en>[A-J](?![A-Za-z0-9'’+#=^_])[^\n]{0,200})"
            r"|(?P<said_is>(?<![A-Za-z0-9'’°])[A-J]){CLOSING}\s(?:is|would\sbe|must\sbe|seems)\sthe\s"
            r"(?:most\s|only\s)?(?:correct|right|best|appropriate)?\s?(?:answer|choice|option)\b"
        ),
        "agree",
        needs=_CHOOSING,
    ),
    Place(
        "right",
        (
            r"(?P<said>{CELL}){CLOSING}번?\s?(?:이|가)?\s?(?:가장\s)?"
            r"(?:맞(?:습니다|다|아요|음|는\s?것)|옳(?:습니다|다|아요|음)|옳은\s?(?:것|답|설명)"
            r"|(?:적절|적합|정확|타당|올바)(?:합니다|하다|함|릅니다|르다|한\s?(?:것|답변?|선택|설명)))(?=[\s.!,]|\Z|입)"
            r"|(?P<said_en>(?<![A-Za-z0-9'’°])[A-J]){CLOSING}\s(?:is|seems)\s(?:the\s)?(?:correct|right|true)\b"
        ),
        "sole",
        needs=("맞", "옳", "적절", "적합", "정확", "타당", "올바", "correct", "right", "true"),
        after_echo=False,
    ),
    Place(
        "which_is",
        (
            r"(?:옳|맞|알맞|적절|적합|올바|바른|틀린|잘못|아닌|먼|다른|해당|속하|부적)[가-힣 ]{0,12}"
            r"(?:것|설명|보기|선택지|내용|문장|단어|선택)[은는]\s*{SAID}"
        ),
        "agree",
        after_echo=False,
    ),
    # Not behind "다음과 같다": a reply cut off there shows the first symbol of a formula or of a list.
    Place(
        "last_line",
        (r"(?:\A|\n)(?![ \t]*\n|[^\n]{0,300}(?:다음과\s같|:[ \t]*\n))[^\n]++\n\s*+(?P<said>[^\n]{1,16})\Z"),
        headed=False,
        bare=True,
        after_echo=False,
    ),
    Place(
        "arrow",
        r"(?<![A-J])(?<![A-J]\s)(?:→|⇒|->|=>)\s?(?P<said>[^\n→⇒>]{1,60})\Z",
        "sole",
        needs=("→", "⇒", "->", "=>"),
        after_echo=False,
    ),
    Place("in_brackets", r"\A[^\n]{1,100}?[(\[](?P<said>[A-J])[)\]](?:입니다|이다)?[.!]?\Z", "sole", after_echo=False),
    Place(
        "concluded",
        (
            r"(?:따라서|그러므로|결론적으로|\bTherefore,?|\bThus,?|\bHence,?)\s[^\n]{0,120}?"
            r"(?P<said>{CELL}){CLOSING}(?:입니다|이다|에\s해당|\sis\sthe\b)"
        ),
        needs=("따라서", "그러므로", "결론적으로", "therefore", "thus", "hence"),
        after_echo=False,
    ),
)

FORMS = (
    Form(
        "letter",
        r"{OPEN}(?P<letter>[A-J])(?![A-Za-z0-9_°+#=^]|['’][A-Za-z]|\s?=|/[A-Za-z]|-[A-Za-z0-9]|\([A-Za-z]\)){CLOSE}",
    ),
    Form("letter", r"{OPEN}(?P<letter>[a-j]){CLOSE}[.!]?\s*\Z"),
    Form("circled", r"{OPEN}(?P<circled>{CIRCLED}){CLOSE}"),
    Form("number", r"{OPEN}(?P<number>10|[1-9])\s?번(?!째|\s?(?:문제|질문|문항))(?:[*_`\"'“”‘’」』》〉\])}>])*+"),
    Form(
        "digit",
        (
            r"{OPEN}(?P<digit>10|[1-9])(?![\d%°]|[.,]\d)[*_`\"'”’」』》〉}>$]*+"
            r"(?=[)\].:]?[\s)\]}$*.]*(?:입니다|이다|\Z)|[)\].:]\s)"
        ),
    ),
)

KO_V1 = RuleSet(name="ko-v1", places=PLACES, forms=FORMS, words=WORDS, reader=1)
