"""Evaluators that ask a judge: pinned, with a deadline, and with a limit that all who ask the same judge share."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from driftgate.flows.evaluators._asking import COST, READ, REASKED, GradeForm, Grading, NoGrade, desk_of
from driftgate.flows.evaluators._judge import Judge, pin_id
from driftgate.flows.evaluators._replies import empty_reply, nothing_to_grade
from driftgate.flows.evaluators._reply_value import Scale
from driftgate.flows.models import ContentFiltered, ModelError, Redirected

__all__ = ["COST", "READ", "REASKED", "Grader", "JudgedEvaluator", "Kind", "NoGrade"]


@dataclass(frozen=True)
class Kind:
    """What is graded, and on which scale."""

    key: str
    """The metric."""
    inputs: tuple[str, ...]
    """What it has to be given."""
    optional: tuple[str, ...] = ()
    lowest: float = 1.0
    highest: float = 5.0

    @property
    def scale(self) -> Scale:
        """From the lowest grade to the highest."""
        return Scale(self.lowest, self.highest)


class Grader(Protocol):
    """How a grade is asked for."""

    @property
    def reads(self) -> bool:
        """Whether each reply of the judge is one grade on the scale, to be read by us."""

    @property
    def language(self) -> str:
        """That of the prompt: ``ko`` or ``en``."""

    def identity(self) -> Mapping[str, Any]:
        """What decides a grade beside the text and the judge."""

    def open(self) -> None:
        """Make ready what needs a key."""

    async def grade(self, grading: Grading, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for one grade; gives the grade under the kind's key, and what is told beside it."""


@dataclass(frozen=True)
class JudgedEvaluator:
    """One evaluator with its judge."""

    kind: Kind
    judge: Judge
    grader: Grader = field(repr=False)
    threshold: float
    deadline: float = 60.0
    in_flight: int = 32
    version: str = ""

    def __post_init__(self) -> None:
        if self.in_flight < 1 or self.deadline <= 0:
            raise ValueError(
                f"in_flight is {self.in_flight} and deadline {self.deadline}, expected both to be positive"
            )

    @cached_property
    def pin(self) -> Mapping[str, Any]:
        """Everything that decides a grade beside the text: evaluator, its version and prompts, and the judge."""
        return {**self.grader.identity(), "judge": {**self.judge.identity(), "version": self.version}}

    @cached_property
    def pin_id(self) -> str:
        """Hash of the pin."""
        return pin_id(self.pin)

    @property
    def metrics(self) -> tuple[str, ...] | None:
        """The numbers that a grade comes with; None where only a call tells."""
        if not self.grader.reads:
            return None
        prices = self.judge.config.prices
        priced = (COST,) if prices.input or prices.output else ()
        return (self.kind.key, "passed", "input_tokens", "output_tokens", *priced, READ, REASKED)

    def open(self) -> None:
        """Make ready what needs the judge's key.

        Raises
        ------
        DriftgateError
            A variable of the environment is not set.
        """
        self.judge.model_config()
        self.grader.open()

    async def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Grade one text.

        Returns
        -------
        dict
            The grade under the evaluator's own name, ``passed`` (it reaches the threshold), ``reason``, ``judge`` (the
            model that the service says it served), ``input_tokens``, ``output_tokens`` and, where the judge has
            prices, ``cost``; None where the service did not say how many tokens it took. ``read`` is 1, and
            ``reasked`` 1 where the judge had to be asked again before its reply could be read.

        Raises
        ------
        NoGrade
            There is nothing to grade, and the judge was not asked; or it failed, gave no number in range, or did not
            answer by the deadline.
        ModelMisconfigured
            Its service redirects to another address.
        """
        if nothing_to_grade(inputs):
            raise NoGrade(str(empty_reply()))
        desk = desk_of(self.judge, self.in_flight)
        form = GradeForm(self.kind.scale, self.kind.key, self.grader.language) if self.grader.reads else None
        grading = Grading(self.judge, desk, form)
        async with desk.limit:
            try:
                async with asyncio.timeout(self.deadline):
                    result = await self.grader.grade(grading, inputs)
            except TimeoutError as late:
                raise late_grade(grading, self.deadline, late) from None
            except NoGrade:
                raise
            except Exception as problem:  # azure-ai-evaluation raises its own classes, and so does anybody's function
                raise failed_grade(grading, problem) from problem
        return self._told(result, grading)

    def _told(self, result: Mapping[str, Any], grading: Grading) -> dict[str, Any]:
        key, spent = self.kind.key, grading.spent
        grade = result.get(key)
        if not self.grader.reads and key not in result:  # of several grades none is the evaluator's own
            return {**result, "judge": grading.served, **spent}
        if isinstance(grade, bool) or not isinstance(grade, (int, float)) or math.isnan(grade):
            reason = str(result.get("reason") or "")
            raise NoGrade(f"the judge gave no grade{': ' + reason if reason else ''}", spent)
        if not self.kind.lowest <= grade <= self.kind.highest:
            raise NoGrade(f"the judge gave {grade:g}, expected {self.kind.scale}", spent)
        passed = result.get("passed", grade >= self.threshold)
        return {**result, key: float(grade), "passed": float(passed), "judge": grading.served, **spent}


def late_grade(grading: Grading, deadline: float, late: TimeoutError) -> NoGrade:
    """What is said of a grade that did not come in time."""
    said = _last_said(late) or grading.unread
    why = f"the judge '{grading.judge.name}' gave no grade within {deadline:g} s"
    return NoGrade(f"{why} ({said})" if said else why, grading.spent)


def failed_grade(grading: Grading, problem: Exception) -> Exception:
    """What an exception of whoever asked the judge means."""
    if grading.unread:
        return NoGrade(grading.unread, grading.spent)
    error = grading.calls[-1].error if grading.calls else None
    if isinstance(error, Redirected):
        return error
    if isinstance(error, ModelError):
        return NoGrade(error.message, grading.spent, refused=isinstance(error, ContentFiltered))
    return NoGrade(_words(problem), grading.spent)


def _last_said(late: BaseException) -> str:
    """What the service said last to a request that was given up at the deadline."""
    cause: BaseException | None = late
    while cause is not None:
        if isinstance(cause, ModelError):
            return cause.message
        cause = cause.__cause__
    return ""


def _words(problem: BaseException) -> str:
    inner = problem
    while inner.__cause__ is not None:
        inner = inner.__cause__
    return f"{type(inner).__name__}: {' '.join(str(inner).split())}"[:300]
