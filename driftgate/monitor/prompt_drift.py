"""How far do a model's answers hang on what should not matter, and do they change in time?

Signals of a look at prompts, each from the answers to the same questions on two sides. Within the look: the question
as it stands against the question in another form (sensitivity), and in the prompt as it was before. Against the looks
that are the reference: how often answers repeat themselves (agreement, and the entropy over their meanings [1]_, a
meaning being what :func:`driftgate.flows.wording.same` holds for the same), how many answers are other ones (churn),
and how many are right. Each has the exact test of `driftgate.monitor._exchange`: an unsteady model answers otherwise
whenever it is asked again, so what counts is how much oftener it does so across the two sides.

Where nobody answered, the answer is taken at its best for an alert and at its worst for a quiet look.

References
----------
.. [1] Farquhar, Kossen, Kuhn, Gal (2024). Detecting hallucinations in large language models using semantic entropy.
   Nature 630, 625-630; its discrete estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from driftgate.benchmarks.stats import Interval, benjamini_hochberg, betting_interval, holm, mean_interval
from driftgate.monitor._exchange import Pair, alike, exchange_p_value, more_flips, rarefied
from driftgate.monitor._forms import counts_of, slices_of
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import DETECTORS, Evidence
from driftgate.monitor.drift import Finding, Windows
from driftgate.monitor.otherwise import AS_BEFORE
from driftgate.monitor.pooling import Part, combined, reaches
from driftgate.monitor.prompt_signals import (
    ACCURACY,
    AGREEMENT,
    CHURN,
    ENTROPY,
    TEMPLATE_ACCURACY,
    TEMPLATE_CHURN,
    Measure,
    sensitivity,
)
from driftgate.monitor.signals import Signal

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["seen", "best", "worst"]
"""How answers that nobody gave are taken: left out, as no sign of a change, or as one."""

_SLICE = 10
"""Questions that a slice must have to be looked at by itself."""


@dataclass(frozen=True)
class Repeatability:
    """What became of one prompt asked several times."""

    n: int
    """Questions with at least two answers."""
    repeats: int
    """The most answers of a question."""
    unanimous: Interval
    """Share of questions whose answers all say the same; it falls with the number of repeats."""
    agreement: Interval
    """Chance that two answers to one prompt say the same, which does not."""
    entropy: Interval
    """Entropy over the meanings of a question's answers, as a share of the largest that so many can have."""


def repeatability(frame: pd.DataFrame) -> Repeatability:
    """How well a model repeats itself on the questions as they stand.

    Parameters
    ----------
    frame
        With ``key``, ``form`` and ``kind``; see `driftgate.monitor._forms`.

    Examples
    --------
    >>> import pandas as pd
    >>> found = repeatability(pd.DataFrame({"key": list("aaabbb"), "form": "", "kind": [0, 0, 0, 0, 1, 0]}))
    >>> found.unanimous.estimate, round(found.agreement.estimate, 4), round(found.entropy.estimate, 4)
    (0.5, 0.6667, 0.2897)
    """
    known = [kinds for kinds, _ in counts_of(frame[frame["form"] == ""]).values() if sum(kinds.values()) > 1]
    pairs = [Pair(tuple(kinds.values()), (0,) * len(kinds)) for kinds in known]
    asked = [sum(pair.reference) for pair in pairs]
    return Repeatability(
        n=len(pairs),
        repeats=max(asked, default=0),
        unanimous=_interval([float(len(kinds) == 1) for kinds in known], 0.0),
        agreement=_interval([sum(alike(a, sum(p.reference)) for a in p.reference) for p in pairs], 0.0),
        entropy=_interval([sum(rarefied(a, n, n) for a in p.reference) for p, n in zip(pairs, asked, strict=True)], 0),
    )


