"""How far do a model's answers hang on what should not matter?

Two tables, from answers to a set of samples with a key. Repeatability: the same prompt asked k times. Sensitivity: a
prompt perturbed in one way (`driftgate.monitor.perturbations`), its answers read back into the sample's own letters and
paired with the unperturbed prompt's. The tables are pure functions of recorded answers; `ask_all` records them.

Recorded answers are a frame with one row an answer: ``key``, ``perturbation`` (empty for the prompt as it stands),
``repeat`` (from 0), ``answer`` (in the sample's letters, "" where none could be read, None where the call failed) and
``right`` (the right letter).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.stats import Interval, compare_paired, holm, mean_interval, wilson_interval
from driftgate.flows.models import ModelError
from driftgate.monitor.perturbations import PERTURBATIONS, Example, Prompt

Ask = Callable[[Sample, Prompt, int], Awaitable[str | None]]
"""Ask a sample in the form of a prompt, for the given repeat; the answer's letter, None where none could be read. A
:class:`~driftgate.flows.models.ModelError` says that the call failed, which concerns this answer alone."""


@dataclass(frozen=True)
class Repeatability:
    """What became of one prompt asked several times."""

    n: int
    """Samples with at least two answers."""
    repeats: int
    """The most answers of a sample."""
    unanimous: Interval
    """Share of samples whose answers were all the same; it falls with the number of repeats."""
    agreement: Interval
    """Chance that two answers to one prompt are the same, which does not."""


@dataclass(frozen=True)
class Sensitivity:
    """What one perturbation did to the answers."""

    perturbation: str
    title: str
    n: int
    """Samples answered both with and without it."""
    flip_rate: Interval
    """Share of these whose answer was another one."""
    repeat_flip_rate: float | None
    """Share whose answer was another one when the same prompt was asked again: what is no effect of the
    perturbation. None where nothing was asked again."""
    lost: int
    gained: int
    """Samples only right without, only right with it."""
    accuracy_difference: Interval
    """Accuracy with it less accuracy without, paired."""
    p_value: float | None
    adjusted_p_value: float | None
    """Of the accuracy difference (McNemar), as it is and after Holm over the perturbations."""


async def ask_all(
    samples: Sequence[Sample],
    ask: Ask,
    *,
    examples: Callable[[Sample], Sequence[Example]] = lambda sample: (),
    pool: Sequence[Example] = (),
    perturbations: Sequence[str] | None = None,
    repeats: int = 5,
    seed: int = 0,
    at_once: int = 8,
) -> pd.DataFrame:
    """Ask every sample as it stands, several times, and once in every perturbation that applies to it.

    Parameters
    ----------
    samples
        With the right letter under ``answer`` in their data.
    ask
        Asks the model.
    examples
        A sample's few-shot examples; none by default.
    pool
        The examples that the perturbation of the examples may draw from.
    perturbations
        Names; None for all of the registry.
    repeats
        How often the unperturbed prompt is asked.
    seed
        Of the perturbations.
    at_once
        Calls in flight.

    Returns
    -------
    DataFrame
        Recorded answers, as the module describes them.

    Raises
    ------
    DriftgateError
        There is no perturbation of a name.
    """
    chosen = [PERTURBATIONS.get(name) for name in (PERTURBATIONS.names() if perturbations is None else perturbations)]
    gate = asyncio.Semaphore(at_once)

    async def one(sample: Sample, name: str, prompt: Prompt, repeat: int) -> dict[str, object]:
        async with gate:
            try:
                said = await ask(sample, prompt, repeat)
            except ModelError:
                answer = None
            else:
                answer = prompt.read_back(said) if said is not None else ""
        right = sample.data["answer"]
        return {"key": sample.key, "perturbation": name, "repeat": repeat, "answer": answer, "right": right}

    calls = []
    for sample in samples:
        plain = Prompt(sample.data, tuple(examples(sample)))
        calls += [one(sample, "", plain, repeat) for repeat in range(repeats)]
        for perturbation in chosen:
            changed = perturbation.apply(plain, pool, key=sample.key, seed=seed)
            if changed is not None:
                calls.append(one(sample, perturbation.name, changed, 0))
    columns = ["key", "perturbation", "repeat", "answer", "right"]
    return pd.DataFrame(await asyncio.gather(*calls), columns=columns)


def repeatability(answers: pd.DataFrame, *, level: float = 0.95) -> Repeatability:
    """How well the model repeats itself on the unperturbed prompts.

    Parameters
    ----------
    answers
        Recorded answers; failed ones are left out.
    level
        Nominal coverage of Wilson's interval (unanimous) and Student's (agreement, a mean over samples).

    Examples
    --------
    >>> answers = pd.DataFrame({"key": list("aaabbb"), "perturbation": "", "answer": list("AAABAB"), "right": "A"})
    >>> found = repeatability(answers)
    >>> found.unanimous.estimate, round(found.agreement.estimate, 4)
    (0.5, 0.6667)
    """
    plain = answers[(answers["perturbation"] == "") & answers["answer"].notna()]
    counts = plain.groupby(["key", "answer"]).size()
    asked, same = counts.groupby("key").sum(), (counts * (counts - 1)).groupby("key").sum()
    several = asked >= 2
    asked, same = asked[several], same[several]
    return Repeatability(
        n=len(asked),
        repeats=int(asked.max()) if len(asked) else 0,
        unanimous=wilson_interval(int((same == asked * (asked - 1)).sum()), len(asked), level=level),
        agreement=mean_interval((same / (asked * (asked - 1))).to_numpy(float), level=level),
    )


def sensitivity(answers: pd.DataFrame, *, level: float = 0.95) -> tuple[Sensitivity, ...]:
    """What each perturbation did, paired with the first unperturbed answer.

    Parameters
    ----------
    answers
        Recorded answers; a failed one takes its pair with it.
    level
        Nominal coverage of Wilson's interval (flips) and Tango's (accuracy).

    Returns
    -------
    tuple of Sensitivity
        In the order of the perturbations' names.

    Examples
    --------
    >>> answers = pd.DataFrame({"key": list("abcdabcd"), "perturbation": [""] * 4 + ["whitespace"] * 4, "repeat": 0,
    ...                         "answer": list("ABCDABCA"), "right": list("ABCDABCD")})
    >>> found = sensitivity(answers)[0]
    >>> found.flip_rate.estimate, found.lost, found.accuracy_difference.estimate
    (0.25, 1, -0.25)
    """
    known = answers[answers["answer"].notna()]
    plain = known[known["perturbation"] == ""].set_index("key")
    first = plain[plain["repeat"] == 0]
    again = first.join(plain.loc[plain["repeat"] == 1, ["answer"]], how="inner", rsuffix="_again")
    found = []
    for name, rows in known[known["perturbation"] != ""].groupby("perturbation"):
        pairs = first.join(rows.set_index("key")[["answer"]], how="inner", rsuffix="_perturbed")
        baseline = again[again.index.isin(pairs.index)]
        flips = int((pairs["answer"] != pairs["answer_perturbed"]).sum())
        comparison = compare_paired(
            (pairs["answer_perturbed"] == pairs["right"]).to_numpy(float),
            (pairs["answer"] == pairs["right"]).to_numpy(float),
            level=level,
        )
        found.append(
            Sensitivity(
                perturbation=str(name),
                title=PERTURBATIONS.get(str(name)).title,
                n=len(pairs),
                flip_rate=wilson_interval(flips, len(pairs), level=level),
                repeat_flip_rate=(
                    float(np.mean(baseline["answer"] != baseline["answer_again"])) if len(baseline) else None
                ),
                lost=comparison.lost or 0,
                gained=comparison.gained or 0,
                accuracy_difference=comparison.interval,
                p_value=comparison.p_value,
                adjusted_p_value=None,
            )
        )
    adjusted = holm([each.p_value for each in found])
    return tuple(replace(each, adjusted_p_value=p) for each, p in zip(found, adjusted, strict=True))
