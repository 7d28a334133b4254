"""Units as prose writes them: those of the reader of answers, with what things are counted by told apart.

Sources: National Institute of Korean Language, Standard Korean Dictionary (counters, 하루 to 보름); ISO 4217 for the
codes of currencies; BIPM, The International System of Units, 9th edition, 2019, for prefixes and derived units; NIST
Special Publication 811, 2008, appendix B.8, for inch, foot, yard, mile, acre, gallon, barrel and ounce of 1959.
"""

from __future__ import annotations

import re
from fractions import Fraction

from driftgate.flows.quantities._units import UNITS

Measure = tuple[str, Fraction]

_MORE: dict[str, list[tuple[str, int | Fraction]]] = {
    "dollar": [("불 usd", 1)],
    "won": [("krw", 1)],
    "euro": [("유로 eur 유로화", 1)],
    "yen": [("엔 jpy 엔화", 1)],
    "yuan": [("위안 cny 위안화", 1)],
    "pound": [("gbp", 1)],
    "byte": [
        ("kb 킬로바이트", 10**3), ("mb 메가바이트 메가", 10**6), ("gb 기가바이트 기가", 10**9),
        ("tb 테라바이트 테라", 10**12),
    ],
    "points of a share": [("%p %포인트 퍼센트포인트 퍼센트p", 1)],
    "평": [("평", 1)],
    "length": [
        ("nm 나노미터", Fraction(1, 10**9)), ("μm 마이크로미터", Fraction(1, 10**6)),
        ("인치 inch inches", Fraction(254, 10**4)), ("피트 ft foot feet", Fraction(3048, 10**4)),
        ("야드 yd yard yards", Fraction(9144, 10**4)), ("마일 mile miles", Fraction(1609344, 1000)),
        ("해리", 1852),
    ],
    "area": [("에이커 acre acres", Fraction(40468564224, 10**7))],
    "volume": [
        ("갤런 gallon gallons", Fraction(3785411784, 10**12)),
        ("배럴 barrel barrels", Fraction(158987294928, 10**12)),
    ],
    "mass": [("온스 oz ounce ounces", Fraction(28349523125, 10**9))],
    "speed": [
        ("노트 knot knots", Fraction(1852, 3600)), ("ft/s 피트/초", Fraction(3048, 10**4)),
        ("mph mile/h miles/h 마일/시간", Fraction(1609344, 3600 * 1000)),
    ],
    "amount": [("mmol", Fraction(1, 1000)), ("mol", 1)],
    "molar concentration": [("mmol/L mmol/l", Fraction(1, 1000)), ("mol/L mol/l", 1)],
    "molar mass": [("g/mol", 1), ("kg/mol", 1000)],
    "mass concentration": [("mg/L mg/l", Fraction(1, 1000)), ("mg/dL mg/dl", Fraction(1, 100)), ("g/L g/l", 1)],
    "density": [("kg/m^3", Fraction(1, 1000)), ("g/cm^3 g/mL g/ml", 1)],
    "acceleration": [("m/s^2", 1)],
    "molar energy": [("kJ/mol kj/mol", 1)],
    "energy": [("kJ kj 킬로줄", 1)],
    "heat": [("cal 칼로리", 1), ("kcal 킬로칼로리", 1000)],
    "electrical energy": [("kWh kwh 킬로와트시", 1)],
    "power": [("kW kw 킬로와트", 1)],
    "frequency": [("Hz hz 헤르츠", 1), ("kHz khz", 10**3), ("MHz mhz", 10**6), ("GHz ghz", 10**9)],
    "pressure": [("hPa hpa", 100), ("kPa kpa", 1000)],
    "standard pressure": [("atm", 1)],
    "rotation": [("rpm", 1)],
    "parts": [("ppb", Fraction(1, 1000)), ("ppm", 1)],
    "ordinal": [("번째 째", 1)],
    "place": [("위 등", 1)],
}  # fmt: skip
_ALIKE = [
    "명 인 사람 people",
    "회 번 times 차례",
    "쪽 페이지",
    "상자 박스",
    "문제 문항",
    "대",
    "개 items",
    "곳 군데 개소",
]
"""Counters that count the same things; any other counts by itself."""
_COUNTERS = {name: group.split()[0] for group in _ALIKE for name in group.split()}


def _table() -> dict[str, Measure]:
    found: dict[str, Measure] = {}
    for name, unit in UNITS.items():
        counts = unit.measures in ("count", "rank")
        measures = f"count of {_COUNTERS.get(name, name)}" if counts else unit.measures
        found[name] = (measures, unit.factor)
    for name, counted in _COUNTERS.items():
        found[name] = (f"count of {counted}", Fraction(1))
    for measures, entries in _MORE.items():
        for names, factor in entries:
            found |= dict.fromkeys(names.split(), (measures, Fraction(factor)))
    found["도"] = found["°"] = found["°C"] = ("degree", Fraction(1))
    found["°F"] = ("fahrenheit", Fraction(1))
    return found


MEASURES = _table()
"""What each unit measures and how many of the base unit one of it is."""
_SAFE_LATIN = [name for name in MEASURES if name.isascii() and len(name) > 1]
NAMES = sorted({*MEASURES, *(name.upper() for name in _SAFE_LATIN)}, key=len, reverse=True)
UNIT = re.compile("|".join(re.escape(name) for name in NAMES))
CURRENCIES = {"$": "dollar", "US$": "dollar", "₩": "won", "￦": "won", "€": "euro", "¥": "yen", "£": "pound"}
DAYS = {
    "하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "이레": 7, "여드레": 8, "아흐레": 9, "열흘": 10,
    "보름": 15,
}  # fmt: skip
SCALES = {"천": 1000, "백만": 10**6, "천만": 10**7, "만": 10**4, "억": 10**8, "조": 10**12}


def measure_of(name: str) -> Measure:
    """What a unit measures."""
    return MEASURES.get(name) or MEASURES[name.lower()]
