"""What a reply says after it takes back what it said: "정답은 24. 아니, 26입니다", "다시 계산해 보니", "Wait, no"."""

from __future__ import annotations

import re

_TAKES_BACK = re.compile(
    r"(?:(?:^|(?<=[.…,!?~\n(\[*—–-])|(?<=입니다)|(?<=예요)|(?<=에요))[\s*(\[]{0,4}(?:앗|아차|아|어|음|잠깐만?요?|잠시만요?)?[\s,.!…~]{0,4})"
    r"(?:아니(?:요|오|네요|네|다|야|지|죠|군요|구나)?(?=[,.…!~—–-]|\s+(?!라|면|고|며))|아뇨(?=[,.…!~\s])"
    r"|(?:정정|수정)(?:합니다|하면|하자면|하겠습니다|할게요|해서|해|[)\]:,])|(?:아차|앗|잠깐만?요?|잠시만요?)(?=[,.…!~\s]))"
    r"|(?:다시|재)\s?(?:계산|검토|확인|생각|세어|세|따져|풀어|검산)[가-힣]{0,2}\s?(?:보니까?|하니까?|봤더니|했더니|본\s?결과|한\s?결과)"
    r"|(?i:(?<![a-z])(?:wait|no|actually|correction|sorry|oops|on second thought)(?=\s?[,:.!—–-]))"
)


def after_correction(text: str) -> str:
    """The text behind the last place where it takes back what it said; empty where it takes nothing back.

    Examples
    --------
    >>> after_correction("정답은 24입니다. 아니, 26입니다."), after_correction("12가 아니라 13입니다.")
    (', 26입니다.', '')
    >>> after_correction("답은 3. 다시 계산해 보니 4입니다."), after_correction("12 or, wait, no: 13")
    (' 4입니다.', ': 13')
    """
    last = None
    for last in _TAKES_BACK.finditer(text):  # noqa: B007 - the last one is what is wanted
        pass
    return text[last.end() :] if last else ""
