"""Two hundred problems laid out as HRM8K lays out its own, and what a model says that answers them in five styles.

Everything is reckoned from a problem's number, so that a run can be told what was right and what the model said.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

COUNT = 200
STYLES = ("bare", "boxed", "sentence", "latex", "korean")
_SINO = "영일이삼사오육칠팔구"


@dataclass(frozen=True)
class Problem:
    """One problem with its right answer."""

    number: int
    question: str
    value: Fraction
    unit: str
    gold: str
    """As upstream writes right answers: ``18.0``, ``70,000.0``, in KSM also fractions."""

    @property
    def style(self) -> str:
        """How the model answers it."""
        return STYLES[self.number % len(STYLES)]


def problems() -> list[Problem]:
    """The two hundred; every fifth has a fraction for its answer."""
    return [_TEMPLATES[number // len(STYLES) % len(_TEMPLATES)](number) for number in range(COUNT)]


def _shared_out(number: int) -> Problem:
    boxes, each = number % 17 + 3, number % 29 + 4
    asked = f"({number}번) 상자 {boxes}개에 사과를 {each}개씩 담고 2개를 더 샀습니다. 사과는 모두 몇 개입니까?"
    return _whole(number, asked, boxes * each + 2, "개")


def _price(number: int) -> Problem:
    count, price = number % 9 + 2, (number % 23 + 3) * 500
    asked = f"({number}번) 한 권에 {price:,}원인 공책을 {count}권 사면 얼마를 내야 합니까?"
    return _whole(number, asked, count * price, "원")


def _savings(number: int) -> Problem:
    months, each = number % 31 + 5, (number % 7 + 2) * 12_500
    asked = f"({number}번) 매달 {each:,}원씩 {months}개월 동안 모으면 모두 얼마입니까?"
    return _whole(number, asked, months * each, "원")


def _shared_cake(number: int) -> Problem:
    people, eaten = number % 11 + 4, number % 3 + 1
    asked = (
        f"({number}번) 케이크를 {people}조각으로 똑같이 나누어 {eaten}조각을 먹었습니다. 먹은 것은 전체의 얼마입니까?"
    )
    value = Fraction(eaten, people)
    return Problem(number, asked, value, "", rf"\frac{{{value.numerator}}}{{{value.denominator}}}")


def _cooling(number: int) -> Problem:
    begin, fall = number % 13, number % 19 + 14
    asked = f"({number}번) 기온이 {begin}도에서 {fall}도 내려갔습니다. 지금 기온은 몇 도입니까?"
    return _whole(number, asked, begin - fall, "도")


_TEMPLATES = (_shared_out, _price, _savings, _shared_cake, _cooling)


def _whole(number: int, question: str, value: int, unit: str) -> Problem:
    return Problem(number, question, Fraction(value), unit, f"{value:,}.0" if abs(value) >= 1000 else f"{value}.0")


def write_hrm8k(folder: Path) -> None:
    """The problems as files in HRM8K's layout."""
    import csv

    parts = {"gsm8k_test": problems()[: COUNT // 2], "ksm_test": problems()[COUNT // 2 :]}
    (folder / "HRM8K").mkdir(parents=True)
    for name, part in parts.items():
        with (folder / f"HRM8K/{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["question", "original", "answer"])
            writer.writeheader()
            writer.writerows({"question": p.question, "original": "", "answer": p.gold} for p in part)


def reply(problem: Problem, value: Fraction) -> str:
    """What the model says where it takes ``value`` for the answer."""
    return {"bare": _bare, "boxed": _boxed, "sentence": _sentence, "latex": _latex, "korean": _korean}[problem.style](
        problem, value
    )


def _plain(value: Fraction) -> str:
    return f"{int(value):,}" if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def _bare(problem: Problem, value: Fraction) -> str:
    return _plain(value) + (problem.unit if problem.number % 2 else "")


def _boxed(problem: Problem, value: Fraction) -> str:
    worked = f"먼저 {problem.number % 7 + 2}에 {problem.number % 5 + 3}을 곱합니다.\n3 × 4 = 12이고, 2를 더합니다.\n"
    return f"{worked}\\[\n\\boxed{{{_plain(value)}}}\n\\]"


def _sentence(problem: Problem, value: Fraction) -> str:
    unit = problem.unit
    return (
        f"{problem.number % 9 + 2}개를 먼저 세고 나머지를 더하면 됩니다.\n"
        f"따라서 정답은 {_plain(value)}{unit}입니다. 문제를 다시 읽어 보아도 그렇습니다."
    )


def _latex(problem: Problem, value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    size = abs(value)
    if size.denominator > 1:
        tex = rf"{sign}\dfrac{{{size.numerator}}}{{{size.denominator}}}"
    else:  # unreduced, as models write quotients
        tex = rf"{sign}\frac{{{int(size) * 3}}}{{3}}"
    unit = rf"\,\text{{{problem.unit}}}" if problem.unit else ""
    return f"식을 세우면 $x + {problem.number % 6 + 1} = {problem.number % 8 + 9}$이다.\n따라서 $x = {tex}{unit}$이다."


def _korean(problem: Problem, value: Fraction) -> str:
    if value.denominator > 1:
        said = f"{_spelled(value.denominator)}분의 {_spelled(value.numerator)}"
        return f"답: {said}"
    size = abs(int(value))
    minus = "마이너스 " if value < 0 else ""
    mixed = f"{size // 10_000}만 {_thousands(size % 10_000)}".strip() if size >= 10_000 else _thousands(size)
    said = mixed if problem.number % 2 and size >= 1000 else _spelled(size)
    return f"정답은 {minus}{said} {problem.unit}입니다."


def _thousands(number: int) -> str:
    """``5천 500``: what stands after 만."""
    thousands, rest = divmod(number, 1000)
    return " ".join(filter(None, (f"{thousands}천" if thousands else "", str(rest) if rest else "")))


def _spelled(number: int) -> str:
    words = []
    for unit in ("", "만"):
        number, group = divmod(number, 10_000)
        word = ""
        for place, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
            digit = group // place % 10
            word += ("" if digit == 1 and name else _SINO[digit]) + name if digit else ""
        if group:
            words.append(word + unit)
    return " ".join(reversed(words)) or _SINO[0]
