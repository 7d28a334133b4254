"""Have a judge grade texts of a file, within a budget; what was paid for before an interruption is not paid again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from driftgate.benchmarks.calibration import Asked
from driftgate.benchmarks.labelled import JudgeSaid
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import COST, JudgedEvaluator, NoGrade
from driftgate.ledger import KeptGrade, Ledger, keep_grades, kept_grades


@dataclass
class _Budget:
    """What grades cost so far, and whether another one may be asked for."""

    limit: float | None
    spent: float = 0.0
    known: bool = True

    def add(self, cost: float | None) -> None:
        self.spent += cost or 0.0
        self.known &= cost is not None

    @property
    def used(self) -> str:
        """Why nothing more is asked for; empty where it may be."""
        if self.limit is None:
            return ""
        if self.spent >= self.limit:
            return f"the limit of {self.limit:g} on cost is reached ({self.spent:.4g} spent)"
        if not self.known:
            return (
                f"the limit of {self.limit:g} on cost cannot be kept: the service did not say how many tokens a grade "
                f"took ({self.spent:.4g} spent beside it)"
            )
        return ""


def check_limit(judge: JudgedEvaluator, limit: float | None) -> None:
    """Refuse a limit on cost that cannot be kept, before anything is asked.

    Raises
    ------
    DriftgateError
        It is not positive, or the judge has no price.
    """
    if limit is None:
        return
    if not 0 < limit < math.inf:
        raise DriftgateError(f"the limit on cost is {limit:g}", "name a finite one above 0, or none")
    lacking = judge.judge.config.prices.lacking
    if lacking:
        raise DriftgateError(
            f"the limit of {limit:g} on cost cannot be kept: the judge '{judge.judge.name}' has no price of "
            f"{lacking} tokens",
            "give both under its prices (0 where they cost nothing), or leave --max-cost out",
        )


@dataclass
class _Desk:
    """Texts in the order of their file, as they are handed out and graded."""

    ledger: Ledger
    evaluator: str
    judge: JudgedEvaluator
    budget: _Budget
    left: list[int]

    async def grade(self, inputs: Mapping[str, str]) -> JudgeSaid:
        try:
            found = await self.judge(**inputs)
        except NoGrade as problem:
            self.budget.add(problem.spent.get(COST, 0.0))
            return JudgeSaid(None, None, str(problem))
        self.budget.add(found.get(COST, 0.0))
        grade, passed = found[self.judge.kind.key], found["passed"] > 0.5
        kept = [KeptGrade(_hash(inputs), grade, passed)]  # at once: who is killed has paid for it all the same
        await asyncio.shield(asyncio.to_thread(keep_grades, self.ledger, self.judge.pin_id, self.evaluator, kept))
        return JudgeSaid(grade, passed)


async def grade_texts(
    ledger: Ledger,
    evaluator: str,
    judge: JudgedEvaluator,
    texts: Sequence[Mapping[str, str]],
    limit: float | None,
    advance: Callable[[int, int], None],
) -> tuple[list[JudgeSaid], Asked]:
    """Grade texts, as many at once as the judge takes.

    Parameters
    ----------
    evaluator : str
        ``node.evaluator``.
    texts : sequence of mapping
        What the judge is given, by input.
    limit : float, optional
        What it may cost, in the currency of the judge's prices; grades under way when it is reached are still paid.
    advance : callable
        Told how many are graded, and of how many.

    Returns
    -------
    tuple
        What the judge says of each text, and what it took.

    Raises
    ------
    DriftgateError
        The limit is reached, or cannot be kept. The grades so far are kept for the next command.
    """
    kept = {one.text: JudgeSaid(one.grade, one.passed) for one in kept_grades(ledger, judge.pin_id, evaluator)}
    found = {number: said for number, text in enumerate(texts) if (said := kept.get(_hash(text))) is not None}
    again = len(found)
    left = [number for number in range(len(texts)) if number not in found]
    desk = _Desk(ledger, evaluator, judge, _Budget(limit), left[::-1])
    advance(len(found), len(texts))

    async def work() -> None:
        while desk.left and not desk.budget.used:
            number = desk.left.pop()
            found[number] = await desk.grade(texts[number])
            advance(len(found), len(texts))

    await asyncio.gather(*(work() for _ in range(min(judge.in_flight, len(left)))))
    if desk.left:
        raise DriftgateError(
            f"{desk.budget.used}, with {len(found):,} of {len(texts):,} texts graded",
            "the grades so far are kept: give the same command again with a limit for the rest"
            if desk.budget.known
            else "take --max-cost out, or ask a service that counts its tokens; the grades so far are kept",
        )
    if all(said.grade is not None for said in found.values()):
        # What is whole is asked for anew by the next command; where grades lack, it asks for these alone.
        keep_grades(ledger, judge.pin_id, evaluator, [], done=True)
    prices = judge.judge.config.prices
    priced = desk.budget.known and (prices.known or not left)
    cost = desk.budget.spent if priced else None
    return [found[number] for number in range(len(texts))], Asked(len(left), again, cost, prices.currency)


def _hash(inputs: Mapping[str, str]) -> str:
    """Of what the judge is given, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
