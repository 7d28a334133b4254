"""Where a function of one number crosses zero; `scipy.optimize` would take longer to import than this to run."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["find_root"]


def find_root(function: Callable[[float], float], low: float, high: float, *, tolerance: float) -> float:
    """A number between `low` and `high` at which `function` changes its sign, to within `tolerance`.

    Inverse quadratic interpolation where it is safe, else bisection, after Chandrupatla [1]_.

    Raises
    ------
    ValueError
        If the function has the same sign at both ends.

    References
    ----------
    .. [1] Chandrupatla (1997). A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function
       without using derivatives. Advances in Engineering Software 28, 145-149.

    Examples
    --------
    >>> round(find_root(lambda x: x**3 - 2.0, 0.0, 2.0, tolerance=1e-12), 10)
    1.2599210499
    """
    # `a` is the newest point, the root lies between `a` and `b`, and `c` is the point before.
    a, b = high, low
    at_a, at_b = function(a), function(b)
    if at_a == 0.0 or at_b == 0.0:
        return b if at_b == 0.0 else a
    if at_a * at_b > 0.0:
        raise ValueError(f"the function is {at_b:g} at {low:g} and {at_a:g} at {high:g}: it does not cross zero.")
    c, at_c = a, at_a
    part = 0.5
    while True:
        point = a + part * (b - a)
        value = function(point)
        if (value > 0.0) == (at_a > 0.0):
            c, at_c = a, at_a
        else:
            c, at_c = b, at_b
            b, at_b = a, at_a
        a, at_a = point, value
        best, at_best = (a, at_a) if abs(at_a) < abs(at_b) else (b, at_b)
        least = (2.0**-51 * abs(best) + tolerance) / abs(b - a)
        if at_best == 0.0 or least > 0.5:
            return best
        where, rise = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
        if rise**2 < where and (1.0 - rise) ** 2 < 1.0 - where:
            part = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            part += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        else:
            part = 0.5
        part = min(max(part, least), 1.0 - least)
