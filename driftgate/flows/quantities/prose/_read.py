"""Find what prose states, digit by digit: first what is written in a form of its own, then numbers and their units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from driftgate.flows.quantities._korean import LETTERS, read_korean
from driftgate.flows.quantities.prose._calendar import FORMS, FORMS_IN_WORDS
from driftgate.flows.quantities.prose._stated import Stated
from driftgate.flows.quantities.prose._units import CURRENCIES, DAYS, SCALES, UNIT, Measure, measure_of

_LONGEST = 40
"""Digits of a number that is computed with; a longer one is a name."""
_DECIMALS = 400
"""Decimals that are computed with."""
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+(?!,?\d))(?:\.\d+)?|(?<!\d)\.\d+"
_SINO = f"[{LETTERS}]"
_TENS = "열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔"
_ONES = "하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉"
_BEFORE = "첫|한|두|세|네|석|넉"
_MIXED = (
    rf"(?:{NUMBER})\s?[십백천만억조]{{1,4}}(?:\s?(?:{NUMBER})?\s?[십백천만억조]{{1,4}}){{0,8}}(?:\s?\d[\d,]*(?![\d.]))?"
)
_PARTED = rf"(?:(?:{NUMBER}|{_SINO}+)[와과]\s?)?(?:{NUMBER}|{_SINO}+)\s?분의\s?(?:{NUMBER}|{_SINO}+)"
_POINTED = rf"{_SINO}+\s?점\s?[영공일이삼사오육칠팔구]+"
_SPELLED = (
    rf"(?:{_SINO}{{1,24}}\s?)?(?:(?:{_TENS})(?:{_ONES}|{_BEFORE})?|{_ONES}|{_BEFORE})"
    rf"|{_SINO}{{1,24}}(?:\s{_SINO}{{1,24}}){{0,5}}"
)
_CANDIDATE = re.compile(
    rf"(?P<parted>(?<![가-힣\d.]){_PARTED})|(?P<pointed>(?<![가-힣]){_POINTED})"
    rf"|(?P<power>(?<![\d.])(?:{NUMBER})\s?[×x*]\s?10\^?\{{?(?P<exponent>-?\d{{1,2}})\}}?(?!\d))"
    r"|(?P<scientific>(?<![\w.,])\d{1,20}(?:\.\d{1,20})?[eE][-+]?\d{1,2}(?![\w.]))"
    rf"|(?P<mixed>(?<![\d.,])(?:{_MIXED}))"
    rf"|(?P<fraction>(?<![\d.,/])(?:(?P<whole>\d{{1,9}})\s)?(?P<above>\d{{1,20}})\s?/\s?(?P<below>\d{{1,20}})(?![\d/]))"
    rf"|(?P<days>(?<![가-힣])(?:{'|'.join(DAYS)}))"
    rf"|(?P<number>{NUMBER})|(?P<spelled>(?<![가-힣A-Za-z0-9])(?:{_SPELLED}))"
)
_DIGITS_NAME = re.compile(
    r"\d+(?:\.\d+){2,}|\d+(?:-\d+)+(?!\s?[가-힣%])|(?!\d{1,3}(?:,\d{3})+(?![\d,]))\d+(?:,\d+)+|0\d+(?![.\d])"
)
_SCIENTIFIC = re.compile(r"\d{1,20}(?:\.\d{1,20})?[eE][-+]?\d{1,2}(?![\w.])")
_LATIN_NAME = re.compile(r"[A-Za-z][A-Za-z]*-?\d[A-Za-z\d]*(?:[.-][A-Za-z\d]+)*|\d+[A-Za-z]+[A-Za-z\d]*")
_MINUS = re.compile(r"(?:영하|마이너스|음수)\s?$|[△▼]\s?$|(?:(?<![\w)\]])|(?<=[가-힣]\s))[-−]\s?$")
_SCALE_OF_HEAT = re.compile(r"(?:섭씨|화씨)\s?$")
_MINUS_WORD = re.compile(r"(?:영하|마이너스)\s?$")
_PLUS = re.compile(r"(?:영상|플러스)\s?$|(?<![\w)\]])\+\s?$")
_MONEY = re.compile(r"(?:US\$|[$₩￦€¥£])\s?$|(?<![A-Za-z])(?:USD|KRW|EUR|JPY|CNY)\s$")
_HALF = re.compile(r"\s?반(?![가-힣])|\s?반(?=(?:이|은|을|에|의|입|만|정|이다|까지|부터)(?![가-힣]{3}))")
_LIMIT = re.compile(r"(?:[가-힣]{0,2}\s?)(이상|이하|미만|초과)(?:$|[^가-힣]|(?=[가-힣]{1,4}))")
_LIMITS = {"이상": ">=", "이하": "<=", "미만": "<", "초과": ">"}
_GOES_ON = re.compile(
    r"$|[^가-힣]|(?:이|가|은|는|을|를|의|에|도|만|과|와|로|으로|씩|쯤|정도|간|째|짜리|이상|이하|미만|초과|이내|내|안|후|전|뒤|동안|당|마다|"
    r"까지|부터|보다|에서|이나|이라|라|라고|이고|이며|이므로|이지|이었|였|입|임|이다|이야|이에|예요|인|뿐|들|여|남짓|가량|대|반|하고|마저|밖|께|중|쪽|처럼|에는|에만|무렵|하)"
)
"""How a word may go on behind a unit."""
_LATIN_GOES_ON = re.compile(r"[A-Za-z\d^/]")
_BEHIND_TWO = re.compile(r"(?:개월|층|월)")
_WON_ALONE = re.compile(r"\s?(?:원|달러|명|개|년|장|배|번|권|대|톤|킬로|미터|그램|km|kg|m|g)")
_ONE_SINO = re.compile(r"\s?(?:개월|년|월|층|원|퍼센트|프로|%|학년|주일|세|차)")
_ALONE_NATIVE = re.compile(
    r"$|[^가-힣]|(?:이|가|은|는|을|를|의|도|만|과|와|로|으로|입니다|이다|이에요|이야|예요|이고|이며)(?![가-힣])"
)
_RANGE = re.compile(r"\s?(?:[~∼〜～–—]|에서|부터|내지)\s?|-")
_LABELS = frozenset(
    [
        "is",
        "are",
        "of",
        "about",
        "was",
        "at",
        "to",
        "be",
        "usd",
        "krw",
        "eur",
        "jpy",
        "approximately",
        "equals",
        "answer",
        "total",
        "by",
        "than",
        "costs",
        "only",
    ]
)


def stated_in(text: str) -> list[Stated]:
    """What a text states, in its order; every digit of it belongs to one statement.

    Parameters
    ----------
    text : str
        In the one spelling of :func:`driftgate.flows.wording.plain`.

    Examples
    --------
    >>> [(s.kind, str(s.number)) for s in stated_in("영하 5도, 스물다섯 살, 3억 2천만 원, 두 번, 50%")]
    [('number', '-5'), ('number', '25'), ('number', '320000000'), ('number', '2'), ('number', '50')]
    >>> [s.kind for s in stated_in("3~5일, 2024-03-01, 오후 3시, 1.2.3, GPT-4, 010-1234-5678")]
    ['range', 'date', 'time', 'name', 'name', 'name']
    """
    found: list[Stated] = []
    begin = 0
    for line in text.split("\n"):
        found += (_moved(one, begin) for one in _joined(line, list(_each(line))))
        begin += len(line) + 1
    return found


def _moved(one: Stated, by: int) -> Stated:
    return replace(one, begin=one.begin + by, end=one.end + by) if by else one


def _each(text: str) -> Iterator[Stated]:
    """One by one, from left to right."""
    place = 0
    while place < len(text):
        forms = FORMS if text[place].isdigit() else FORMS_IN_WORDS
        found = next((s for form in (*forms, _name, _number) if (s := form(text, place)) is not None), None)
        if found is None:
            place = _next(text, place)
            continue
        yield found
        place = max(found.end, place + 1)


_BEGINS = re.compile(
    rf"\d|\.(?=\d)|(?<![A-Za-z0-9])[A-Za-z]+-?\d|(?<![가-힣])(?:[{LETTERS}]|열|스|서른|마흔|쉰|예순|일흔|여든|아흔|하|첫|둘|셋|넷|다|여|한|두|세|네|석|넉"
    r"|나흘|닷|엿|보름|오|새벽|아침|저녁|밤|낮|정오|자정)"
)
"""Where a statement may begin: no numeral begins within a word of Hangul, and a Latin word says something with a digit
behind it."""


def _next(text: str, place: int) -> int:
    """Where something may begin after ``place``."""
    digits = _DIGITS.match(text, place)
    match = _BEGINS.search(text, digits.end() if digits else place + 1)
    return match.start() if match else len(text)


_DIGITS = re.compile(r"\d+")


def _name(text: str, place: int) -> Stated | None:
    """Digits that are no number: with letters, of a version, of a telephone, with a nought before them."""
    if place and (text[place - 1].isascii() and text[place - 1].isalnum()):
        return None
    match = _LATIN_NAME.match(text, place) if not _SCIENTIFIC.match(text, place) else None
    if match and (unit := re.fullmatch(r"\d+([A-Za-z]+)", match[0])) and UNIT.fullmatch(unit[1]):
        match = None  # 5km
    match = match or _DIGITS_NAME.match(text, place)
    if match is None:
        return _version(text, place)
    spoken = match[0].casefold()
    if (
        re.fullmatch(r"\d+-\d+", spoken)
        and int(spoken.split("-")[0][:20]) < int(spoken.split("-")[1][:20])
        and spoken[0] != "0"
    ):
        return None  # a range
    if re.fullmatch(r"0\d+", spoken) and UNIT.match(text, match.end()):
        return None
    key = spoken.replace("-", "") if re.fullmatch(r"[a-z]+-\d.*|0\d{1,2}-\d{3,4}-\d{4}", spoken) else spoken
    return Stated("name", (key,), place, match.end())


_DECIMAL = re.compile(r"\d+\.\d+")
_BEFORE_VERSION = re.compile(r"([A-Za-z]+|버전)\s$")


def _version(text: str, place: int) -> Stated | None:
    """``Python 3.10``: a decimal directly behind a Latin word, without a unit."""
    match = _DECIMAL.match(text, place)
    before = _BEFORE_VERSION.search(text, max(0, place - 30), place) if match else None
    if match is None or before is None or before[1].casefold() in _LABELS:
        return None
    if re.match(r"\s?[가-힣%]", text[match.end() :]) and UNIT.match(text[match.end() :].lstrip()):
        return None
    return Stated("name", (match[0],), place, match.end())


def _number(text: str, place: int) -> Stated | None:
    """A number with what stands around it: sign, currency, unit, limit."""
    match = _CANDIDATE.match(text, place)
    if match is None:
        return None
    value = _value(text, match)
    end = match.end()
    while value is None and match.lastgroup in ("spelled", "mixed") and end - 1 > place:
        end -= 1  # 이만 오천 + what is no numeral
        value = _spelled(text, place, end, match.lastgroup)
    if value is None and match["fraction"] and not int(match["below"]):
        return Stated("name", (match[0],), place, end)
    if value is None:
        digits = re.compile(NUMBER).match(text, place)
        if digits is None:
            return None
        value, end = _digits(digits[0]), digits.end()
        if value is None:
            return Stated("name", (digits[0],), place, end)
    before = text[max(0, place - 12) : place]
    begin, measure, factor = place, "", Fraction(1)
    if money := _MONEY.search(before):
        sign = money[0].strip()
        measure = CURRENCIES.get(sign) or measure_of(sign)[0]
        begin -= len(money[0])
        before = before[: money.start()]
    negative = _MINUS.search(before)
    if signed := negative or _PLUS.search(before):
        begin -= len(signed[0])
        value = -value if negative else value
    written = text[place:end]
    if match.lastgroup == "days":
        return Stated("number", ("time", value * 86400, ""), begin, end, value, "time")
    if not measure and (unit := _unit(text, end)):
        (measure, factor), end = unit
        if half := _HALF.match(text, end) if measure in ("time", "months", "length", "byte", "times") else None:
            value, end = value + Fraction(1, 2), half.end()
    if measure == "degree" and (scaled := _SCALE_OF_HEAT.search(text[max(0, begin - 4) : begin])):
        begin -= len(scaled[0])
        measure = "degree" if scaled[0].startswith("섭") else "fahrenheit"
    limit = _LIMIT.match(text, end) if text[end : end + 1] in ("", " ", *"이미초") else None
    bound = _LIMITS[limit[1]] if limit and not limit[0].startswith(tuple("가은는을를")) else ""
    end = limit.end(1) if bound and limit else end
    scale = max((SCALES[s] for s in SCALES if written.endswith(s)), default=1)
    return Stated("number", (measure, value * factor, bound), begin, end, None if bound else value, measure, scale)


def _value(text: str, match: re.Match[str]) -> Fraction | None:
    kind = match.lastgroup if match.lastgroup not in ("exponent", "whole", "above", "below") else ""
    if match["power"]:
        number = _digits(re.match(NUMBER, match["power"])[0])  # type: ignore[index]
        return None if number is None else number * Fraction(10) ** int(match["exponent"])
    if match["scientific"]:
        return Fraction(match["scientific"])
    if match["fraction"]:
        below = int(match["below"])
        part = Fraction(int(match["above"]), below) if below else None
        if part is None or (match["whole"] and part >= 1):
            return None
        return part + int(match["whole"] or 0)
    if match["days"]:
        return Fraction(DAYS[match["days"]])
    if match["number"]:
        return _digits(match["number"])
    if match["parted"] or match["pointed"]:
        return read_korean(match[0], counted=True)
    return _spelled(text, match.start(), match.end(), str(kind))


def _digits(written: str) -> Fraction | None:
    whole, _, decimals = written.replace(",", "").partition(".")
    return Fraction(f"{whole or 0}.{decimals[:_DECIMALS] or 0}") if len(whole) <= _LONGEST else None


def _spelled(text: str, begin: int, end: int, kind: str) -> Fraction | None:
    """A numeral with Korean in it, where what follows shows that it is one."""
    written = text[begin:end]
    if written != written.strip() or len(written) > _LONGEST:
        return None
    if kind == "mixed":
        if text[max(0, begin - 2) : begin].rstrip().endswith("제") and written.endswith("조"):
            return None  # 제2조, an article
        return read_korean(written) if not re.match(r"[가-힣]분의", text[end:]) else None
    unit = _unit(text, end)
    value = Fraction(1) if written == "첫" else read_korean(written, counted=True)
    if value is None or (written.endswith(" 일") and not unit):
        return None  # 삼십 일 is thirty days
    if _MINUS_WORD.search(text[max(0, begin - 6) : begin]):
        return value
    if written in (*_BEFORE.split("|"), "열", "스무"):
        return value if unit else None
    alone = _ALONE_NATIVE.match(text, end) is not None
    if re.fullmatch(rf"(?:{_SINO}+\s?)?(?:{_TENS})?(?:{_ONES})|{_TENS}", written):
        return value if unit or (alone and (len(written) > 1 or written in ("둘", "셋", "넷"))) else None
    if not re.fullmatch(rf"{_SINO}+(?:\s{_SINO}+)*", written):
        return value if unit else None
    if len(written) == 1:  # a syllable that many words have: only some units show that it is a numeral
        shown_by = _WON_ALONE if written in "십백천만억조" else _BEHIND_TWO if written == "이" else _ONE_SINO
        return value if unit and shown_by.match(text, end) else None
    large = written[0] == "십" or re.search("[십백천만억조]", written[1:])
    return value if unit or (large and alone) else None


def _unit(text: str, end: int) -> tuple[Measure, int] | None:
    """The unit behind a number, where the word ends with it or goes on as behind a unit."""
    place = end + 1 if text[end : end + 1] == " " else end
    match = UNIT.match(text, place)
    while match is not None:
        if _ends_there(text, match[0], match.end()):
            return measure_of(match[0]), match.end()
        shorter = (UNIT.fullmatch(text, place, place + length) for length in range(len(match[0]) - 1, 0, -1))
        match = next(filter(None, shorter), None)
    return None


def _ends_there(text: str, unit: str, after: int) -> bool:
    if unit == "이":
        return False
    if unit[-1].isascii():
        return not (unit[-1].isalpha() and _LATIN_GOES_ON.match(text, after))
    return _GOES_ON.match(text, after) is not None


def _joined(text: str, found: list[Stated]) -> list[Stated]:
    """Ranges, and quantities side by side in units that get smaller, as one."""
    for join in (_sum, _range):
        found = _pairs(text, found, join)
    return found


def _pairs(text: str, found: list[Stated], join: Callable[[str, Stated, Stated], Stated | None]) -> list[Stated]:
    kept: list[Stated] = []
    for one in found:
        both = join(text, kept[-1], one) if kept else None
        if both is not None:
            kept[-1] = both
        else:
            kept.append(one)
    return kept


def _sum(text: str, one: Stated, other: Stated) -> Stated | None:
    """``1시간 30분``, ``2 m 50 cm``, ``3년 2개월``."""
    if one.kind != "number" or other.kind != "number" or text[one.end : other.begin].strip():
        return None
    if not one.measure or one.measure != other.measure or one.number is None or other.number is None:
        return None
    ours, theirs = one.key[1], other.key[1]
    if not isinstance(ours, Fraction) or not isinstance(theirs, Fraction) or one.measure.startswith("count"):
        return None
    factors = [
        value / number if number else Fraction(0) for value, number in ((ours, one.number), (theirs, other.number))
    ]
    if factors[0] <= factors[1] or ours < 0:
        return None
    return Stated(
        "number", (one.measure, ours + theirs, ""), one.begin, other.end, (ours + theirs) / factors[0], one.measure
    )


def _range(text: str, one: Stated, other: Stated) -> Stated | None:
    """``3~5일``, ``3일에서 5일``, ``3월 1일부터 3월 5일까지``."""
    between = text[one.end : other.begin]
    if _RANGE.fullmatch(between) is None or one.kind not in ("number", "date", "time", "name"):
        return None
    if (
        between.strip() in ("에서", "부터")
        and one.kind == other.kind == "number"
        and not (other.measure or one.measure)
    ):
        return None
    end = other.end
    if until := re.match(r"까지|\s?사이", text[end:]):
        end += until.end()
    other = _as_begun(text, one, other)
    one = _as_ended(one, other)
    if one.kind == other.kind and one.kind in ("date", "time"):
        later = (
            tuple(b if b is not None else a for a, b in zip(one.key, other.key, strict=True))
            if one.kind == "date"
            else other.key
        )
        if one.kind == "date" and other.key[0] is None:
            later = (one.key[0], *other.key[1:])
        return Stated("range", (one.kind, one.key, later), one.begin, end)
    if one.kind != "number" or other.kind != "number" or one.number is None or other.number is None:
        return None
    low, high = one.number, other.number
    if one.measure and one.measure != other.measure:
        return None
    value = other.key[1]
    if not isinstance(value, Fraction):
        return None
    factor = value / high if high else Fraction(1)
    if not one.measure:
        low = low * other.scale if one.scale == 1 and low < other.scale else low
        begin = low * factor
    else:
        begin = one.key[1] if isinstance(one.key[1], Fraction) else low
    return Stated("range", (other.measure, begin, value), one.begin, end)


_DAY = re.compile(r"(?:[12]\d|3[01]|0?[1-9])\s?일(?!\s?(?:간|동안|이내|안|내|후|뒤))")


def _as_begun(text: str, one: Stated, other: Stated) -> Stated:
    """The end of a range of days whose month its beginning says alone (3월 1일~15일)."""
    if one.kind != "date" or one.key[2] is None or other.kind != "number" or other.number is None:
        return other
    if _DAY.match(text, other.begin) is None or text[one.end : other.begin].strip() == "에서":
        return other
    return replace(other, kind="date", key=(*one.key[:2], int(other.number)), number=None, measure="")


def _as_ended(one: Stated, other: Stated) -> Stated:
    """The beginning of a range of months or hours whose unit its end says alone (3~5월, 9~18시)."""
    if one.kind != "number" or one.measure or one.number is None or one.number.denominator != 1:
        return one
    begin = int(one.number)
    if other.kind == "date" and other.key[0] is None and other.key[2] is None and 1 <= begin <= 12:
        return replace(one, kind="date", key=(None, begin, None), number=None)
    if other.kind == "time" and not other.measure and 0 <= begin <= 24:
        return replace(one, kind="time", key=(begin, 0), number=None)
    return one
