"""The time that a quantity is for: 주 2회, 분당 60회, 하루 5만 원."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from driftgate.flows.quantities.prose import Stated

_PERIODS = {
    "day": r"매일|날마다|하루(?:에|당)?|(?:1\s?|일)일(?:에|당)?|일당",
    "week": r"매주|주마다|(?<![가-힣])주(?=\s?\d|\s?[한두세네다])|(?:일주일|(?:[1일]|한)\s?주일?)에",
    "month": r"매월|매달|달마다|(?<![가-힣\d])월(?=\s?\d|\s?[한두세네다])|(?:한\s?달|1개월|일\s?개월)에|월별",
    "quarter": r"매\s?분기|분기(?:에|당|별)",
    "year": r"매년|매해|해마다|(?<![가-힣])연간?(?=\s?\d|\s?[한두세네다])|(?:[1일]\s?년|한\s?해)에|연당",
    "hour": r"시간(?:당|마다)|(?:1|한)\s?시간(?:에|당|마다)",
    "minute": r"분당|(?:1|일)\s?분(?:에|당|마다)",
    "second": r"초당|(?:1|일)\s?초(?:에|당|마다)",
}
"""A time that a quantity is for. 연 3.5% and 3.5% are a rate and the same rate, so a share has none."""
_FORMS = "|".join(rf"(?P<{name}>{form})" for name, form in _PERIODS.items())
_PERIOD = re.compile(rf"(?<![\d월.])(?<!월 )(?:{_FORMS})(?:\s|$|(?=\d))")
_BETWEEN = re.compile(r"(?:최대|총|각각|각|약|평균|최소|많게는|길게는|겨우|단)?\s?")


def periods_in(plain: str) -> list[re.Match[str]]:
    """Where a text as :func:`~driftgate.flows.wording.prose` gives it names a period; ``lastgroup`` says which.

    Examples
    --------
    >>> [one.lastgroup for one in periods_in("호출은 분당 60회, 요금은 하루 5만 원이다.")]
    ['minute', 'day']
    """
    return list(_PERIOD.finditer(plain))


_ALONE = {
    "day": r"일일?|하루",
    "week": r"주간?",
    "month": r"월간?|한\s?달",
    "year": r"연간?",
}
_ALONE_FORMS = "|".join(rf"(?P<{name}>{form})" for name, form in _ALONE.items())
_NAMED = re.compile(rf"(?<![가-힣\d])(?<!\d )(?:{_ALONE_FORMS})(?=\s)")
"""A period that stands before what it is of, away from the quantity: 월 이용료는 9,900원."""


def periods_named(plain: str) -> frozenset[str]:
    """Every period that a text names, whether a quantity stands beside it or not.

    Examples
    --------
    >>> sorted(periods_named("월 이용료는 9,900원이고 하루에 2회 쓴다."))
    ['day', 'month']
    """
    return frozenset(str(match.lastgroup) for form in (_PERIOD, _NAMED) for match in form.finditer(plain))


def period_of(one: Stated, plain: str, periods: Sequence[re.Match[str]]) -> re.Match[str] | None:
    """Which of the periods of a text a quantity of it is for; None where none stands right before it."""
    last = bisect_right(periods, one.begin, key=lambda match: match.end()) - 1
    if last >= 0 and one.measure != "share" and _BETWEEN.fullmatch(plain, periods[last].end(), one.begin):
        return periods[last]
    return None
