"""Whatever was raised, told to a person."""

from __future__ import annotations

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, extra_of


def in_words(problem: Exception) -> DriftgateError:
    """An exception in words for a person; one that nobody foresaw is a defect, and is said to be one.

    Examples
    --------
    >>> print(in_words(ZeroDivisionError("division by zero")).message)
    a defect of driftgate, ZeroDivisionError: division by zero
    """
    while isinstance(problem, ExceptionGroup) and len(problem.exceptions) == 1:
        problem = problem.exceptions[0]
    if isinstance(problem, DriftgateError):
        return problem
    if isinstance(problem, ModuleNotFoundError) and (extra := extra_of(problem.name or "")) is not None:
        return MissingExtra(extra, "it")
    if isinstance(problem, OSError):
        return DriftgateError(f"the system refused: {problem}", "free space or correct the rights, then try again")
    words = f"a defect of driftgate, {type(problem).__name__}: {' '.join(str(problem).split())}"
    return DriftgateError(words, "please report it with what `driftgate --debug ...` says")