@dataclass(frozen=True)
class Sides:
    """Answers to the same questions on two sides, a row each time that one was asked."""

    reference: pd.DataFrame
    current: pd.DataFrame
    windows: Windows

    def pairs(self, measure: Measure, missing: Missing) -> dict[object, Pair]:
        """The answers of each question that both sides can be compared on."""
        before, now = counts_of(self.reference), counts_of(self.current)
        usual = max((sum(kinds.values()) + lost for kinds, lost in now.values()), default=0)
        found = {}
        for key, (kinds, lost) in before.items():
            current, gone = now.get(key, ({}, usual))
            pair = _pair(kinds, lost, current, gone, missing, alone=measure.alone)
            n, m = pair.sides
            if n > 1 and m >= measure.fewest:
                found[key] = pair
        return found


def _pair(
    before: Mapping[int, int], lost: int, now: Mapping[int, int], gone: int, missing: Missing, *, alone: bool
) -> Pair:
    a, b = dict(before), dict(now)
    fresh = max([*a, *b], default=-1) + 1
    if missing == "worst":
        _most(a, lost)
        b |= {fresh + n: 1 for n in range(gone)}
    elif missing == "best":
        a |= {fresh + n: 1 for n in range(lost)}
        if alone or not before:
            _most(b, gone)
        else:
            usual = max(before, key=lambda kind: before[kind])
            b[usual] = b.get(usual, 0) + gone
    kinds = sorted({*a, *b})
    return Pair(tuple(a.get(k, 0) for k in kinds), tuple(b.get(k, 0) for k in kinds))


def _most(kinds: dict[int, int], more: int) -> None:
    """So many more answers of the commonest kind."""
    if more:
        usual = max(kinds, key=lambda kind: kinds[kind], default=0)
        kinds[usual] = kinds.get(usual, 0) + more


@dataclass(frozen=True)
class Known:
    """A form to which the reference was found to be sensitive: only more of it is news."""

    effect: float
    """By how much."""
    sides: Sides
    """The reference's answers in that form, and those of the look."""


def findings(
    compared: Sequence[tuple[Measure | Signal, Sides]],
    floors: Mapping[str, float],
    level: float,
    missing: Missing = "seen",
    known: Mapping[str, Known] | None = None,
) -> tuple[Finding, ...]:
    """What each signal did, judged together by Benjamini and Hochberg.

    Parameters
    ----------
    compared
        A measure, or the signal of right answers, and the two sides.
    known
        By signal, what the reference is sensitive to. The effect must then be larger by the floor, and the answers in
        that form must have changed since: of the two p-values the larger one counts.
    """
    found = []
    for what, sides in compared:
        signal = what.signal if isinstance(what, Measure) else what
        compare = _comparison(what, sides, missing)
        finding = _finding(signal, sides, compare, floors.get(signal.name, signal.floor), level)
        before = (known or {}).get(signal.name)
        if before is not None and finding.p_value is not None:
            since = list(before.sides.pairs(CHURN, missing).values())
            p_value = max(finding.p_value, exchange_p_value(since, more_flips)) if since else None
            finding = replace(finding, p_value=p_value, floor=finding.floor + before.effect)
        found.append(finding)
    adjusted = benjamini_hochberg([finding.p_value for finding in found])
    return tuple(replace(finding, adjusted_p_value=p) for finding, p in zip(found, adjusted, strict=True))


@dataclass(frozen=True)
class _Comparison:
    """The questions that can be compared, and how some of them are."""

    keys: Sequence[object]
    compare: Callable[[Sequence[object]], Evidence]


def _comparison(what: Measure | Signal, sides: Sides, missing: Missing) -> _Comparison:
    if isinstance(what, Measure):
        pairs = sides.pairs(what, missing)
        return _Comparison(list(pairs), lambda keys: _evidence(what, [pairs[key] for key in keys]))
    rights = _rights(sides, missing)
    return _Comparison(list(rights), lambda keys: _of_right(sides, {key: rights[key] for key in keys}))


