"""Measure what evaluators take for equal, on labelled Korean cases: wrong by measure, wrong ones listed.

Run from the project's root::

    python -m benchmarks.perf.equal_table

``equal_cases.csv`` beside this file holds the cases: the measure, the response, what is wanted, whether it is right,
and the part. The part ``frozen`` was written and committed before any rule was
written or any result seen, ``open`` while the rules were made, and ``held`` after
them: it was committed before its first run. The parts ``blind``, ``blind2`` and ``blind3`` were written and
labelled by somebody who had not seen the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from driftgate.flows.evaluators import EVALUATORS

CASES = Path(__file__).with_name("equal_cases.csv")


def _grade(name: str, metric: str, said: str, truth: str) -> Callable[[str, str], bool]:
    """A judgement of right and wrong by one metric of an evaluator, from its two inputs."""

    def grade(response: str, wanted: str) -> bool:
        evaluate = EVALUATORS.get(name)()
        value = [wanted] if truth in ("parts", "passages") else wanted
        try:
            found = evaluate(**{said: response, truth: value})
        except ValueError:  # it refuses the right answer, and grades nobody by it
            return False
        return float(found[metric]) > 0.999

    return grade


MEASURES: dict[str, Callable[[str, str], bool]] = {
    "number": _grade("numeric", "correct", "response", "ground_truth"),
    "match": _grade("normalised_match", "match", "response", "ground_truth"),
    "contained": _grade("normalised_match", "contained", "response", "ground_truth"),
    "words": _grade("f1", "f1", "response", "ground_truth"),
    "part": _grade("contains", "complete", "text", "parts"),
    "support": _grade("support", "numbers", "answer", "passages"),
    "claim": _grade("support", "supported", "answer", "passages"),
}
"""Which evaluator's metric a measure is of."""


def graded() -> pd.DataFrame:
    """Every case with what the evaluators make of it: columns ``found`` and ``wrong`` beside those of the file."""
    cases = pd.read_csv(CASES, keep_default_na=False, dtype=str)
    cases["response"] = cases.response.str.replace("\\n", "\n")  # a line of the file is a case
    found = [MEASURES[m](r, w) for m, r, w in zip(cases.measure, cases.response, cases.wanted, strict=True)]
    right = cases.right == "1"
    return cases.assign(right=right, found=found, wrong=right != pd.Series(found, index=cases.index))


def main() -> None:
    """Print the table by measure and part, and each case that is graded wrongly."""
    cases = graded()
    print("| measure | part | cases | wrong | passed wrongly | missed |\n|---|---|--:|--:|--:|--:|")
    for (measure, part), group in cases.groupby(["measure", "part"], sort=False):
        wrong, passed = int(group.wrong.sum()), int((group.wrong & group.found).sum())
        print(f"| {measure} | {part} | {len(group)} | {wrong} | {passed} | {wrong - passed} |")
    print("\n| measure | cases | wrong |\n|---|--:|--:|")
    for measure, group in cases.groupby("measure", sort=False):
        print(f"| {measure!s} | {len(group)} | {int(group.wrong.sum())} |")
    print(f"\n{len(cases)} cases, {int(cases.wrong.sum())} wrong")
    for case in cases[cases.wrong].itertuples():
        what = "passed" if case.found else "missed"
        print(f"- {case.part} {case.measure}: {case.response!r} for {case.wanted!r} is {what}")


if __name__ == "__main__":
    main()
