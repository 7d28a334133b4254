"""Exact values: rational combinations of roots and powers of π, each in one form only.

A value is a sum of terms; a term is a rational coefficient and, by generator, an exponent. Generators are the primes,
with exponents above 0 and below 1, and π, with any. Products of real roots of primes with different exponents are
linearly independent over the rational numbers [1]_, and π is transcendental [2]_, so two values are equal exactly where
their forms are.

References
----------
.. [1] Besicovitch (1940). On the linear independence of fractional powers of integers. Journal of the London
   Mathematical Society 15, 3-6.
.. [2] Lindemann (1882). Über die Zahl π. Mathematische Annalen 20, 213-225.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

Monomial = tuple[tuple[int, Fraction], ...]
"""Exponents above zero or below by generator, sorted; π is the generator 0."""
PI = 0
_LARGEST = 10**60
"""Numerators and denominators beyond it are not computed with: no answer of an exam is that long."""
_FACTORED = 10**10
"""Numbers up to which a root is taken by trial division."""


class NoValue(ValueError):
    """Something has no value here: a division by zero, a root of a negative number, or beyond what is computed."""


@dataclass(frozen=True, slots=True)
class Value:
    """An exact real number.

    Examples
    --------
    >>> two = Value.of(2)
    >>> (two.power(Fraction(1, 2)) * Value.of(8).power(Fraction(1, 2))).text
    '4'
    >>> (Value.of(1) / (Value.of(1) + two.power(Fraction(1, 2)))).text
    '-1+√2'
    """

    terms: tuple[tuple[Monomial, Fraction], ...]
    """Coefficient by monomial, sorted, none of them zero."""

    @classmethod
    def of(cls, number: Fraction | int) -> Value:
        """A rational number.

        Raises
        ------
        NoValue
            It is too long to be computed with.
        """
        return _summed({(): Fraction(number)})

    @classmethod
    def pi(cls) -> Value:
        """π."""
        return cls(((((PI, Fraction(1)),), Fraction(1)),))

    @property
    def rational(self) -> Fraction | None:
        """The number, where it is rational."""
        if not self.terms:
            return Fraction(0)
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    def __add__(self, other: Value) -> Value:
        """The sum."""
        found = dict(self.terms)
        for monomial, coefficient in other.terms:
            found[monomial] = found.get(monomial, Fraction(0)) + coefficient
        return _summed(found)

    def __neg__(self) -> Value:
        """The opposite."""
        return Value(tuple((monomial, -coefficient) for monomial, coefficient in self.terms))

    def __mul__(self, other: Value) -> Value:
        """The product."""
        found: dict[Monomial, Fraction] = {}
        for ours, left in self.terms:
            for theirs, right in other.terms:
                monomial, factor = _multiplied(ours, theirs)
                found[monomial] = found.get(monomial, Fraction(0)) + left * right * factor
        return _summed(found)

    def __truediv__(self, other: Value) -> Value:
        """The quotient; a sum with square roots in a denominator is made rational.

        Raises
        ------
        NoValue
            The divisor is zero, or a sum with other roots or π in it.
        """
        above, below = self, other
        while len(below.terms) > 1:
            root = next((g for monomial, _ in below.terms for g, power in monomial if g and power == Fraction(1, 2)), 0)
            if not root or any(g == PI or power.denominator > 2 for m, _ in below.terms for g, power in m):
                raise NoValue("a sum in a denominator is read with square roots only")
            conjugate = Value(tuple((m, -c if root in dict(m) else c) for m, c in below.terms))
            above, below = above * conjugate, below * conjugate
        if not below.terms:
            raise NoValue("it divides by zero")
        (monomial, coefficient), *_ = below.terms
        inverse = Value.of(1 / coefficient)
        for generator, power in monomial:
            inverse = inverse * _generator(generator, -power)
        return above * inverse

    def power(self, exponent: Fraction) -> Value:
        """A power.

        Raises
        ------
        NoValue
            It is the even root of a negative number, a root of a sum, or beyond what is computed.
        """
        if exponent.denominator == 1:
            return self._whole_power(int(exponent))
        if len(self.terms) != 1:
            if not self.terms and exponent > 0:
                return self
            raise NoValue("roots of sums are not read")
        (monomial, coefficient), *_ = self.terms
        sign = 1
        if coefficient < 0:
            if exponent.denominator % 2 == 0:
                raise NoValue("an even root of a negative number is not real")
            sign = -1 if exponent.numerator % 2 else 1
        found = Value.of(sign)
        for part, direction in ((abs(coefficient.numerator), 1), (coefficient.denominator, -1)):
            for prime, times in _factors(part).items():
                found = found * _generator(prime, exponent * times * direction)
        for generator, own in monomial:
            found = found * _generator(generator, own * exponent)
        return found

    def _whole_power(self, exponent: int) -> Value:
        if exponent < 0:
            return Value.of(1) / self._whole_power(-exponent)
        size = max((abs(math.log10(abs(c))) for _, c in self.terms), default=0.0)
        if exponent > 200 or size * exponent > 60:
            raise NoValue("the power is too large")
        found = Value.of(1)
        for _ in range(exponent):
            found = found * self
        return found

    def __float__(self) -> float:
        """The nearest double, about."""
        return math.fsum(
            float(coefficient) * math.prod((math.pi if g == PI else float(g)) ** float(p) for g, p in monomial)
            for monomial, coefficient in self.terms
        )

    @property
    def text(self) -> str:
        """How it is written, from which it can be read again.

        Examples
        --------
        >>> (Value.of(Fraction(2, 3)) * Value.pi()).text, Value.of(Fraction(-1, 2)).text
        ('2/3*π', '-1/2')
        """
        written = "".join(_written(monomial, coefficient) for monomial, coefficient in self.terms)
        return written.removeprefix("+") or "0"


def _summed(found: Mapping[Monomial, Fraction]) -> Value:
    kept = {monomial: coefficient for monomial, coefficient in found.items() if coefficient}
    if any(max(abs(c.numerator), c.denominator) > _LARGEST for c in kept.values()):
        raise NoValue("a number in it is too long")
    return Value(tuple(sorted(kept.items())))


def _multiplied(ours: Monomial, theirs: Monomial) -> tuple[Monomial, Fraction]:
    """The product of two monomials, whole powers of primes taken out as a factor."""
    exponents = dict(ours)
    for generator, power in theirs:
        exponents[generator] = exponents.get(generator, Fraction(0)) + power
    factor = Fraction(1)
    for generator in [g for g in exponents if g != PI]:
        whole = math.floor(exponents[generator])
        exponents[generator] -= whole
        factor *= Fraction(generator) ** whole
    return tuple(sorted((g, power) for g, power in exponents.items() if power)), factor


def _generator(generator: int, power: Fraction) -> Value:
    if abs(power) > 200:
        raise NoValue("the power is too large")
    monomial, factor = _multiplied((), ((generator, power),))
    return _summed({monomial: factor})


def _factors(number: int) -> dict[int, int]:
    """The prime factors of a number above zero, with how often each divides it.

    Raises
    ------
    NoValue
        The number is too large to be factored here.
    """
    if number > _FACTORED:
        raise NoValue("roots of numbers so large are not taken")
    found: dict[int, int] = {}
    divisor = 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            found[divisor] = found.get(divisor, 0) + 1
            number //= divisor
        divisor += 1
    return found | ({number: found.get(number, 0) + 1} if number > 1 else {})


def _written(monomial: Monomial, coefficient: Fraction) -> str:
    sign, size = ("-" if coefficient < 0 else "+"), abs(coefficient)
    parts = [] if size == 1 and monomial else [str(size)]
    for generator, power in monomial:
        name = "π" if generator == PI else str(generator)
        if generator != PI and power == Fraction(1, 2):
            parts.append(f"√{name}")
        else:
            parts.append(name if power == 1 else f"{name}^({power})")
    return sign + "*".join(parts)
