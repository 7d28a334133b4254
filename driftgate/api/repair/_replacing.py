"""Champions whose deployment ends are replaced in time, by what a repair would choose from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from driftgate.api.champions import champion
from driftgate.api.deployments import ending
from driftgate.api.repair._context import REPLACES
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import Remediation, remediations
from driftgate.ledger import Ledger, ends_on

_AGAIN = timedelta(days=14)
"""After one that ended without a successor; until then it is for a person."""


@dataclass(frozen=True)
class Replacement:
    """A champion whose deployment ends, and the recipe by which it is replaced."""

    recipe: str
    slot: str
    model: str
    ends: date

    @property
    def cause(self) -> str:
        """In words."""
        return f"replacement of {self.model}: {ends_on(self.ends)}"[:200]

    @property
    def evidence(self) -> dict[str, str]:
        """What its remediation is opened with."""
        return {REPLACES: self.model, "ends": self.ends.isoformat()}


def due_replacements(workspace: OpenWorkspace, ledger: Ledger, now: datetime | None = None) -> Iterator[Replacement]:
    """Champions that are to be replaced now: their deployment ends within the days that a recipe names.

    One whose replacement ended without a successor comes again after two weeks.
    """
    now = now or datetime.now(UTC)
    found: set[str] = set()
    for name, recipe in workspace.config.recipes.items():
        slot = recipe.champion
        if recipe.replacement is None or slot in found:
            continue
        live = champion(workspace, ledger, slot)
        day = ending(workspace, ledger, [live]).get(live)
        if day is None or (day - now.date()).days > recipe.replacement.days:
            continue
        one = Replacement(name, slot, live, day)
        if not any(_settles(known, one, now) for known in remediations(ledger, 100, slot=slot)):
            found.add(slot)
            yield one


def _settles(known: Remediation, wanted: Replacement, now: datetime) -> bool:
    """Whether a remediation leaves nothing to open: it is open, or replaced the same a short time ago."""
    same = all(known.evidence.get(name) == value for name, value in wanted.evidence.items())
    return known.state == "open" or (same and known.closed_at is not None and now - known.closed_at < _AGAIN)
