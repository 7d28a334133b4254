"""A quantity is read exactly, in every writing, and two that differ are never taken for one."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.quantities import Quantity, read_quantity, same_quantity


def read(text: str) -> Quantity:
    found = read_quantity(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("18.0", "18"),
        ("70,000.0", "7만"),
        ("25,000원", "2만 5천 원"),
        ("이만 오천", "25천"),
        ("3억 2,500만", "325,000,000"),
        ("스물다섯 명", "25명입니다"),
        ("삼분의 이", r"$\frac{2}{3}$"),
        ("3과 2분의 1", "3½"),
        ("2와 3분의 1", r"2\dfrac{1}{3}"),
        (r"\frac{\sqrt{3}}{2}", "√3/2"),
        (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt2}{2}"),
        (r"\sqrt{12}", "2√3"),
        ("1/(1+√2)", "√2 - 1"),
        (r"\frac{5\pi}{6}", "5π/6"),
        ("0.75", "75%"),
        ("3 m", "300 cm"),
        ("1시간 30분", "90분"),
        ("2 L", r"2000\,\text{cm}^3"),
        ("12㎠", "12 cm²"),
        ("36 km/h", "10 m/s"),
        ("-3", "−3"),
        ("3×10^5", "300000"),
        ("-3 °C", "마이너스 3℃"),
    ],
)
def test_one_quantity_in_two_writings(text: str, other: str) -> None:
    assert same_quantity(read(text), read(other)) and same_quantity(read(other), read(text))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("2√3", "3"),
        ("2√3", "3.4641016151377544"),
        ("1/3", "0.3333333333333333"),
        ("π", "3.141592653589793"),
        ("3 m", "3 cm"),
        ("3 m", "3 kg"),
        ("3원", "3달러"),
        ("12", "-12"),
        ("2만", "2천"),
        ("1,200", "1.2"),
        ("2^{10}", "20"),
        ("3½", "31/2"),
        ("3²", "32"),
    ],
)
def test_two_quantities(text: str, other: str) -> None:
    assert not same_quantity(read(text), read(other))


@pytest.mark.parametrize(
    "text",
    [
        "", "A", "서울", "삼각형", "x + 1", "2n", "3, 5", "3과 5", "3~5", "3-5", "2024-11-25", "3:2", "(2, 3)",
        "12 이상", "1/2π", "1/0", "√-1", r"\sqrt{-1}", r"\infty", "3!", "1 000", "3 5", "2만 3만", "이", "일", "한",
        "12,34", "1" * 300,
    ],
)  # fmt: skip
def test_what_is_no_quantity_or_could_be_two_is_not_read(text: str) -> None:
    assert read_quantity(text) is None


DIGITS = "영일이삼사오육칠팔구"


def spelled(number: int) -> str:
    """A whole number in Sino-Korean words, written here by hand from the rule of the orthography."""
    groups = []
    for unit in ("", "만", "억", "조"):
        number, group = divmod(number, 10_000)
        word = ""
        for place, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
            digit = group // place % 10
            word += ("" if digit == 1 and name else DIGITS[digit]) + name if digit else ""
        if group:
            groups.append(word + unit)
    return " ".join(reversed(groups)) or "영"


def halves(number: int) -> str:
    """A whole number as newspapers write it: 3억 2,500만 100."""
    above, rest = divmod(number, 10**8)
    middle, below = divmod(rest, 10**4)
    parts = [f"{above:,}억" if above else "", f"{middle:,}만" if middle else "", str(below) if below else ""]
    return " ".join(filter(None, parts)) or "0"


@given(st.integers(11, 10**12 - 1))
def test_every_whole_number_is_read_from_every_writing(number: int) -> None:
    for written in (str(number), f"{number:,}", f"{number}.0", spelled(number) + " 원", halves(number), f"${number}$"):
        assert read(written).value.rational == number, written


RATIONALS = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**4)
ROOTS = st.integers(1, 60)
UNITS = st.sampled_from(["", "m", "cm", "kg", "원", "개", "명", "시간", "%", "제곱미터", "도"])


@st.composite
def made(draw: st.DrawFn) -> tuple[Fraction, Fraction, int, int, str]:
    """What a quantity is made of: a + b·√c·π^d, and a unit."""
    return draw(RATIONALS), draw(RATIONALS), draw(ROOTS), draw(st.integers(0, 2)), draw(UNITS)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[tuple[Fraction, Fraction, int, int, str], ...]:
    """Two of them in one unit, alike in some of their parts."""
    one, other = draw(made()), draw(made())
    kept = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    parts = [ours if keep else theirs for ours, theirs, keep in zip(one[:4], other[:4], kept, strict=True)]
    return one, (parts[0], parts[1], parts[2], parts[3], one[4])


def written(parts: tuple[Fraction, Fraction, int, int, str]) -> str:
    a, b, c, d, unit = parts
    sign = "-" if b < 0 else "+"
    power = rf" \pi^{{{d}}}" if d else ""
    tex = (
        rf"\frac{{{a.numerator}}}{{{a.denominator}}} {sign} \frac{{{abs(b.numerator)}}}{{{b.denominator}}}\sqrt{{{c}}}"
    )
    return f"{tex}{power}{unit and ' ' + unit}"


def form(parts: tuple[Fraction, Fraction, int, int, str]) -> tuple[object, ...]:
    """The canonical form, reckoned here on its own: the square taken out of the root, equal terms put together."""
    a, b, c, d, _ = parts
    square = max(k for k in range(1, 8) if c % (k * k) == 0)
    free, b = c // square**2, b * square
    if free == 1 and d == 0:
        return (a + b, Fraction(0), 1, 0)
    return (a, b, free, d) if b else (a, Fraction(0), 1, 0)


@given(pairs())
def test_two_different_quantities_never_match(pair: tuple[tuple[Fraction, Fraction, int, int, str], ...]) -> None:
    one, other = pair
    assert same_quantity(read(written(one)), read(written(other))) == (form(one) == form(other))


@given(
    st.integers(1, 10**9), st.integers(-3, 3), st.sampled_from(["m", "cm", "kg", "원", "개", "시간", "분", "%", "km/h"])
)
def test_the_nearest_whole_number_is_another(number: int, apart: int, unit: str) -> None:
    one, other = read(f"{number} {unit}"), read(f"{number + apart} {unit}")
    assert same_quantity(one, other) == (apart == 0)
    assert same_quantity(read(str(number)), other) == (apart == 0)


@given(
    st.integers(1, 10**6),
    st.sampled_from([("m", "kg"), ("원", "달러"), ("시간", "도"), ("개", "m"), ("m", "cm"), ("초", "분")]),
)
def test_one_number_of_two_units_is_two_quantities(number: int, units: tuple[str, str]) -> None:
    assert not same_quantity(read(f"{number} {units[0]}"), read(f"{number} {units[1]}"))


@given(made())
def test_what_was_read_is_written_so_that_it_is_read_again(parts: tuple[Fraction, Fraction, int, int, str]) -> None:
    quantity = read(written(parts))
    assert read(quantity.text) == quantity
    a, b, c, d, _ = parts
    assert math.isclose(
        float(quantity.value), float(a) + float(b) * math.sqrt(c) * math.pi**d, rel_tol=1e-9, abs_tol=1e-6
    )


@given(st.text(max_size=80))
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    quantity = read_quantity(text)
    assert quantity is None or read(quantity.text) == quantity
