"""The four verdicts, of a rule and of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "fail", "inconclusive", "unmeasurable"]
GRAVITY: tuple[Verdict, ...] = ("pass", "inconclusive", "unmeasurable", "fail")
"""From the best to the worst."""
EXIT_CODES: dict[str, int] = {"pass": 0, "fail": 1, "inconclusive": 3, "unmeasurable": 4}
"""Exit code of ``driftgate gate`` by verdict; 2 is an error."""


@dataclass(frozen=True)
class RuleVerdict:
    """What a rule says of a cell."""

    rule: str
    cell: str
    verdict: Verdict
    reason: str
    value: float | None = None
    """The metric; of a comparison the difference, of latency, cost and tokens the ratio."""
    low: float | None = None
    high: float | None = None
    """The two-sided 95% interval of ``value``."""
    n: int = 0
    model: str = ""
    """The model of the cell."""
    p_pass: float | None = None
    """One-sided, against "the rule is broken"; at most alpha where the rule is shown to hold."""
    p_fail: float | None = None
    """One-sided, against "the rule holds"."""
    p_fail_corrected: float | None = None
    """``p_fail`` corrected by Holm over all checks of the gate; at most alpha where the rule is shown to be broken."""
    detectable: float | None = None
    """The minimum detectable effect: how far on the right side of the limit the truth must lie for the rule to pass
    with 80% power."""
    needed: int | None = None
    """How many samples would decide with 80% power if the truth is as observed."""
    baseline: str = ""
    """The run that was compared with."""
    failing: tuple[str, ...] = ()
    """The slices that are shown to break the rule."""
    says: str = ""
    """The verdict in one plain sentence; ``reason`` has the statistics behind it."""
    first_run: bool = False
    """Nothing was compared, as there is nothing to compare with yet: the verdict is the gate's ``first_run``."""
    decided_after: int | None = None
    """Of a run that its gate may stop: how many samples had been asked when this was decided."""

    @property
    def told(self) -> str:
        """The plain sentence, then the statistics."""
        return "; ".join(filter(None, (self.says, self.reason)))


@dataclass(frozen=True)
class Drift:
    """How far a cell is from the gate's anchor, whatever the rules say."""

    cell: str
    metric: str
    told: str
    """In one sentence."""
    value: float | None = None
    """The difference; of latency, cost and tokens the ratio. None where it is not known."""
    low: float | None = None
    high: float | None = None
    """The two-sided 95% interval of ``value``."""


@dataclass(frozen=True)
class GateVerdict:
    """What a gate says of a run: the gravest of what its rules say."""

    gate: str
    run: str
    verdict: Verdict
    rules: tuple[RuleVerdict, ...]
    runs: Mapping[str, str] = field(default_factory=dict)
    """Content hash of every run the verdict rests on, by id."""
    rules_hash: str = ""
    """Of the rules as they stood in the workspace file."""
    champion: str | None = None
    """Whom the rules meant by champion."""
    drift: tuple[Drift, ...] = ()
    """How far the cells are from the gate's anchor; empty where it has none."""
    stopped: str = ""
    """What the gate spared of a run that it stopped, in one line; empty where it stopped none."""

    @property
    def worst_first(self) -> list[RuleVerdict]:
        """The rules, the gravest verdicts first."""
        return sorted(self.rules, key=lambda rule: -GRAVITY.index(rule.verdict))

    @property
    def exit_code(self) -> int:
        """Exit code of the command that prints the verdict."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON-serialisable values."""
        return asdict(self)