def _finding(signal: Signal, sides: Sides, compared: _Comparison, floor: float, level: float) -> Finding:
    everywhere = compared.compare(compared.keys)
    places = slices_of([sides.reference, sides.current])
    by_slice: dict[str, list[object]] = {}
    for key in compared.keys:
        by_slice.setdefault(places[key], []).append(key)
    large = {name: keys for name, keys in sorted(by_slice.items()) if len(keys) >= _SLICE}
    slices = {name: compared.compare(keys) for name, keys in large.items()} if len(by_slice) > 1 else {}
    p_value, moved = everywhere.p_value, []
    if p_value is not None:
        parts = [_part(signal, evidence) for evidence in slices.values()]
        p_value = combined(_part(signal, everywhere), parts, floor)
        sure = zip(slices, parts, holm([part.p_value for part in parts]), strict=True)
        moved = [name for name, part, p in sure if p is not None and p <= level and reaches(part.loss, floor)]
        if len(moved) == len(slices):
            moved = []
    place = compared.compare([key for name in moved for key in large[name]]) if moved else everywhere
    return Finding(signal, sides.windows, floor, everywhere, slices, tuple(moved), place, p_value)


def _part(signal: Signal, found: Evidence) -> Part:
    effect = found.effect.estimate or 0.0
    return Part(effect if signal.bad == "higher" else -effect, 1.0 if found.p_value is None else found.p_value)


def _evidence(measure: Measure, pairs: Sequence[Pair]) -> Evidence:
    values = [pair.value(measure.term) for pair in pairs]
    before = [pair.value(measure.before) for pair in pairs]
    sign = 1.0 if measure.signal.bad == "higher" else -1.0
    effect = _interval([sign * value for value in values], -1.0)
    level = sum(before) / len(before) if before else None
    if not pairs:
        return Evidence(None, effect, None, None, 0, 0, "exchange")
    return Evidence(
        p_value=exchange_p_value(pairs, measure.term),
        effect=effect,
        reference_value=level,
        current_value=None if level is None or effect.estimate is None else level + effect.estimate,
        n_reference=len(pairs),
        n_current=len(pairs),
        method="exchange",
    )


def _rights(sides: Sides, missing: Missing) -> dict[object, tuple[int, int, int, int]]:
    """Of each question the right answers and all answers on either side."""
    taken = {"seen": (None, None), "best": (0.0, 1.0), "worst": (1.0, 0.0)}[missing]
    usual = int(sides.current.groupby("key").size().max()) if len(sides.current) else 0
    before, now = (
        _right_of(frame, value) for frame, value in zip((sides.reference, sides.current), taken, strict=True)
    )
    absent = (0, 0) if taken[1] is None else (int(taken[1]) * usual, usual)
    found = {key: (*counts, *now.get(key, absent)) for key, counts in before.items()}
    return {key: counts for key, counts in found.items() if counts[1] and counts[3]}


def _right_of(frame: pd.DataFrame, missing: float | None) -> dict[object, tuple[int, int]]:
    correct = frame["correct"] if missing is None else frame["correct"].fillna(missing)
    grouped = correct.groupby(frame["key"], sort=False).agg(["sum", "count"])
    return {key: (int(row["sum"]), int(row["count"])) for key, row in grouped.iterrows()}


def _of_right(sides: Sides, rights: Mapping[object, tuple[int, int, int, int]]) -> Evidence:
    import numpy as np

    if not rights:
        return Evidence(None, _interval([], 0.0), None, None, 0, 0, "mantel_haenszel")
    table = np.array(list(rights.values()))
    found = DETECTORS.get("mantel_haenszel").compare(table[:, :2], table[:, 2:], bad="lower")
    shares = table[:, 0] / table[:, 1], table[:, 2] / table[:, 3]
    lost, gained = (int(((one > 0.5) & (other <= 0.5)).sum()) for one, other in (shares, shares[::-1]))
    return replace(found, detail={**found.detail, "lost": lost, "gained": gained, **_changed(sides, rights, shares)})


