"""Measure the evaluators of how a model speaks on labelled Korean cases: precision, recall, what is told wrongly.

Run from the project's root::

    python -m benchmarks.perf.speech_table [--show PART]
    python -m benchmarks.perf.speech_table FILE --evaluator refusal
    python -m benchmarks.perf.speech_table --time

``speech_cases.csv`` beside this file holds the cases: part, evaluator, kind, text, what else the evaluator is given,
and what is wanted of it. The parts ``open`` and ``held`` were written and committed before any rule; ``open`` was
looked at while the rules were made, ``held`` was not. The part ``later`` was written against the first rules, to break
them.
The parts ``blind``, ``blind2`` and ``blind3`` were written by somebody else who saw neither code nor cases, each run
once, and then opened, and so was ``blind4``, by which nothing was mended; ``near`` are neighbours of what was told
wrongly in ``blind3``. ``speech_hands.csv`` has texts by nine writers of refusals and four of abuse, who looked for
words that do not come to mind first: no rule was mended by them, and the readers of ``driftgate.flows.learned`` were
trained on them, so that what these tell of them here is no measure. How they tell a writer who was left out,
``python -m benchmarks.perf.speech_training`` prints.

FILE is such a file of somebody new, with the columns kind, text and wanted. Of refusals and abuse the table also says
what the rules find alone.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time

import pandas as pd

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.refusals import refuses_by_rules

CASES = Path(__file__).with_name("speech_cases.csv")
HANDS = Path(__file__).with_name("speech_hands.csv")

Answer = frozenset[str]
"""What is found: of a yes or no ``{"1"}`` or nothing, of citations the ids."""


@cache
def _made(name: str, **settings: float) -> Callable[..., dict[str, float]]:
    made: Callable[..., dict[str, float]] = EVALUATORS.get(name)(**settings)
    return made


def _yes(value: float) -> Answer:
    return frozenset(["1"] if value > 0.999 else [])


def _cited(text: str, ids: str) -> Answer:
    """The passages that an answer cites, and ``?`` where it cites one that is not there."""
    names = ids.split()
    evaluate = _made("citations")

    def valid(known: list[str]) -> bool:
        found = evaluate(answer=text, passages=[{"id": name, "text": "연차"} for name in known])
        return bool(found["cited"] > 0 and found["valid"] > 0)

    # each id is asked for alone, through the metrics: with the others unknown, a mark is valid by this one
    found = {name for name in names if valid([name if name == other else f"{other}~" for other in names])}
    whole = evaluate(answer=text, passages=[{"id": name, "text": "연차"} for name in names])
    return frozenset(found | ({"?"} if whole["cited"] > 0 and whole["valid"] < 0.999 else set()))


def _within(text: str, given: str) -> Answer:
    """Whether a text keeps its script; one that is not there, which is an error of its sample, does not."""
    try:
        return _yes(_made("language", minimum=float(given))(text=text)["within"])
    except DriftgateError:
        return frozenset()


EVALUATED: dict[str, Callable[[str, str], Answer]] = {
    "refusal": lambda text, given: _yes(_made("refusal")(text=text)["refused"]),
    "toxicity": lambda text, given: _yes(_made("toxicity")(text=text)["toxic"]),
    "language": _within,
    "citations": _cited,
    "support": lambda text, given: _yes(_made("support")(answer=text, passages=given.split(" ## "))["supported"]),
}
"""What each evaluator finds in a case."""
BY_RULES: dict[str, Callable[[str], bool]] = {
    "refusal": refuses_by_rules,
    "toxicity": lambda text: _made("toxicity")(text=text)["hits"] > 0,
}
"""What the rules find alone, where a reader stands beside them."""


def graded(path: Path = CASES, evaluator: str | None = None) -> pd.DataFrame:
    """Every case with ``hits``, ``false`` and ``missed``: how many answers of it are right, too many, too few.

    ``rules`` says whether the rules alone tell it as it is wanted; where no reader stands beside them it is missing.
    A file of one evaluator's cases need not name it, nor a part.
    """
    cases = pd.read_csv(path, keep_default_na=False, dtype=str)
    for column, value in (("given", ""), ("part", path.stem), ("evaluator", evaluator or "")):
        cases = cases if column in cases else cases.assign(**{column: value})
    cases["text"] = cases.text.str.replace("\\n", "\n")  # a line of the file is a case
    rows = []
    for name, text, given, named in zip(cases.evaluator, cases.text, cases.given, cases.wanted, strict=True):
        found = EVALUATED[name](text, given)
        known = set(given.split()) if name == "citations" else {"1"}
        wanted = frozenset(one if one in known else "?" for one in named.split() if one != "0")
        rules = BY_RULES[name](text) if name in BY_RULES else None
        rows.append((len(found & wanted), len(found - wanted), len(wanted - found), rules))
    told = pd.DataFrame(rows, columns=["hits", "false", "missed", "rules"], index=cases.index)
    return pd.concat([cases, told], axis=1).assign(wrong=(told.false + told.missed) > 0)


def precision_and_recall(cases: pd.DataFrame) -> tuple[float, float]:
    """Over graded cases; what is said of none is NaN."""
    return _shares(*(int(cases[name].sum()) for name in ("hits", "false", "missed")))


def by_rules(cases: pd.DataFrame) -> tuple[float, float]:
    """Precision and recall of the rules alone over graded cases of refusals or abuse."""
    wanted, found = cases.wanted == "1", cases.rules == True  # noqa: E712 - None is neither
    return _shares(int((found & wanted).sum()), int((found & ~wanted).sum()), int((wanted & ~found).sum()))


def _shares(hits: int, false: int, missed: int) -> tuple[float, float]:
    return (
        hits / (hits + false) if hits + false else float("nan"),
        hits / (hits + missed) if hits + missed else float("nan"),
    )


def main() -> None:
    """Print the table by evaluator and part, and each case of one part (or of ``all``) that is told wrongly."""
    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("file", nargs="?", type=Path, help="labelled texts of somebody new: kind, text, wanted")
    asked.add_argument("--evaluator", choices=list(BY_RULES), default="refusal", help="which one the file is for")
    asked.add_argument("--show", default="open", help="the part whose wrong cases are printed, or all")
    asked.add_argument("--time", action="store_true", help="print how long a text takes instead")
    given = asked.parse_args()
    if given.time:
        return _time()
    files = [graded(given.file, given.evaluator)] if given.file else [graded(), graded(HANDS)]
    cases = pd.concat(files, ignore_index=True)
    print("| evaluator | part | cases | wrong | precision / recall | by the rules alone |\n|---|---|--:|--:|--:|--:|")
    for (name, part), group in cases.groupby(["evaluator", "part"], sort=False):
        both = "{:.3f} / {:.3f}".format(*precision_and_recall(group))
        alone = "{:.3f} / {:.3f}".format(*by_rules(group)) if name in BY_RULES else ""
        print(f"| `{name}` | {part} | {len(group)} | {int(group.wrong.sum())} | {both} | {alone} |")
    print(f"\n{len(cases)} cases, {int(cases.wrong.sum())} wrong: {dict(Counter(cases[cases.wrong].part))}")
    for case in cases[cases.wrong & ((cases.part == given.show) | (given.show == "all"))].itertuples():
        what = "found too much" if case.false else "missed"
        print(f"- {case.part} {case.evaluator}: {case.text!r} {what}")


def _time() -> None:
    """Print the processor time that a text of the hands takes, the best of five rounds over 500."""
    for name in BY_RULES:
        table = pd.read_csv(HANDS, keep_default_na=False, dtype=str)
        texts = table[table.evaluator == name].text.sample(500, random_state=1).tolist()
        rounds = []
        for _ in range(5):
            begun = process_time()
            for text in texts:
                EVALUATED[name](text, "")
            rounds.append((process_time() - begun) / len(texts))
        print(f"{name}: {min(rounds) * 1e6:.0f} µs a text")


if __name__ == "__main__":
    main()
