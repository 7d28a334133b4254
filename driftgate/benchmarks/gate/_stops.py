"""A gate that stops its run: it judges at each look, and says before the first whether it ever could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.benchmarks.costs import cell_frame
from driftgate.benchmarks.gate._config import CHAMPION, GateConfig, RuleConfig
from driftgate.benchmarks.gate._gather import Check, decided_of, gather, seen
from driftgate.benchmarks.gate._path import Decision
from driftgate.benchmarks.gate._sequential import only_at_the_end
from driftgate.benchmarks.judges import check_judges
from driftgate.benchmarks.looks import Standing
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, cells_of, why_unasked


@dataclass(frozen=True)
class GateStops:
    """A gate that may stop a run; see :class:`driftgate.benchmarks.looks.Stops`."""

    ledger: Ledger
    name: str
    gate: GateConfig
    run_id: str
    champion: str | None

    def look(self, counts: Mapping[int, int]) -> Standing:
        """Judge what was asked so far.

        Raises
        ------
        DriftgateError
            A rule fits no cell, or names a metric, a slice or a baseline that does not exist.
        """
        ledger = self.ledger
        cells = [cell for cell in cells_of(ledger, self.run_id) if cell.id in counts]
        scored = [
            CellScores(
                cell,
                cell_frame(ledger, cell, whole=True),
                [],
                check_judges(ledger, cell),
                unasked=why_unasked(ledger, cell.id),
            )
            for cell in cells
        ]
        scored, asked = seen(ledger, scored, counts)
        checks = gather(ledger, self.name, self.gate, self.run_id, scored, asked, champion=self.champion)
        decided = decided_of(checks)
        told = tuple(_told(check, made) for check, made in zip(checks, decided, strict=True))
        open_ = [check for check, made in zip(checks, decided, strict=True) if made.verdict is None]
        about, undecided = (
            frozenset(cell for check in some for cell in _cells(check, self.run_id)) for some in (checks, open_)
        )
        return Standing(told, about, undecided)


def _cells(check: Check, run_id: str) -> list[int]:
    """The cells of the run that a check needs."""
    other = check.baseline.scores if check.baseline is not None else None
    here = [other.cell.id] if other is not None and other.cell.run_id == run_id else []
    return [check.scores.cell.id, *here]


def _told(check: Check, made: Decision) -> str:
    state: str = made.verdict or "open"
    path = check.evidence.path
    if made.verdict is None and path is not None and not path.counted:
        p_pass, p_fail = path.at(path.looks - 1)
        state = f"open (p = {p_pass:.2g} for it, {p_fail:.2g} against it)"
    return f"{check.scores.cell.name}: {check.rule.text}: {state}"


def check_stops(name: str, gate: GateConfig, cells: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a gate that could stop no run of these cells.

    A run goes on until every rule is decided, so that a single one that can be judged only at the end keeps it going,
    and costs the others half of their level for nothing.

    Parameters
    ----------
    cells : sequence of Mapping
        What the run asks for, as :meth:`driftgate.benchmarks.cell.Cell.describe` has it.

    Raises
    ------
    DriftgateError
        One of its rules is judged only where all samples were asked, or is about nothing that the run asks.
    """
    for rule in gate.rules:
        fitting = [cell for cell in cells if _about(rule, cell)]
        if not fitting:
            raise DriftgateError(
                f"gate '{name}' cannot stop the run: the rule '{rule.text}' fits none of its cells",
                f"cells: {sorted({str(cell['model']) for cell in cells})}",
            )
        for cell in fitting:
            if why := only_at_the_end(rule, cell):
                raise DriftgateError(
                    f"gate '{name}' cannot stop a run: the rule '{rule.text}' is judged only where all samples were "
                    f"asked ({why})",
                    "put it into another gate, for runs without --sequential, or run without --sequential",
                )


def _about(rule: RuleConfig, cell: Mapping[str, Any]) -> bool:
    wanted = ((rule.model, "model"), (rule.variant, "variant"), (rule.dataset, "dataset"))
    itself = rule.opponent not in (None, CHAMPION) and cell["model"] == rule.opponent
    return all(want is None or want == cell[name] for want, name in wanted) and not itself
