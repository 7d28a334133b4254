"""Check by simulation how often a rollout takes back what is no worse, and promotes what is.

A candidate gets 10, 50 and 100% of the traffic. At every look some calls came in, and its canaries are asked by name
where the verdict wants them, through the functions that a real rollout is judged by. Its answers are recorded models'
with made-up repeats (`benchmarks.perf._recorded_letters`); one call in a hundred fails, is refused or not understood.
What stays undecided for a week is rolled back too, and is counted apart: it waited. Run it from the project's root:

    python -m benchmarks.perf.rollout_table --simulations 200

Exits with 1 if what is no worse is rolled back, or what is worse promoted, in more than 5% and two standard errors.
"""

from __future__ import annotations

import argparse
import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.perf._recorded_letters import Letters, Random, recorded
from driftgate.api.rollout_evidence import ask_until_shown, calls_no_worse, risk_of_each, same_answers
from driftgate.finetune.deploy import Judged, RolloutConfig, gravest

SHARES = (10, 50, 100)
LOOKS = 28
"""A look every six hours, for a week."""
USUAL = 0.01
MARGIN, NEEDED = (float(RolloutConfig.model_fields[name].default) for name in ("margin", "agreement"))
ALLOWED = 0.05
ENDS = ("promoted", "rolled back", "waited")


@dataclass(frozen=True)
class World:
    """What a candidate does once it has some traffic."""

    name: str
    never: tuple[str, ...]
    """How it may end in at most 5%."""
    becomes: Callable[[Random, str, Letters], Letters | str] = lambda _, name, usual: name
    """The model, or the usual answers, that it answers by from the first live request on."""
    bad: float = USUAL
    """The share of its calls that fail or are refused or not understood."""
    calls: int = 400
    """Of all deployments, between two looks."""


def _other(rng: Random, name: str, usual: Letters) -> str:
    return str(rng.choice([one for one in recorded("CLIcK").models if one != name]))


def _nearest(rng: Random, name: str, usual: Letters) -> str:
    models = recorded("CLIcK").models
    return max((one for one in models if one != name), key=lambda one: float((models[one] == usual).mean()))


WORLDS = (
    World("the same", ("rolled back",)),
    World("the same, 60 calls a look", ("rolled back",), calls=60),
    World("the same, fewer calls fail", ("rolled back",), bad=0.0),
    World("swapped for another model", ("promoted",), _other),
    World("swapped for the most similar", (), _nearest),
    World("always answers D", ("promoted",), lambda _, __, usual: np.full(usual.size, "D")),
    World("calls worse by the margin", ("promoted",), bad=USUAL + MARGIN),
    World("calls worse by 5 points", ("promoted",), bad=USUAL + 0.05),
    World("calls worse by 20 points", ("promoted",), bad=USUAL + 0.20),
    World("no calls in telemetry", ("promoted", "rolled back"), calls=0),
)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--simulations", type=int, default=200)
    asked.add_argument("--canaries", type=int, default=60)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--only", default="", help="what a candidate does, or its beginning: the others are left out")
    given = asked.parse_args()
    print(
        f"{given.simulations} simulations, {given.canaries} canaries, seed {given.seed}; looks until it ended: median"
    )
    print(f"{'what the candidate does':32}" + "".join(f"{end:>13}" for end in ENDS) + f"{'looks':>7}")
    wrong = False
    for place, world in enumerate(WORLDS):
        if not world.name.startswith(given.only):
            continue
        ends, looks = Counter[str](), []
        for simulation in range(given.simulations):
            rng = np.random.default_rng([given.seed, place, simulation])
            ended, took = asyncio.run(_play(world, rng, given.canaries))
            ends[ended] += 1
            looks.append(took)
        rates = {end: ends[end] / given.simulations for end in ENDS}
        columns = "".join(f"{rates[end]:13.1%}" for end in ENDS)
        print(f"{world.name:32}{columns}{float(np.median(looks)):7.0f}", flush=True)
        most = ALLOWED + 2 * math.sqrt(ALLOWED * (1 - ALLOWED) / given.simulations)
        wrong |= any(rates[end] > most for end in world.never)
    raise SystemExit(int(wrong))


async def _play(world: World, rng: Random, canaries: int) -> tuple[str, int]:
    """How a rollout ends, and after how many looks."""
    known = recorded("CLIcK")
    name = str(rng.choice(list(known.models)))
    usual = known.models[name]
    chosen = rng.choice(usual.size, canaries, replace=False)

    def answers(of: Letters | str) -> pd.DataFrame:
        model, by = (of, known.models[of]) if isinstance(of, str) else (name, of)
        said = by[chosen] if not isinstance(of, str) else known.repeats(model, by, 1, rng, chosen)[0]
        return pd.DataFrame({"key": chosen, "outcome": "answered", "answer": said})

    unchanged, becomes = [answers(name) for _ in range(3)], world.becomes(rng, name, usual)
    earlier = _calls(rng, 8_000, 0, USUAL)
    risk = risk_of_each(len(SHARES), False, 1, 1)
    look = 0  # of all shares
    for share in SHARES:
        since, rounds = [earlier[:0]], list[pd.DataFrame]()

        async def ask(number: int, rounds: list[pd.DataFrame]) -> pd.DataFrame:
            if number == len(rounds):
                rounds.append(answers(becomes))
            return rounds[number]

        for _ in range(LOOKS):
            look += 1
            since.append(_calls(rng, world.calls, share, world.bad))
            found = calls_no_worse(pd.concat(since), earlier, {"new"}, MARGIN, share=share, risk=risk)
            if found.verdict != "fail":
                by_name = partial(ask, rounds=rounds)
                found = gravest([found, await ask_until_shown(by_name, partial(_alike, unchanged, risk), len(rounds))])
            if found.verdict in ("pass", "fail"):
                break
        if found.verdict == "fail":
            return "rolled back", look
        if found.verdict != "pass":
            return "waited", look
    return "promoted", look


def _alike(unchanged: Sequence[pd.DataFrame], risk: float, rounds: Sequence[pd.DataFrame]) -> Judged:
    return same_answers(rounds, unchanged[0], unchanged[1:], NEEDED, "canaries", risk)


def _calls(rng: Random, count: int, share: int, bad: float) -> pd.DataFrame:
    """So many calls, of which the candidate answers its share; half of those that are bad failed."""
    new = rng.random(count) * 100 < share
    wrong = rng.random(count) < np.where(new, bad, USUAL)
    failed = wrong & (rng.random(count) < 0.5)
    return pd.DataFrame(
        {
            "response_model": np.where(failed, "", np.where(new, "new", "old")),
            "error": np.where(failed, "503", ""),
            "refused": (wrong & ~failed).astype(float),
            "unparsed": 0.0,
        }
    )


if __name__ == "__main__":
    main()
