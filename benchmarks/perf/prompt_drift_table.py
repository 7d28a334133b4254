"""Is a model that only answers unsteadily ever called sensitive, and how soon is one found that is?

Made-up models, asked questions of four choices: as many answers to the question as it stands as ``k`` says, and two in
another form. The unsteady one answers from its own distribution for each question, drawn anew: half of the questions
steadily, the others with a chance of 0.5 to 0.9 of its usual answer. The sensitive one gives a share of the questions
another usual answer in the other form. A look has five other forms, of which one moves the answers or none does; it
calls a form by the product's own test, floor and correction, at the level named. Also of two looks: a model that became
less steady, or that answers other things than before. Run it from the project's root (minutes):

    python -m benchmarks.perf.prompt_drift_table
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd

from driftgate.monitor.config import MonitorConfig
from driftgate.monitor.prompt_drift import against_reference, findings, within_look

FORMS = ("option_order", "politeness", "typos", "whitespace", "paraphrase")
OTHERWISE = 2
WEEKLY = MonitorConfig.model_validate(
    {"champion": "a", "canaries": {"dataset": "a"}, "prompt_drift": {"every_days": 7}}
).prompt_budget.level
"""The level of a weekly look with the budget that a monitor has where nobody says otherwise."""
CHOICES = 4

Random = np.random.Generator


def habits(rng: Random, questions: int) -> np.ndarray:
    """Of each question the chance of each answer; half of the questions are answered steadily."""
    usual = np.where(rng.random(questions) < 0.5, 1.0, rng.uniform(0.5, 0.9, questions))
    chances = np.repeat(((1.0 - usual) / (CHOICES - 1))[:, None], CHOICES, axis=1)
    chances[np.arange(questions), rng.integers(CHOICES, size=questions)] = usual
    return chances


def moved(rng: Random, chances: np.ndarray, share: float) -> np.ndarray:
    """The chances where a share of the questions has another usual answer."""
    count = round(share * len(chances))
    chosen = rng.choice(len(chances), count, replace=False)
    changed = chances.copy()
    changed[chosen] = np.roll(chances[chosen], 1, axis=1)
    return changed


def unsteadier(rng: Random, chances: np.ndarray, share: float) -> np.ndarray:
    """The chances where a share of the questions is answered at random."""
    chosen = rng.choice(len(chances), round(share * len(chances)), replace=False)
    changed = chances.copy()
    changed[chosen] = 1.0 / CHOICES
    return changed


def answers(rng: Random, chances: np.ndarray, times: int, form: str = "") -> pd.DataFrame:
    """Answers to each question, as a look has them."""
    drawn = (rng.random((times, len(chances), 1)) > np.cumsum(chances, axis=1)[None]).sum(axis=2)
    keys = np.tile(np.arange(len(chances)), times)
    kinds = np.minimum(drawn, CHOICES - 1).ravel()
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2026-11-01", tz="UTC"),
            "key": keys,
            "slice": "",
            "form": form,
            "kind": kinds,
            "correct": (kinds == chances.argmax(axis=1)[keys]).astype(float),
        }
    )


def look(rng: Random, chances: np.ndarray, k: int, *, sensitive: float = 0.0) -> pd.DataFrame:
    """A look at a model that is sensitive to the first form, or to none."""
    forms = [moved(rng, chances, sensitive if form == FORMS[0] else 0.0) for form in FORMS]
    frames = [answers(rng, chances, k)]
    frames += [answers(rng, there, OTHERWISE, form) for form, there in zip(FORMS, forms, strict=True)]
    return pd.concat(frames, ignore_index=True)


def called(frame: pd.DataFrame, level: float) -> set[str]:
    """The signals of a look that alarm."""
    return {one.signal.name for one in findings(within_look(frame), {}, level) if one.alarms(level)}


def called_in_time(before: pd.DataFrame, now: pd.DataFrame, level: float) -> set[str]:
    """The signals against the reference that alarm."""
    return {one.signal.name for one in findings(against_reference(before, now), {}, level) if one.alarms(level)}


def share(found: Sequence[bool]) -> str:
    """A share in percent with its standard error."""
    rate, n = float(np.mean(found)), len(found)
    middle = (sum(found) + 1) / (n + 2)
    return f"{100 * rate:.1f} ± {100 * np.sqrt(middle * (1 - middle) / n):.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, runs = np.random.default_rng(given.seed), range(given.runs)
    print(f"unsteady models called sensitive, or changed, in percent of {given.runs} looks\n")
    print("| questions | k | at level 0.05: any form | in time | at the weekly level: any form | in time |")
    print("|---|---|---|---|---|---|")
    for questions in (50, 100):
        for k in (3, 5, 10):
            seen: dict[tuple[str, float], list[bool]] = {}
            for _ in runs:
                chances = habits(rng, questions)
                frame, later = look(rng, chances, k), answers(rng, chances, k)
                for level in (0.05, WEEKLY):
                    seen.setdefault(("form", level), []).append(bool(called(frame, level)))
                    before = frame[frame["form"] == ""]
                    seen.setdefault(("time", level), []).append(bool(called_in_time(before, later, level)))
            cells = [share(seen[what, level]) for level in (0.05, WEEKLY) for what in ("form", "time")]
            print(f"| {questions} | {k} | {' | '.join(cells)} |", flush=True)
    print(f"\nfound in one weekly look (level {WEEKLY:.2g}), in percent\n")
    print("| questions | k | order moves 10% | 20% | 30% | 20% random: agreement | 20% another answer: churn |")
    print("|---|---|---|---|---|---|---|")
    for questions in (50, 100):
        for k in (3, 5, 10):
            cells = []
            for moving in (0.1, 0.2, 0.3):
                looks = [look(rng, habits(rng, questions), k, sensitive=moving) for _ in runs]
                cells.append(share([f"sensitivity_{FORMS[0]}" in called(frame, WEEKLY) for frame in looks]))
            for change, signal in ((unsteadier, "repeat_agreement"), (moved, "answer_churn")):
                found = []
                for _ in runs:
                    chances = habits(rng, questions)
                    before = answers(rng, chances, 2 * k)
                    found.append(signal in called_in_time(before, answers(rng, change(rng, chances, 0.2), k), WEEKLY))
                cells.append(share(found))
            print(f"| {questions} | {k} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
