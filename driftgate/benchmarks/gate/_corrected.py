"""A rule about what people would say: a judge's pass rate, corrected by the labels that they gave."""

from __future__ import annotations

import numpy as np

from driftgate.benchmarks.calibration import rate_by_people
from driftgate.benchmarks.gate._config import RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence
from driftgate.benchmarks.labelled import labels_for, said_by_judge
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger

LABELS_WANTED = 30
"""Labels that a corrected rate needs; with fewer nobody would believe the interval, and it is wide in any case."""


def corrected(ledger: Ledger, rule: RuleConfig, scores: CellScores) -> Evidence:
    """What a judge and people together say of a rule.

    A judge that moved, or that was never admitted, may be corrected: the labels are of this very cell, and say how
    wrong it is here.

    Raises
    ------
    DriftgateError
        The rule names no judge of the cell.
    """
    key, cell = rule.metric.rpartition(".")[0], scores.cell
    judges = cell.details.get("judges") or {}
    if key not in judges:
        raise DriftgateError(
            f"the rule '{rule.text}' is about no judge of {cell.name}",
            nearest(rule.metric, [f"{name}.passed" for name in judges]),
        )
    asked = len(scores.frame)

    def none(why: str) -> Evidence:
        return Evidence(0, asked, depends=True, why_none=why)

    how = f"have people grade some: driftgate calibrate {key} labels.csv --run {cell.run_id}/{cell.ordinal} --draw 100"
    if "repeat" in scores.asks:
        return none("samples that are asked several times cannot be corrected by labels; have a suite without repeats")
    if scores.frame["cluster"].astype(bool).any():
        return none("samples that come in clusters cannot be corrected by labels that were drawn one by one")
    kept, labels = labels_for(ledger, cell, key)
    if not kept:
        return none(f"there is no calibration of this judge (pin {judges[key].get('pin_id')}); {how}")
    judged = {sample: said.passed for sample, said in said_by_judge(ledger, cell, key).items()}
    used = sum(word is not None for sample, word in labels.items() if judged.get(sample) is not None)
    if used < LABELS_WANTED:
        found = "none of the labels is" if not used else f"only {used} labels are"
        return none(f"{found} of texts of this cell, at least {LABELS_WANTED} are wanted; {how}")
    made = rate_by_people(judged, labels)
    limit = rule.min if rule.min is not None else rule.max
    assert limit is not None  # a corrected rule compares with nothing
    p_above, p_below = made.p_not_above(limit), made.p_not_below(limit)
    p_pass, p_fail = (p_above, p_below) if rule.side == "above" else (p_below, p_above)
    missing = sum(word is None for word in judged.values())
    low, high = made.interval(1.0 - 2.0 * rule.alpha)
    blank = sum(word is None for word in labels.values())
    notes = (
        f"corrected by {used:,} labels of {len(judged):,} samples, which is right if those were drawn at random",
        *((f"{blank:,} of the samples drawn for labels have none, and count at their worst",) if blank else ()),
    )
    # Whatever is missing at one end and at the other: where only that lies between, no more labels would decide.
    depends = bool(missing or blank) and float(np.median(made.least)) <= limit <= float(np.median(made.most))
    return Evidence(
        n=used,
        asked=asked,
        value=made.estimate,
        low=made.low,
        high=made.high,
        p_pass=p_pass,
        p_fail=p_fail,
        bound=low if rule.side == "above" else high,
        depends=depends,
        missing=missing,
        lacking=f"have no {rule.metric}",
        method="prediction-powered",
        notes=notes,
        why_none=f"{blank:,} samples drawn for labels have none, and whether the rule holds depends on them"
        if depends
        else "",
    )