def _changed(sides: Sides, rights: Mapping[object, object], shares: tuple[object, object]) -> dict[str, float]:
    """How many questions have another answer that is as right, or as wrong, as the one before."""
    before, now = counts_of(sides.reference), counts_of(sides.current)
    right = dict(zip(rights, zip(*shares, strict=True), strict=True))  # type: ignore[call-overload]
    other = 0
    for key, (was, is_) in right.items():
        kinds, current = before[key][0], now.get(key, ({}, 0))[0]
        if kinds and current and (was > 0.5) == (is_ > 0.5):
            other += max(kinds, key=lambda k: kinds[k]) != max(current, key=lambda k: current[k])
    return {"changed_but_equal": other}


def _interval(values: Sequence[float], low: float) -> Interval:
    """Student's interval of a mean; where all values are alike, one that holds for any values between the bounds."""
    found = mean_interval(values)
    if found.low is not None or len(values) < 2:
        return found
    return betting_interval(values, low, 1.0)


def whole_period(frame: pd.DataFrame) -> Period:
    """From the first of some looks to the end of the last."""
    from datetime import timedelta

    first, last = (frame["time"].agg(edge).to_pydatetime() for edge in ("min", "max"))
    return Period(first, last + timedelta(microseconds=1))


def within_look(frame: pd.DataFrame) -> list[tuple[Measure | Signal, Sides]]:
    """What is compared within a look: the questions as they stand with those in every other form."""
    plain = frame[frame["form"] == ""]
    windows = Windows("canaries", whole_period(frame), whole_period(frame))
    found: list[tuple[Measure | Signal, Sides]] = []
    for form, rows in frame[frame["form"] != ""].groupby("form"):
        if form == AS_BEFORE:
            found += [(what, Sides(rows, plain, windows)) for what in (TEMPLATE_CHURN, TEMPLATE_ACCURACY)]
        else:
            asked = plain[plain["key"].isin(rows["key"])]
            found.append((sensitivity(str(form)), Sides(asked, rows, windows)))
    return found


def against_reference(reference: pd.DataFrame, frame: pd.DataFrame) -> list[tuple[Measure | Signal, Sides]]:
    """What is compared with earlier looks: the questions as they stand."""
    before, now = (one[one["form"] == ""] for one in (reference, frame))
    windows = Windows("canaries", whole_period(before), whole_period(now))
    return [(what, Sides(before, now, windows)) for what in (AGREEMENT, ENTROPY, CHURN, ACCURACY)]


def too_few(compared: Sequence[tuple[Measure | Signal, Sides]], level: float) -> str:
    """Which signals have so few answers that not even a change of every one would be an alert, in words."""
    blind = []
    for what, sides in compared:
        if isinstance(what, Measure):
            gone = [Pair((n, 0), (0, m)) for n, m in (pair.sides for pair in sides.pairs(what, "worst").values())]
            # Of agreement: every answer another one.
            split = [Pair((n, *(0,) * m), (0, *(1,) * m)) for n, m in (pair.sides for pair in gone)]
            if not gone or exchange_p_value(split if what.alone else gone, what.term) > level / len(compared):
                blind.append(what.signal.name)
    return ", ".join(blind)


def known_of(
    reference: pd.DataFrame, frame: pd.DataFrame, floors: Mapping[str, float], level: float
) -> dict[str, Known]:
    """The forms to which the reference was sensitive already, by signal."""
    windows = Windows("canaries", whole_period(reference), whole_period(frame))
    found = {}
    for finding in findings(within_look(reference), floors, level):
        form = finding.signal.name.removeprefix("sensitivity_")
        if form != finding.signal.name and finding.alarms(level) and finding.place.effect.estimate is not None:
            was, now = (one[one["form"] == form] for one in (reference, frame))
            sides = Sides(was, now, windows)
            found[finding.signal.name] = Known(finding.place.effect.estimate, sides)
    return found
