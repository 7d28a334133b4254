"""Units of measurement, money and counters, as far as answers to problems in Korean use them.

Factors are exact. Two units are comparable where they measure the same: ``3 m`` and ``300 cm``, not ``3 m`` and
``3 kg``. All counters (개, 명, 마리, ...) count, so ``12명`` and ``12개`` are the same number of things.

Source: BIPM, The International System of Units, 9th edition, 2019, for prefixes, litre, hectare, minute, hour and day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TABLE: dict[str, list[tuple[str, Fraction]]] = {
    "length": [
        ("mm 밀리미터", Fraction(1, 1000)), ("cm 센티미터 센치미터 센티 센치", Fraction(1, 100)),
        ("m 미터 meter meters metre metres", Fraction(1)), ("km 킬로미터", Fraction(1000)),
    ],
    "area": [
        ("mm^2 제곱밀리미터", Fraction(1, 10**6)), ("cm^2 제곱센티미터 제곱센치미터 평방센티미터", Fraction(1, 10**4)),
        ("m^2 제곱미터 평방미터", Fraction(1)), ("아르", Fraction(100)), ("ha 헥타르", Fraction(10**4)),
        ("km^2 제곱킬로미터", Fraction(10**6)),
    ],
    "volume": [
        ("cm^3 세제곱센티미터 입방센티미터 cc mL ml 밀리리터", Fraction(1, 10**6)),
        ("dL dl 데시리터", Fraction(1, 10**4)),
        ("L l ℓ 리터", Fraction(1, 1000)), ("kL kl 킬로리터 m^3 세제곱미터 입방미터 루베", Fraction(1)),
    ],
    "mass": [
        ("mg 밀리그램", Fraction(1, 1000)), ("g 그램 그람", Fraction(1)), ("kg 킬로그램 킬로그람", Fraction(1000)),
        ("t 톤", Fraction(10**6)),
    ],
    "time": [
        ("초 초간 s sec second seconds", Fraction(1)), ("분 분간 min minute minutes", Fraction(60)),
        ("시간 h hour hours", Fraction(3600)), ("일 일간 day days", Fraction(86400)),
        ("주 주일 주간 week weeks", Fraction(604800)),
    ],
    "months": [
        ("개월 달 개월간 month months", Fraction(1)), ("년 연간 년간 해 year years", Fraction(12)),
    ],
    "month of a year": [("월", Fraction(1))],
    "o'clock": [("시", Fraction(1))],
    "age": [("살 세", Fraction(1))],
    "won": [("원 won KRW", Fraction(1))],
    "dollar": [("센트 cent cents", Fraction(1, 100)), ("달러 dollar dollars USD", Fraction(1))],
    "angle": [("° 도 degree degrees", Fraction(1))],
    "celsius": [("°C 섭씨", Fraction(1))],
    "share": [("% 퍼센트 프로 percent", Fraction(1, 100))],
    "speed": [
        ("m/s 미터/초 m/초", Fraction(1)), ("km/h km/시간 킬로미터/시간", Fraction(1000, 3600)),
        ("m/min m/분", Fraction(1, 60)), ("km/s", Fraction(1000)), ("cm/s cm/초", Fraction(1, 100)),
        ("km/min km/분", Fraction(1000, 60)),
    ],
    "times": [("배", Fraction(1))],
    "rank": [("등 위 번째 째", Fraction(1))],
    "count": [(
        "개 명 사람 인 마리 권 장 대 자루 송이 그루 쪽 페이지 번 회 가지 통 병 컵 잔 봉지 상자 박스 묶음 다발 "
        "켤레 벌 쌍 줄 칸 점 문제 문항 조각 알 판 층 채 척 편 곡 곳 군데 팀 조 반 세트 팩 포기 방울 걸음 바퀴 "
        "단 모 필 자리 가구 표 골 승 방법 경우 people times items pieces ways points", Fraction(1),
    )],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it was written, and what it measures."""

    name: str
    measures: str
    """What two units must share to be compared."""
    factor: Fraction
    """How many of the base unit one of it is."""


UNITS: dict[str, Unit] = {
    name: Unit(name, measures, factor)
    for measures, entries in _TABLE.items()
    for names, factor in entries
    for name in names.split()
}
"""By every way it is written."""
_ALL = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
UNIT = rf"(?:{_ALL})(?![A-Za-z^/\d])"
"""One of them; a Latin one ends where its word ends."""
_POWER = re.compile(r"\^\{?([23])\}?|([²³])")


def plain_unit(text: str) -> str:
    """A unit in the one spelling of its power: ``cm²``, ``cm^{2}``.

    Examples
    --------
    >>> plain_unit("cm²"), plain_unit("m^{3}"), plain_unit(" km / h")
    ('cm^2', 'm^3', 'km/h')
    """
    power = _POWER.sub(lambda m: f"^{m[1] or {'²': 2, '³': 3}[m[2]]}", text)
    return "".join(power.split())


def find_unit(text: str) -> Unit | None:
    """The unit that a text is; another short word of Hangul is a unit that measures itself alone.

    Examples
    --------
    >>> find_unit("cm²").measures, find_unit("깡통").measures, find_unit("hello")
    ('area', '깡통', None)
    """
    name = plain_unit(text)
    known = UNITS.get(name) or (UNITS.get(name.lower()) if len(name) > 1 else None)
    if known is not None or not re.fullmatch(r"[가-힣]{2,6}", text):
        return known
    return Unit(name, name, Fraction(1))
